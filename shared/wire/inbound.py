"""Parses inbound events: CloudEvents in JSON → domain. The docstring under a field is its description in the contract.

A producer may add attributes and fields, which are ignored. Line ends and tabs in texts are read as blanks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared.cloudevents import PREFIX, VERSION
from shared.domain.amounts import MAX_AMOUNT
from shared.domain.content import MAX_TRANSFERS
from shared.domain.dates import parse_day, parse_instant
from shared.domain.declarations import Publication
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.money import OutcomeCode, Payment, Settlement
from shared.domain.notice import Address
from shared.domain.texts import parse_text
from shared.errors import InvalidBody, InvalidEncoding, InvalidJson, InvalidNoticeNumber, InvalidValue, Violation
from shared.wire import forms
from shared.wire.headers import parse_traceparent
from shared.wire.parsing import parse_json, parse_notice
from shared.wire.texts import (
    AHEAD,
    Cents,
    Flag,
    InstitutionText,
    IuvText,
    ParseContext,
    Text,
    in_one_line,
    parse_number,
    violation,
)
from shared.wire.violations import BODY, violations_of

MAX_BODY = 200_000
"""Bytes of an event, at most."""
SHOWN = 20
"""Broken rules that a description names, at most."""
DATA = "data"


class InboundType(StrEnum):
    """The name of an inbound event in its CloudEvents type."""

    PUBLISH = "publish"
    PAID = "paid"
    REPORTED = "reported"
    CANCEL = "cancel"
    CLOSE = "close"

    @property
    def cloud_event_type(self) -> str:
        """Return the CloudEvents type."""
        return f"{PREFIX}{self}{VERSION}"


_TYPES = {each.cloud_event_type: each for each in InboundType}
_OTHER_VERSION = re.compile(rf"{re.escape(PREFIX)}({'|'.join(InboundType)})\.v[0-9]+")

REASONS = {
    "malformed": "The body is not a CloudEvent in JSON, or an attribute is missing or of the wrong type.",
    "unknown_type": "The archive takes no events of this type.",
    "unsupported_version": "The archive takes events of this type, but not this version of it.",
    "invalid_data": "A field of `data` breaks a rule, or `time` of a `publish`, `cancel` or `close` is more than 5"
    " minutes ahead.",
    "address_mismatch": "`subject` and `data` do not name the same notice.",
    "unknown_institution": "The institution is not registered.",
}
"""Why an event can never be applied. Another reason is the code of the error with which the life cycle refuses it."""


class Rejected(Exception):
    """The event can never be applied. `reason` is a word for programs, `description` names fields and rules."""

    def __init__(self, reason: str, description: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = description


def _with_offset(text: str) -> datetime:
    if not _OFFSET.search(text):
        raise InvalidValue("date_time", "must be a date-time with an offset, such as 2026-11-23T11:15:29+01:00")
    return parse_instant(text)


def _outcome(code: int) -> OutcomeCode:
    if code not in [*OutcomeCode]:
        raise violation("not_allowed", f"One of {', '.join(str(int(each)) for each in OutcomeCode)}")
    return OutcomeCode(code)


_OFFSET = re.compile("([Zz]|[+-][0-9]{2}:[0-9]{2})$")
_ONE_LINE = BeforeValidator(in_one_line)
_SHORT: Any = {"json_schema_extra": {"pattern": forms.TEXT}}
Instant = Annotated[datetime, Text(_with_offset, forms.DATE_TIME_WITH_OFFSET)]
Day = Annotated[date, Text(parse_day, forms.DAY)]
Word35 = Annotated[str, Field(min_length=1, max_length=35, **_SHORT), AfterValidator(parse_text), _ONE_LINE]
Word64 = Annotated[str, Field(min_length=1, max_length=64, **_SHORT), AfterValidator(parse_text), _ONE_LINE]
Word70 = Annotated[str, Field(min_length=1, max_length=70, **_SHORT), AfterValidator(parse_text), _ONE_LINE]
Word120 = Annotated[str, Field(min_length=1, max_length=120, **_SHORT), AfterValidator(parse_text)]
Word255 = Annotated[str, Field(min_length=1, max_length=255, **_SHORT), AfterValidator(parse_text), _ONE_LINE]
UriReference = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$")]
NumberOfAnyForm = Annotated[NoticeNumber, Text(lambda text: NoticeNumber.parse(text, lenient=True), forms.NUMBER)]


class InboundBody(BaseModel):
    """A JSON object with these fields. Others are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel, defer_build=True)


