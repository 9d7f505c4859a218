"""The bodies of requests, field by field. The docstring under a field is its description in the contract."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from shared.domain.content import (
    ADDS_UP,
    MAX_METADATA,
    MAX_TRANSFERS,
    ONE_WAY,
    STARTS_IN_TIME,
    DebtorType,
    adds_up,
    starts_in_time,
)
from shared.domain.dates import ValidFrom
from shared.domain.identifiers import Iban, Iuv, NoticeNumber
from shared.domain.lifecycle import EventType, StateEvent
from shared.errors import InvalidValue
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
    """A JSON object with these fields and no other. Names are camelCase, and no type is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, defer_build=True)


DebtorKind = Literal[DebtorType.F, DebtorType.G]


class DebtorBody(Body):
    """Who owes. `fiscalCode`: 16 characters, 11 digits, or ANONIMO."""

    type: DebtorKind
    """F: natural person (persona fisica). G: legal person (persona giuridica)."""
    fiscal_code: DebtorText
    full_name: Visible255
    """Name and surname, or company name (anagrafica)."""


class StampBody(Body):
    """A digital revenue stamp."""

    hash_document: Words72
    """Digest of the stamped document (impronta del documento)."""
    stamp_type: Annotated[str, Field(pattern="^[A-Za-z0-9]{2}$")]
    """Kind of stamp (tipo bollo)."""
    provincial_residence: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    """Province of residence of the debtor (provincia di residenza), two letters."""


class TransferBody(Body):
    """A part of the amount and where it goes: to an IBAN, or into a stamp."""

    id: Annotated[int, Field(strict=True, ge=1, le=MAX_TRANSFERS)]
    """Its number in the notice."""
    amount: Cents
    """Its part of the amount, in euro cents."""
    creditor_institution: InstitutionText
    """The institution that receives the money. It need not be registered."""
    iban: IbanText | None = None
    """The account that receives the money. A transfer has an IBAN or a stamp."""
    stamp: StampBody | None = Field(default=None, validate_default=True)
    """The stamp (marca da bollo digitale). A transfer has an IBAN or a stamp."""
    postal_iban: PostalIbanText | None = None
    """The account of the postal slip."""
    remittance_information: Visible140
    """The reason for the transfer (causale del versamento)."""
    category: Words140
    """The kind of income (codice tassonomico)."""
    metadata: Metadata | None = None
    """Data of the institution, kept with it: up to 10 texts by name."""

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


class NoticeBody(Body):
    """A whole notice. Null means the default, as if the field were not there."""

    amount: Cents
    """The amount to pay, in euro cents (importo)."""
    description: Visible255
    """The reason for the payment (causale)."""
    due_date: DueDateText
    """The due date (data di scadenza). A day counts as a whole."""
    debtor: DebtorBody
    """The debtor (soggetto debitore)."""
    iban: IbanText | None = None
    """The account that receives the money. Without transfers, a missing or null `iban` means the registered IBAN of the
    institution (label ACA)."""
    postal_iban: PostalIbanText | None = None
    """The account of the postal slip (bollettino postale)."""
    valid_from: ValidFromText | None = None
    """The first moment at which it can be paid (inizio validità), before `dueDate`. Null: from now on."""
    switch_to_expired: Flag | None = None
    """True: the due date is binding. After it, the notice is EXPIRED and cannot be paid. Default false."""
    pay_stand_in: Flag | None = None
    """True: it can be paid while the system of the institution is down (Stand-In). Default true."""
    transfers: Annotated[list[TransferBody], Field(max_length=MAX_TRANSFERS)] | None = None
    """The parts of the amount (versamenti), instead of `iban` and `postalIban`. The ids differ, and the amounts add up
    to the amount of the notice. Empty: the whole amount goes to the institution."""
    iupd: Words50 | None = None
    """The institution's identifier of the debt position (IUPD)."""
    company_name: Visible140 | None = None
    """The name of the institution, as the notice shows it (ente creditore)."""
    office_name: Visible140 | None = None
    """The office that issued it (unità operativa)."""
    metadata: Metadata | None = None
    """Data of the institution, kept with it: up to 10 texts by name."""
    iuv: IuvText | None = None
    """Leave it out: it follows from the notice number. A different IUV is refused."""
    occurred_at: OccurredAtText | None = None
    """When the institution decided this, at most 5 minutes ahead. Default: now. A declaration that is older than a
    stored one is refused."""

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


NOT_NAMED: Any = None
"""The default of a field that may be left out, but not null."""


class DebtorPatchBody(DebtorBody):
    """The fields of the debtor that change."""

    type: DebtorKind = NOT_NAMED
    fiscal_code: DebtorText = NOT_NAMED
    full_name: Visible255 = NOT_NAMED


class PatchBody(NoticeBody):
    """The fields of a notice that change (JSON merge patch, RFC 7396). The others stay."""

    amount: Cents = NOT_NAMED
    description: Visible255 = NOT_NAMED
    due_date: DueDateText = NOT_NAMED
    debtor: DebtorPatchBody = NOT_NAMED  # type: ignore[mutable-override]  # a part of it, merged key by key
    metadata: (
        Annotated[dict[Words140, Words140 | None], Field(max_length=MAX_PATCHED_METADATA), BeforeValidator(_few)] | None
    ) = None  # type: ignore[assignment]


class LifeCycleBody(Body):
    """An event that the institution declares."""

    type: StateEvent
    """cancelled: the debt no longer exists (annullato). closed: it was paid outside pagoPA. restored: the cancellation
    or closure was a mistake."""
    reason: Words255 | None = None
    """The reason, as text. It appears in the history."""
    replaced_by: NumberText | None = None
    """The notice that replaces the cancelled one."""
    occurred_at: OccurredAtText | None = None
    """When the institution decided this, at most 5 minutes ahead. Default: now. A declaration that is older than a
    stored one is refused."""

    @field_validator("replaced_by")
    @classmethod
    def _by_another(cls, number: NoticeNumber | None, info: ValidationInfo[ParseContext]) -> NoticeNumber | None:
        if number is not None and info.data.get("type", EventType.CANCELLED) is not EventType.CANCELLED:
            raise violation("replaced_by_not_cancelled", "Only a cancelled notice is replaced")
        if number is not None and number == info.context.number:
            raise violation("replaced_by_itself", "replacedBy must be the number of another notice")
        return number
