"""paCreatePosition ⇄ ours: the wire shape of the primitive that institutions call today, and nothing else.

A position becomes content or changes of a notice, and a notice is shown as GPD shows it. The domain does not know this
shape. Contract: SANP 3.8 to 3.13, paCreatePosition. The differences are in docs/pa-create-position.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared.auth import AccessRequest
from shared.domain.amounts import MAX_AMOUNT, Amount
from shared.domain.callers import Scope
from shared.domain.content import Changes, Content, Debtor, DebtorType
from shared.domain.dates import DueDate, in_rome, parse_instant
from shared.domain.identifiers import Iban, InstitutionCode, Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.lifecycle import Status
from shared.domain.notice import Notice
from shared.errors import (
    ArchiveError,
    InvalidBody,
    InvalidParameter,
    InvalidValue,
    NoIbanRegistered,
    NothingToCancel,
    SegregationCodeNotGranted,
    Violation,
)
from shared.wire import forms
from shared.wire.texts import (
    DebtorText,
    Flag,
    IbanText,
    InstitutionText,
    IuvText,
    ParseContext,
    PostalIbanText,
    Text,
    Visible255,
    in_one_line,
    violation,
)
from shared.wire.violations import violations_of

GPD_STATUS = {
    Status.SCHEDULED: "PUBLISHED",
    Status.ACTIVE: "VALID",
    Status.EXPIRED: "EXPIRED",
    Status.CANCELLED: "INVALID",
    Status.CLOSED: "PAID",
    Status.PAID: "PAID",
    Status.REPORTED: "REPORTED",
}
"""The names that GPD has for our statuses."""

_DATE_TIME = re.compile(
    r"(?P<minute>.{10}[Tt][0-9]{2}:[0-9]{2})(?P<second>:[0-9]{2}(?:\.[0-9]+)?)?(?P<hours>[Zz]|[+-][0-9]{2})(?::?(?P<minutes>[0-9]{2}))?",
    re.ASCII,
)
_AMOUNT = re.compile(r"[0-9]{1,11}", re.ASCII)
_CODE_LIST = re.compile(r"[0-9]{2}(,[0-9]{2})*", re.ASCII)


# The published collection of calls sends fiscal codes and IUVs as JSON numbers, and today's parser takes strings for
# amounts and flags. The producers of texts send line ends and tabs, which XML and a payer's screen cannot show.


def _number_as_text(digits: int) -> BeforeValidator:
    """Take a JSON number for a text of so many digits. A shorter one may have lost its leading zeros."""

    def read(value: object) -> object:
        if type(value) is not int:
            return value
        if len(str(value)) < digits:
            raise violation("wrong_type", "Send it as a string: a number loses its leading zeros")
        return str(value)

    return BeforeValidator(read)


def _text_as_amount(value: object) -> object:
    return int(value) if isinstance(value, str) and _AMOUNT.fullmatch(value) else value


def _text_as_flag(value: object) -> object:
    return value.lower() == "true" if isinstance(value, str) and value.lower() in ("true", "false") else value


def _due_date(text: str) -> DueDate:
    """Accept a date-time with an offset. Seconds, and the colon in the offset, may be missing."""
    match = _DATE_TIME.fullmatch(text)
    if match is None or not (match["minutes"] or match["hours"] in "Zz"):
        raise InvalidValue("date_time", "must be a date-time with an offset, such as 2026-12-16T23:59:59+01:00")
    offset = f"{match['hours']}:{match['minutes']}" if match["minutes"] else match["hours"]
    return DueDate(parse_instant(f"{match['minute']}{match['second'] or ':00'}{offset}"), whole_day=False)


def _of_27(iban: Iban) -> Iban:
    if len(iban) != 27:
        raise violation("iban", "27 characters are expected")
    return iban


class NamedBody(BaseModel):
    """What names the position: read first, for the grant is checked before all the rest."""

    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)

    pa_fiscal_code: Annotated[InstitutionText, _number_as_text(11)]
    """The fiscal code of the institution."""
    iuv: Annotated[IuvText, _number_as_text(17)]
    """The identifier of the payment."""
    nav: Annotated[str, Field(min_length=1, max_length=35), _number_as_text(18)] | None = None
    """The number of the notice. Without it, the IUV gives the number."""

    @property
    def named(self) -> "Named":
        """Return the identity of the position."""
        return Named(self.pa_fiscal_code, self.iuv, NoticeNumber(self.nav) if self.nav is not None else None)


class PositionBody(NamedBody):
    """A position as paCreatePosition states it. Amounts in euro cents, 0 cancels."""

    entity_type: Literal[DebtorType.F, DebtorType.G]
    """F: natural person (persona fisica). G: legal person (persona giuridica)."""
    entity_fiscal_code: Annotated[DebtorText, _number_as_text(11)]
    """The fiscal code of the debtor."""
    entity_full_name: Annotated[Visible255, BeforeValidator(in_one_line)]
    """Name and surname, or company name (anagrafica)."""
    amount: Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT), BeforeValidator(_text_as_amount)]
    """The amount to pay, in euro cents. 0 cancels the position."""
    description: Annotated[Visible255, BeforeValidator(in_one_line)]
    """The reason for the payment (causale)."""
    expiration_date: Annotated[DueDate, Text(_due_date, forms.DATE_TIME)]
    """The due date."""
    iban: Annotated[IbanText, AfterValidator(_of_27)] | None = None
    """The account that receives the money. Without it: the IBAN that the position has, or the registered one."""
    postal_iban: Annotated[PostalIbanText, AfterValidator(_of_27)] | None = None
    """The account of the postal slip (bollettino postale)."""
    switch_to_expired: Annotated[Flag, BeforeValidator(_text_as_flag)] | None = None
    """True: the due date is binding."""
    pay_stand_in: Annotated[Flag, BeforeValidator(_text_as_flag)] | None = None
    """True: it can be paid while the system of the institution is down (Stand-In)."""


@dataclass(frozen=True, slots=True)
class Named:
    """The position that a call is about. `number` is None where only the IUV names it."""

    creditor_institution: InstitutionCode
    iuv: Iuv
    number: NoticeNumber | None

    @property
    def segregation_code(self) -> str | None:
        """Return the code by which the call is granted: the number's, else the first two characters of the IUV."""
        return self.iuv[:2] if self.number is None else self.number.segregation_code