class EnvelopeBody(BaseModel):
    """An event in the form of CloudEvents 1.0, structured JSON."""

    model_config = ConfigDict(strict=True, extra="ignore")

    specversion: Literal["1.0"]
    """The version of CloudEvents."""
    id: Word120
    """The producer's id of the fact, unique among all producers: begin it with the name of your system. It is also the
    id of the AMQP message. Send the same id when you repeat. The history of the notice keeps it as the cause."""
    source: UriReference
    """The system that says so, such as /gpd, /nodo/receipts or /fdr."""
    type: Annotated[str, Field(min_length=1)]
    """The type of the event, with its version."""
    subject: Annotated[str, Field(min_length=1)]
    """The notice: the code of the institution, a slash, the notice number."""
    time: Instant
    """When it happened at the producer. For a declaration (`publish`, `cancel`, `close`) this is when it was decided.
    An older declaration changes nothing. One that is more than 5 minutes ahead is rejected."""
    datacontenttype: Annotated[str, Field(pattern="^application/json")] | None = None
    """application/json, if it is there."""
    traceparent: str | None = None
    """The W3C trace context of the producer."""
    data: dict[str, Any]
    """What happened."""


class AddressBody(InboundBody):
    """Names the notice."""

    creditor_institution: InstitutionText
    """The institution that issued the notice."""
    notice_number: NumberOfAnyForm
    """The number of the notice (numero avviso)."""


class PublishBody(AddressBody):
    """A position of GPD: the whole notice."""

    notice: dict[str, Any]
    """The notice, as in the body of PUT."""


class PaidBody(AddressBody):
    """A receipt (paSendRT with outcome OK)."""

    receipt_id: Word64
    """The identity of the payment (receiptId)."""
    amount: Cents
    """The amount that was paid, in euro cents. It may differ from that of the notice."""
    paid_at: Instant
    """When it was paid (paymentDateTime). When the receipt came, if it does not say."""
    stand_in: Flag | None = None
    """True: it was paid while the archive answered for the institution. Default false."""
    psp_id: Word35
    """The PSP that took the money (idPSP)."""
    psp_name: Word70 | None = None
    """The name of the PSP (PSPCompanyName)."""
    payment_method: Word35 | None = None
    """The payment method (paymentMethod)."""
    fee: Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT)] | None = None
    """The fee that the debtor paid to the PSP, in euro cents."""
    iuv: IuvText | None = None
    """The IUV of the notice (creditorReferenceId)."""


class ReportedBody(AddressBody):
    """A line of a settlement flow (flusso di rendicontazione, SACI 3.2)."""

    flow_id: Word35
    """The flow (identificativoFlusso)."""
    transfer_id: Annotated[int, Field(strict=True, ge=1, le=MAX_TRANSFERS)] | None = None
    """The transfer that is settled (indiceDatiSingoloPagamento). Default 1."""
    amount: Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT)]
    """The amount of the line, in euro cents (singoloImportoPagato)."""
    outcome_code: Annotated[int, Field(strict=True), AfterValidator(_outcome)]
    """0 paid, 3 revoked, 4 Stand-In, 8 Stand-In without RPT, 9 without RPT (codiceEsitoSingoloPagamento). RPT is the
    payment request of the institution (richiesta di pagamento telematico)."""
    payment_date: Day
    """The day of the payment (dataEsitoSingoloPagamento)."""
    settlement_date: Day | None = None
    """The day of the settlement (dataRegolamento)."""
    receipt_id: Word35 | None = None
    """The receipt (identificativoUnivocoRiscossione)."""
    psp_id: Word35 | None = None
    """The PSP that took the money (istitutoMittente)."""


class DeclaredBody(AddressBody):
    """A cancellation, or a closure: the debt was paid outside pagoPA."""

    reason: Word255 | None = None
    """The reason, as text without personal data. The history of the notice keeps it."""


