"""How pydantic reads the values of the domain: each by its own parser, whose refusal becomes a violation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.config import JsonDict
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from shared.domain.amounts import MAX_AMOUNT, MIN_AMOUNT, Amount
from shared.domain.dates import DueDate, ValidFrom, parse_instant
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode, Iuv, NoticeNumber
from shared.errors import InvalidNoticeNumber, InvalidValue, Violation
from shared.wire import forms
from shared.wire.forms import Form

AHEAD = timedelta(minutes=5)
"""How far the clock of a declarer may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Reading:
    """For whom and when something is read: is the institution lenient, what time is it, which notice is it about."""

    lenient: bool
    now: datetime
    number: NoticeNumber | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON string that a parser of the domain turns into a value."""

    parse: Callable[[str], object]
    form: Form = field(hash=False)
    """What the contract says of the text."""
    lenient: Callable[[str], object] | None = None
    """The parser for lenient institutions, where there is another."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._read, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.form)

    def _read(self, text: str, info: core_schema.ValidationInfo[Reading | None]) -> object:
        lenient = self.lenient if info.context is not None and info.context.lenient else None
        return refuse_as_violation(lenient or self.parse, text)


def refuse_as_violation(parse: Callable[[str], object], text: str) -> object:
    """Return what the parser makes of the text; its refusal becomes an error that pydantic collects."""
    try:
        return parse(text)
    except InvalidValue as refusal:
        raise violation(refusal.code, refusal.message) from None


def violation(code: str, message: str) -> PydanticCustomError:
    """Return a broken rule, for pydantic to collect with the others."""
    # The texts are ours: they hold no braces, which pydantic would take for a template.
    return PydanticCustomError(code, message)


def all_of(broken: list[PydanticCustomError]) -> ValidationError:
    """Return several broken rules of one field, for pydantic to collect each of them."""
    return ValidationError.from_exception_data("", [InitErrorDetails(type=error, input=None) for error in broken])


def parse_number(text: str, reading: Reading) -> NoticeNumber:
    """Return the notice number that an address names; raise InvalidNoticeNumber."""
    try:
        return NoticeNumber.parse(text, lenient=reading.lenient)
    except InvalidValue as refusal:
        violations = [Violation("noticeNumber", refusal.code, refusal.message)]
        raise InvalidNoticeNumber(violations=violations) from None


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise violation("nul_character", "The character NUL is not allowed")
    return text


def _not_ahead(at: datetime, info: core_schema.ValidationInfo[Reading]) -> datetime:
    if at > info.context.now + AHEAD:
        raise violation("occurred_at_ahead", "occurredAt lies more than 5 minutes ahead of the archive's clock")
    return at


_NO_NUL: JsonDict = {"pattern": "^[^\\u0000]*$"}
Words50 = Annotated[str, Field(min_length=1, max_length=50, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Words72 = Annotated[str, Field(min_length=1, max_length=72, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Words140 = Annotated[str, Field(min_length=1, max_length=140, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Words255 = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Flag = Annotated[bool, Field(strict=True)]
Cents = Annotated[Amount, Field(strict=True, ge=MIN_AMOUNT, le=MAX_AMOUNT)]
InstitutionText = Annotated[InstitutionCode, Text(InstitutionCode.parse, forms.INSTITUTION)]
NumberText = Annotated[
    NoticeNumber, Text(NoticeNumber.parse, forms.NUMBER, lambda text: NoticeNumber.parse(text, lenient=True))
]
IuvText = Annotated[Iuv, Text(Iuv.parse, forms.IUV)]
DebtorText = Annotated[
    DebtorCode, Text(DebtorCode.parse, forms.DEBTOR, lambda text: DebtorCode.parse(text, lenient=True))
]
IbanText = Annotated[Iban, Text(Iban.parse, forms.IBAN, lambda text: Iban.parse(text, lenient=True))]
PostalIbanText = Annotated[
    Iban, Text(Iban.parse_postal, forms.POSTAL_IBAN, lambda text: Iban.parse_postal(text, lenient=True))
]
DueDateText = Annotated[DueDate, Text(DueDate.parse, forms.DAY_OR_DATE_TIME)]
ValidFromText = Annotated[ValidFrom, Text(ValidFrom.parse, forms.DAY_OR_DATE_TIME)]
OccurredAtText = Annotated[datetime, Text(parse_instant, forms.DATE_TIME), AfterValidator(_not_ahead)]