def access_request(value: object, parameters: Mapping[str, str], scope: Scope) -> AccessRequest:
    """Return the access that a call needs. `segregationCodes` can only reduce the granted codes.

    Raises InvalidBody, InvalidParameter, SegregationCodeNotGranted.
    """
    named, codes = _read(NamedBody, value, None).named, parse_segregation_codes(parameters)
    if codes is not None and named.segregation_code not in codes:
        raise SegregationCodeNotGranted(
            "The parameter segregationCodes does not name the code of this number. Add the code, or leave it out."
        )
    return AccessRequest(scope, named.creditor_institution, (named.segregation_code,))


def check_number(number: NoticeNumber, named: Named, *, lenient: bool) -> None:
    """Raise InvalidBody unless the number is valid and the IUV belongs to it. Lenient: any IUV may."""
    try:
        NoticeNumber.parse(number, lenient=lenient)
    except InvalidValue as refusal:
        raise InvalidBody(violations=[_invalid_number(refusal, named)]) from None
    if not lenient and number.iuv != named.iuv:
        raise InvalidBody(violations=[Violation("iuv", "iuv", "The IUV does not belong to the notice number")])


def _invalid_number(refusal: InvalidValue, named: Named) -> Violation:
    """Return the broken rule at the field that the client sent."""
    if named.number is not None:
        return Violation("nav", refusal.code, refusal.message)
    rule = f"no notice has this IUV, and the notice number 3 + IUV of a new one {refusal.message}"
    return Violation("iuv", refusal.code, rule)


