"""The bodies of requests: JSON → what the archive is asked to do. All violations of a body are told at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from shared.domain.content import (
    ADDS_UP,
    MAX_METADATA,
    MAX_TRANSFERS,
    ONE_WAY,
    STARTS_IN_TIME,
    Changes,
    Content,
    Debtor,
    DebtorType,
    Stamp,
    Transfer,
    adds_up,
    starts_in_time,
)
from shared.domain.dates import ValidFrom
from shared.domain.declarations import Publication
from shared.domain.identifiers import Iban, Iuv, NoticeNumber
from shared.domain.lifecycle import EventType, StateEvent
from shared.domain.notice import Address
from shared.errors import InvalidBody, InvalidValue
from shared.wire.json_faults import refusal_of
from shared.wire.texts import (
    Cents,
    DebtorText,
    DueDateText,
    Flag,
    IbanText,
    InstitutionText,
    IuvText,
    NumberText,
    OccurredAtText,
    ParseContext,
    PostalIbanText,
    ValidFromText,
    Visible140,
    Visible255,
    Words50,
    Words72,
    Words140,
    Words255,
    all_of,
    violation,
)
from shared.wire.unknown_fields import UnknownFields
from shared.wire.violations import violations_of

_IN_THE_ADDRESS = "it stands in the address of the notice"
_BY_EVENT = "POST .../events cancels, closes or restores the notice"
_BY_PLATFORM = "it says what came from the platform"
ADDED_BY_THE_ARCHIVE: Mapping[str, str] = {
    "creditorInstitution": _IN_THE_ADDRESS,
    "noticeNumber": _IN_THE_ADDRESS,
    "origin": "it says who published the notice",
    "status": _BY_EVENT,
    "version": "each change raises it; If-Match names the one that you expect",
    "publishedAt": "it is the time of the first PUT",
    "updatedAt": "it is the time of the last change; occurredAt says when you decided it",
    "ibanSource": "it follows from iban, where null asks for the registered one",
    "payments": _BY_PLATFORM,
    "settlements": _BY_PLATFORM,
    "endReason": _BY_EVENT,
    "replacedBy": f"{_BY_EVENT}, and names the notice that replaces it",
    "anomalies": _BY_PLATFORM,
}
"""Fields that a notice shows and no body sets, each with what to do instead.

A PUT ignores them, so that a notice that was read can be sent back.
"""

MAX_PATCHED_METADATA = 2 * MAX_METADATA
"""Keys of metadata that a PATCH names, at most: it may remove as many as it adds."""


def _few(metadata: object) -> object:
    """Refuse very many keys before each of them is checked."""
    if isinstance(metadata, dict) and len(metadata) > MAX_PATCHED_METADATA:
        raise violation("too_many", f"At most {MAX_METADATA}")
    return metadata


Metadata = Annotated[dict[Words140, Words140], Field(max_length=MAX_METADATA), BeforeValidator(_few)]


class Body(BaseModel):
    """An object with these fields and no other; names are camelCase, types are not converted."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class DebtorBody(Body):
    """Who owes. `fiscalCode`: 16 characters, 11 digits, or ANONIMO."""

    type: Literal["F", "G"]
    fiscal_code: DebtorText
    full_name: Visible255

    def to_domain(self) -> Debtor:
        return Debtor(DebtorType(self.type), self.fiscal_code, self.full_name)


class StampBody(Body):
    """A digital revenue stamp."""

    hash_document: Words72
    stamp_type: Annotated[str, Field(pattern="^[A-Za-z0-9]{2}$")]
    provincial_residence: Annotated[str, Field(pattern="^[A-Z]{2}$")]


