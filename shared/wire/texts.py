"""The types of fields for pydantic. Each has the parser of the domain, whose InvalidValue becomes a violation."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.config import JsonDict
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from shared.domain.amounts import MAX_AMOUNT, MIN_AMOUNT, Amount
from shared.domain.dates import DueDate, ValidFrom, parse_instant
from shared.domain.identifiers import DebtorCode, Iban, InstitutionCode, Iuv, NoticeNumber
from shared.domain.texts import parse_text, parse_visible_text
from shared.errors import InvalidNoticeNumber, InvalidValue, Violation
from shared.wire import forms
from shared.wire.forms import Form

AHEAD = timedelta(minutes=5)
"""How far the clock of a declarer may be ahead of ours."""
_LINE_ENDS_AND_TABS = re.compile(r"[\t\n\r]+")


class ParseContext(NamedTuple):
    """What parsing depends on: leniency, the time, the notice number of the URL."""

    lenient: bool
    now: datetime
    number: NoticeNumber | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON string that a parser of the domain turns into a value."""

    parse: Callable[[str], object]
    form: Form = field(hash=False)
    """The form of the text in the contract."""
    lenient: Callable[[str], object] | None = None
    """The parser for lenient institutions, where there is another."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strict=True)
        if self.lenient is None:
            return core_schema.no_info_after_validator_function(self.parse, text)
        return core_schema.with_info_after_validator_function(self._read, text)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.form)

    def _read(self, text: str, info: core_schema.ValidationInfo[ParseContext | None]) -> object:
        parse = self.lenient if info.context is not None and info.context.lenient else self.parse
        assert parse is not None, "only a text with a parser for lenient institutions comes here"
        return parse(text)


def violation(code: str, message: str) -> PydanticCustomError:
    """Return a broken rule, for pydantic to collect with the others."""
    # The texts are ours: they hold no braces, which pydantic would take for a template.
    return PydanticCustomError(code, message)


def all_of(broken: list[PydanticCustomError]) -> ValidationError:
    """Return several broken rules of one field, for pydantic to collect each of them."""
    return ValidationError.from_exception_data("", [InitErrorDetails(type=error, input=None) for error in broken])


def in_one_line(value: object) -> object:
    """Return a JSON value with one blank in place of each run of line ends and tabs, in all its texts.

    The producers of old texts send them. XML and a payer's screen cannot show them.
    """
    match value:
        case str():
            return _LINE_ENDS_AND_TABS.sub(" ", value)
        case list():
            return [in_one_line(item) for item in value]
        case dict():
            return {in_one_line(name): in_one_line(item) for name, item in value.items()}
        case _:
            return value


def parse_number(text: str, context: ParseContext) -> NoticeNumber:
    """Return the notice number that an address names. Raises InvalidNoticeNumber."""
    try:
        return NoticeNumber.parse(text, lenient=context.lenient)
    except InvalidValue as refusal:
        violations = [Violation("noticeNumber", refusal.code, refusal.message)]
        raise InvalidNoticeNumber(violations=violations) from None


def _not_ahead(at: datetime, info: core_schema.ValidationInfo[ParseContext]) -> datetime:
    if at > info.context.now + AHEAD:
        raise InvalidValue("occurred_at_ahead", "must be at most 5 minutes ahead of the archive's clock")
    return at


_TEXT: JsonDict = {"pattern": forms.TEXT}
_VISIBLE: JsonDict = {"pattern": forms.VISIBLE_TEXT}
Words50 = Annotated[str, Field(min_length=1, max_length=50, json_schema_extra=_TEXT), AfterValidator(parse_text)]
Words72 = Annotated[str, Field(min_length=1, max_length=72, json_schema_extra=_TEXT), AfterValidator(parse_text)]
Words140 = Annotated[str, Field(min_length=1, max_length=140, json_schema_extra=_TEXT), AfterValidator(parse_text)]
Words255 = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_TEXT), AfterValidator(parse_text)]
Visible140 = Annotated[
    str, Field(min_length=1, max_length=140, json_schema_extra=_VISIBLE), AfterValidator(parse_visible_text)
]
Visible255 = Annotated[
    str, Field(min_length=1, max_length=255, json_schema_extra=_VISIBLE), AfterValidator(parse_visible_text)
]
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