BODIES: dict[InboundType, type[AddressBody]] = {
    InboundType.PUBLISH: PublishBody,
    InboundType.PAID: PaidBody,
    InboundType.REPORTED: ReportedBody,
    InboundType.CANCEL: DeclaredBody,
    InboundType.CLOSE: DeclaredBody,
}
"""The `data` of each type."""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """An inbound event whose envelope and address are right. Its data are not parsed yet."""

    type: InboundType
    id: str
    source: str
    time: datetime
    traceparent: str | None
    address: Address
    data: dict[str, Any]

    def check_form(self) -> None:
        """Raise Rejected unless the data have the form of their type."""
        _parsed(BODIES[self.type], self.data, DATA)

    def payment(self) -> tuple[Payment, Iuv | None]:
        """Return the receipt, and the IUV if it is named. Raises Rejected."""
        body = _parsed(PaidBody, self.data, DATA)
        return Payment(**{"stand_in": False, **_given(Payment, body)}), body.iuv

    def settlement(self) -> Settlement:
        """Return the settlement line. Raises Rejected."""
        body = _parsed(ReportedBody, self.data, DATA)
        return Settlement(**{"transfer_id": 1, **_given(Settlement, body)})

    def publication(self, context: ParseContext) -> Publication:
        """Return the whole notice, as PUT parses it. Raises Rejected."""
        self.check_declaration(context)
        body = _parsed(PublishBody, self.data, DATA)
        try:
            return parse_notice(in_one_line(body.notice), self.address, context)[0]
        except InvalidBody as refusal:
            raise _invalid(refusal.violations, f"{DATA}.notice") from None

    def reason(self, context: ParseContext) -> str | None:
        """Return the reason of a cancellation or closure, if it is given. Raises Rejected."""
        self.check_declaration(context)
        return _parsed(DeclaredBody, self.data, DATA).reason

    def check_declaration(self, context: ParseContext) -> None:
        """Raise Rejected unless the number is one of the institution, and the time is not ahead of ours."""
        try:
            parse_number(self.address.number, context)
        except InvalidNoticeNumber as refusal:
            raise _invalid(refusal.violations, DATA) from None
        if self.time > context.now + AHEAD:
            raise Rejected("invalid_data", "time: must be at most 5 minutes ahead of the archive's clock")


def parse_event(body: bytes) -> InboundEvent:
    """Return the event of a message. Raises Rejected."""
    if len(body) > MAX_BODY:
        raise Rejected("malformed", f"The body has more than {MAX_BODY:,} bytes.")
    try:
        value = parse_json(body)
    except (InvalidJson, InvalidEncoding) as refusal:
        raise Rejected("malformed", refusal.detail) from None
    envelope = _parsed(EnvelopeBody, value, "", "malformed")
    type_ = _TYPES.get(envelope.type)
    if type_ is None:
        reason = "unsupported_version" if _OTHER_VERSION.fullmatch(envelope.type) else "unknown_type"
        raise Rejected(reason, f"type: must be one of {', '.join(_TYPES)}")
    named = _parsed(AddressBody, envelope.data, DATA)
    address = Address(InstitutionCode(named.creditor_institution), NoticeNumber(named.notice_number))
    if envelope.subject != f"{address.creditor_institution}/{address.number}":
        raise Rejected("address_mismatch", "subject: must be data.creditorInstitution, a slash and data.noticeNumber")
    trace = parse_traceparent(envelope.traceparent)
    return InboundEvent(type_, envelope.id, envelope.source, envelope.time, trace, address, envelope.data)


Body = TypeVar("Body", bound=BaseModel)


def _parsed(kind: type[Body], value: object, where: str, reason: str = "invalid_data") -> Body:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _invalid(violations_of(error), where, reason) from None


def _given(kind: type[Payment | Settlement], body: AddressBody) -> dict[str, Any]:
    """Return the fields of a fact that a body has, without those that are null."""
    values = vars(body)
    return {one.name: values[one.name] for one in fields(kind) if values[one.name] is not None}


def _invalid(violations: Sequence[Violation], where: str, reason: str = "invalid_data") -> Rejected:
    """Return a rejection that names each field and its rule, never a value."""
    paths = [(_path(where, broken.field), broken.message) for broken in violations[:SHOWN]]
    return Rejected(reason, ". ".join(f"{path}: {message}" for path, message in paths))


def _path(where: str, field: str) -> str:
    if field == BODY:
        return where or "the body"
    return f"{where}.{field}" if where else field