class TransferBody(Body):
    """A part of the amount and where it goes: to an IBAN, or into a stamp."""

    id: Annotated[int, Field(strict=True, ge=1, le=MAX_TRANSFERS)]
    amount: Cents
    creditor_institution: InstitutionText
    iban: IbanText | None = None
    stamp: StampBody | None = Field(default=None, validate_default=True)
    postal_iban: PostalIbanText | None = None
    remittance_information: Visible140
    category: Words140
    metadata: Metadata | None = None

    @field_validator("stamp")
    @classmethod
    def _iban_or_stamp(cls, stamp: StampBody | None, info: ValidationInfo) -> StampBody | None:
        if "iban" in info.data and (info.data["iban"] is None) == (stamp is None):
            raise violation("iban_or_stamp", "A transfer has either an IBAN or a stamp")
        return stamp

    @field_validator("postal_iban")
    @classmethod
    def _no_postal_stamp(cls, postal: Iban | None, info: ValidationInfo) -> Iban | None:
        if postal is not None and info.data.get("stamp") is not None:
            raise violation("postal_iban_with_stamp", "A stamp has no postal IBAN")
        return postal

    def to_domain(self) -> Transfer:
        stamp = self.stamp
        return Transfer(
            self.id,
            self.amount,
            self.creditor_institution,
            self.iban,
            Stamp(stamp.hash_document, stamp.stamp_type, stamp.provincial_residence) if stamp else None,
            self.postal_iban,
            self.remittance_information,
            self.category,
            self.metadata or {},
        )


class NoticeBody(Body):
    """A whole notice. Null means the default, as if the field were not there."""

    amount: Cents
    description: Visible255
    due_date: DueDateText
    debtor: DebtorBody
    iban: IbanText | None = None
    postal_iban: PostalIbanText | None = None
    valid_from: ValidFromText | None = None
    switch_to_expired: Flag | None = None
    pay_stand_in: Flag | None = None
    transfers: Annotated[list[TransferBody], Field(max_length=MAX_TRANSFERS)] | None = None
    iupd: Words50 | None = None
    company_name: Visible140 | None = None
    office_name: Visible140 | None = None
    metadata: Metadata | None = None
    iuv: IuvText | None = None
    occurred_at: OccurredAtText | None = None

    # A rule between two fields stands with the later one, and is checked whenever both can be read.

    @field_validator("valid_from")
    @classmethod
    def _starts_in_time(cls, valid_from: ValidFrom | None, info: ValidationInfo) -> ValidFrom | None:
        due_date = info.data.get("due_date")
        if due_date is not None and not starts_in_time(valid_from, due_date):
            raise violation("not_before_due_date", STARTS_IN_TIME)
        return valid_from

    @field_validator("transfers")
    @classmethod
    def _fit(cls, transfers: list[TransferBody] | None, info: ValidationInfo) -> list[TransferBody] | None:
        if not transfers:
            return transfers
        broken = []
        if info.data.get("iban") is not None or info.data.get("postal_iban") is not None:
            broken.append(violation("iban_and_transfers", ONE_WAY))
        amount = info.data.get("amount")
        if amount is not None and not adds_up(amount, transfers):
            broken.append(violation("sum_of_transfers", ADDS_UP))
        if len({transfer.id for transfer in transfers}) < len(transfers):
            broken.append(violation("transfer_id_repeated", "The ids of the transfers must differ"))
        if broken:
            raise all_of(broken)
        return transfers

    @field_validator("iuv")
    @classmethod
    def _belongs(cls, iuv: Iuv | None, info: ValidationInfo[ParseContext]) -> Iuv | None:
        number = info.context.number
        if iuv is not None and number is not None and not info.context.lenient and iuv != number.iuv:
            raise InvalidValue("iuv", "must be the IUV that the notice number contains, or be left out")
        return iuv

    def to_domain(self) -> Content:
        return Content(
            amount=self.amount,
            description=self.description,
            due_date=self.due_date,
            debtor=self.debtor.to_domain(),
            iban=self.iban,
            postal_iban=self.postal_iban,
            valid_from=self.valid_from,
            switch_to_expired=bool(self.switch_to_expired),
            pay_stand_in=self.pay_stand_in is not False,
            transfers=tuple(transfer.to_domain() for transfer in self.transfers or ()),
            iupd=self.iupd,
            company_name=self.company_name,
            office_name=self.office_name,
            metadata=self.metadata or {},
        )


NOT_NAMED: Any = None
"""The default of a field that may be left out, but not null."""


class DebtorPatchBody(Body):
    """The fields of the debtor that change."""

    type: Literal["F", "G"] = NOT_NAMED
    fiscal_code: DebtorText = NOT_NAMED
    full_name: Visible255 = NOT_NAMED