def parse_position(value: object, context: ParseContext) -> PositionBody:
    """Return the position of a call. Raises InvalidBody. With amount 0, other fields need the right form only."""
    if isinstance(value, dict) and _text_as_amount(value.get("amount")) == 0:
        context = ParseContext(lenient=True, now=context.now)
    return _read(PositionBody, value, context)


def parse_segregation_codes(parameters: Mapping[str, str]) -> frozenset[str] | None:
    """Return the codes that a call is narrowed to, None where it is not. Raises InvalidParameter."""
    given = parameters.get("segregationCodes")
    if given is None:
        return None
    if not _CODE_LIST.fullmatch(given):
        raise InvalidParameter("segregationCodes is a list of codes of two digits, with commas between them")
    return frozenset(given.split(","))


def refusal(error: ArchiveError) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of a refusal, as the primitive knows them: title, status, detail.

    An unprocessable request is a bad request there, except for a missing IBAN.
    """
    status = 400 if error.status == 422 and not isinstance(error, NoIbanRegistered | NothingToCancel) else error.status
    detail = "; ".join(f"{broken.field}: {broken.message}" for broken in error.violations) or error.detail
    return status, {"title": error.title, "status": status, "detail": detail}


def content(body: PositionBody) -> Content:
    """Return the content of a notice that the call creates."""
    return Content(
        amount=Amount(body.amount),
        description=body.description,
        due_date=body.expiration_date,
        debtor=_debtor(body),
        iban=body.iban,
        postal_iban=body.postal_iban,
        switch_to_expired=bool(body.switch_to_expired),
        pay_stand_in=body.pay_stand_in is not False,
    )


def changes(body: PositionBody) -> Changes:
    """Return the changes of a known notice. Fields that the call does not mention stay, and transfers are dropped."""
    named: dict[str, Any] = {
        "amount": Amount(body.amount),
        "description": body.description,
        "due_date": body.expiration_date,
        "debtor": {
            "type": DebtorType(body.entity_type),
            "fiscal_code": body.entity_fiscal_code,
            "full_name": body.entity_full_name,
        },
        "transfers": (),
    }
    if body.iban is not None:
        named["iban"] = body.iban
    if body.postal_iban is not None:
        named["postal_iban"] = body.postal_iban
    if body.switch_to_expired is not None:
        named["switch_to_expired"] = body.switch_to_expired
    if body.pay_stand_in is not None:
        named["pay_stand_in"] = body.pay_stand_in
    return named


def position(notice: Notice, institution: CreditorInstitution, now: datetime) -> dict[str, Any]:
    """Return the position as the primitive answers it: without nulls, the due date as local time in Rome."""
    said = notice.content
    assert said is not None, "only a communicated notice is shown"
    shown = {
        "paFiscalCode": institution.fiscal_code,
        "companyName": said.company_name or institution.name,
        "entityType": said.debtor.type,
        "entityFiscalCode": said.debtor.fiscal_code,
        "entityFullName": said.debtor.full_name,
        "iuv": notice.iuv,
        "nav": notice.address.number,
        "amount": said.amount,
        "description": said.description,
        "expirationDate": in_rome(said.due_date.instant).replace(tzinfo=None).isoformat(timespec="seconds"),
        "iban": said.iban,
        "postalIban": said.postal_iban,
        "switchToExpired": said.switch_to_expired,
        "status": GPD_STATUS[notice.status_at(now)],
    }
    return {name: value for name, value in shown.items() if value is not None}


def _debtor(body: PositionBody) -> Debtor:
    return Debtor(DebtorType(body.entity_type), body.entity_fiscal_code, body.entity_full_name)


Read = TypeVar("Read", bound=NamedBody)


def _read(kind: type[Read], value: object, context: ParseContext | None) -> Read:
    try:
        return kind.model_validate(value, context=context)
    except ValidationError as error:
        raise InvalidBody(violations=violations_of(error)) from None