class PatchBody(NoticeBody):
    """The fields of a notice that change (JSON merge patch, RFC 7396); what is not named stays."""

    amount: Cents = NOT_NAMED
    description: Visible255 = NOT_NAMED
    due_date: DueDateText = NOT_NAMED
    debtor: DebtorPatchBody = NOT_NAMED  # type: ignore[assignment]  # a part of it, merged key by key
    metadata: (
        Annotated[dict[Words140, Words140 | None], Field(max_length=MAX_PATCHED_METADATA), BeforeValidator(_few)] | None
    ) = None  # type: ignore[assignment]


class LifeCycleBody(Body):
    """What the declarer says happened to the notice."""

    type: StateEvent
    reason: Words255 | None = None
    replaced_by: NumberText | None = None
    occurred_at: OccurredAtText | None = None

    @field_validator("replaced_by")
    @classmethod
    def _by_another(cls, number: NoticeNumber | None, info: ValidationInfo[ParseContext]) -> NoticeNumber | None:
        if number is not None and info.data.get("type", EventType.CANCELLED) is not EventType.CANCELLED:
            raise violation("replaced_by_not_cancelled", "Only a cancelled notice is replaced")
        if number is not None and number == info.context.number:
            raise violation("replaced_by_itself", "replacedBy must be the number of another notice")
        return number


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a PATCH asks: the fields that change, the IUV if it is named, and when it was declared."""

    changes: Changes
    iuv: Iuv | None
    occurred_at: datetime | None


def parse_json(body: bytes) -> object:
    """Return the JSON value of a body, read once; raise InvalidEncoding, InvalidJson."""
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise refusal_of(body, str(error)) from None


def parse_notice(value: object, address: Address, context: ParseContext) -> tuple[Publication, datetime | None]:
    """Return the publication that a whole notice asks for, and when it was declared; raise InvalidBody."""
    if isinstance(value, dict):
        value = {name: field for name, field in value.items() if name not in ADDED_BY_THE_ARCHIVE}
    body = _read(NoticeBody, value, replace(context, number=address.number))
    return Publication(address, body.to_domain(), body.iuv), body.occurred_at


def parse_amendment(value: object, context: ParseContext) -> Amendment:
    """Return what a merge patch asks for; raise InvalidBody."""
    body = _read(PatchBody, value, context)
    named = {name: getattr(body, name) for name in body.model_fields_set - {"iuv", "occurred_at"}}
    if "transfers" in named:
        named["transfers"] = tuple(transfer.to_domain() for transfer in named["transfers"] or ())
    if "debtor" in named:
        named["debtor"] = _named_of_debtor(body.debtor)
    for name, default in (("switch_to_expired", False), ("pay_stand_in", True)):
        if name in named and named[name] is None:
            named[name] = default
    changes: Changes = named  # type: ignore[assignment]  # the fields of PatchBody have the types of Changes
    return Amendment(changes, body.iuv, body.occurred_at)


def parse_life_cycle_event(value: object, address: Address, context: ParseContext) -> LifeCycleBody:
    """Return what a declarer says happened; raise InvalidBody."""
    return _read(LifeCycleBody, value, replace(context, number=address.number))


def _named_of_debtor(body: DebtorPatchBody) -> Mapping[str, object]:
    named = {name: getattr(body, name) for name in body.model_fields_set}
    return {**named, "type": DebtorType(named["type"])} if "type" in named else named


Read = TypeVar("Read", bound=Body)

MANY = 2000
"""Broken rules that a body can have without very many unknown fields, with room to spare."""


_UNKNOWN_FIELDS: Mapping[type[Body], UnknownFields] = {
    kind: UnknownFields(kind, ADDED_BY_THE_ARCHIVE) for kind in (NoticeBody, PatchBody, LifeCycleBody)
}


def _read(kind: type[Read], value: object, context: ParseContext) -> Read:
    unknown = _UNKNOWN_FIELDS[kind]
    try:
        return kind.model_validate(value, context=context)
    except ValidationError as error:
        if error.error_count() <= MANY:
            raise InvalidBody(violations=violations_of(error, unknown.explain)) from None
    # So many errors are of unknown fields. Making each of them takes ten times as long as validation.
    return _read(kind, unknown.shortened(value), context)
