"""The body of a publication, as models of pydantic with field validators."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from unicodedata import category

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from bench.peer import identifiers
from bench.peer.dates import end_of, parse_instant, parse_moment, show, start_of

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_SET_BY_THE_ARCHIVE = frozenset(
    {
        "creditorInstitution", "noticeNumber", "origin", "status", "version", "publishedAt", "updatedAt", "ibanSource",
        "payments", "settlements", "endReason", "replacedBy", "anomalies",
    }
)  # fmt: skip

Text50 = Annotated[str, Field(min_length=1, max_length=50)]
Text72 = Annotated[str, Field(min_length=1, max_length=72)]
Text140 = Annotated[str, Field(min_length=1, max_length=140)]
Text255 = Annotated[str, Field(min_length=1, max_length=255)]
Cents = Annotated[int, Field(ge=1, le=99_999_999_999)]
Metadata = Annotated[dict[Text140, Text140], Field(max_length=10)]


@dataclass(frozen=True, slots=True)
class Context:
    """What validation depends on beside the body."""

    number: str
    now: datetime
    lenient: bool = False


def is_lenient(info: ValidationInfo[Context]) -> bool:
    """Return whether the institution of the notice is lenient."""
    return info.context.lenient


def one_line(text: str) -> str:
    """Accept a text of one line."""
    if _CONTROL.search(text):
        raise ValueError("must be one line without control characters")
    return text


def visible(text: str) -> str:
    """Accept a text of one line that shows something."""
    one_line(text)
    if not any(category(character)[0] in "LNPS" and character not in _BLANKS for character in text):
        raise ValueError("must have at least one visible character")
    return text


class Model(BaseModel):
    """A JSON object with these fields and no other."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class WithMetadata(Model):
    """Data of the institution, up to 10 texts by name."""

    metadata: Metadata = Field(default_factory=dict)

    @field_validator("metadata", mode="before")
    @classmethod
    def _null_is_empty(cls, metadata: Any) -> Any:
        return {} if metadata is None else metadata

    @field_validator("metadata")
    @classmethod
    def _lines(cls, metadata: dict[str, str]) -> dict[str, str]:
        for name, text in metadata.items():
            one_line(name)
            one_line(text)
        return metadata


class Debtor(Model):
    """Who owes."""

    type: Literal["F", "G"]
    fiscal_code: str
    full_name: Text255

    @field_validator("fiscal_code")
    @classmethod
    def _code(cls, text: str, info: ValidationInfo[Context]) -> str:
        return identifiers.debtor_code(text, lenient=is_lenient(info))

    @field_validator("full_name")
    @classmethod
    def _name(cls, text: str) -> str:
        return visible(text)


class Stamp(Model):
    """A digital revenue stamp."""

    hash_document: Text72
    stamp_type: Annotated[str, Field(pattern="^[A-Za-z0-9]{2}$")]
    provincial_residence: Annotated[str, Field(pattern="^[A-Z]{2}$")]

    @field_validator("hash_document")
    @classmethod
    def _line(cls, text: str) -> str:
        return one_line(text)


class Transfer(WithMetadata):
    """A part of the amount: to an IBAN, or into a stamp."""

    id: Annotated[int, Field(ge=1, le=5)]
    amount: Cents
    creditor_institution: str
    iban: str | None = None
    stamp: Stamp | None = None
    postal_iban: str | None = None
    remittance_information: Text140
    category: Text140

    @field_validator("creditor_institution")
    @classmethod
    def _institution(cls, text: str) -> str:
        return identifiers.institution_code(text)

    @field_validator("iban")
    @classmethod
    def _iban(cls, text: str | None, info: ValidationInfo[Context]) -> str | None:
        return None if text is None else identifiers.iban(text, lenient=is_lenient(info))

    @field_validator("postal_iban")
    @classmethod
    def _postal_iban(cls, text: str | None, info: ValidationInfo[Context]) -> str | None:
        return None if text is None else identifiers.postal_iban(text, lenient=is_lenient(info))

    @field_validator("remittance_information")
    @classmethod
    def _reason(cls, text: str) -> str:
        return visible(text)

    @field_validator("category")
    @classmethod
    def _line(cls, text: str) -> str:
        return one_line(text)

    @model_validator(mode="after")
    def _iban_or_stamp(self) -> Self:
        if (self.iban is None) == (self.stamp is None):
            raise ValueError("a transfer has either an IBAN or a stamp")
        if self.stamp is not None and self.postal_iban is not None:
            raise ValueError("a stamp has no postal IBAN")
        return self


class Notice(WithMetadata):
    """A whole notice."""

    amount: Cents
    description: Text255
    due_date: date | datetime
    debtor: Debtor
    iban: str | None = None
    postal_iban: str | None = None
    valid_from: date | datetime | None = None
    switch_to_expired: bool = False
    pay_stand_in: bool = True
    transfers: Annotated[list[Transfer], Field(max_length=5)] = Field(default_factory=list)
    iupd: Text50 | None = None
    company_name: Text140 | None = None
    office_name: Text140 | None = None
    iuv: str | None = None
    occurred_at: datetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_fields_of_answers(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if name not in _SET_BY_THE_ARCHIVE}

    @field_validator("switch_to_expired", "pay_stand_in", "transfers", mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any, info: ValidationInfo[Context]) -> Any:
        if value is not None:
            return value
        assert info.field_name is not None
        return cls.model_fields[info.field_name].get_default(call_default_factory=True)

    @field_validator("due_date", "valid_from", mode="before")
    @classmethod
    def _moment(cls, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError("must be a string")
        return parse_moment(value)

    @field_validator("occurred_at", mode="before")
    @classmethod
    def _instant(cls, value: Any, info: ValidationInfo[Context]) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError("must be a string")
        at = parse_instant(value)
        if at > info.context.now + timedelta(minutes=5):
            raise ValueError("must be at most 5 minutes ahead")
        return at

    @field_validator("iban")
    @classmethod
    def _iban(cls, text: str | None, info: ValidationInfo[Context]) -> str | None:
        return None if text is None else identifiers.iban(text, lenient=is_lenient(info))

    @field_validator("postal_iban")
    @classmethod
    def _postal_iban(cls, text: str | None, info: ValidationInfo[Context]) -> str | None:
        return None if text is None else identifiers.postal_iban(text, lenient=is_lenient(info))

    @field_validator("description", "company_name", "office_name")
    @classmethod
    def _visible(cls, text: str | None) -> str | None:
        return None if text is None else visible(text)

    @field_validator("iupd")
    @classmethod
    def _line(cls, text: str | None) -> str | None:
        return None if text is None else one_line(text)

    @field_validator("iuv")
    @classmethod
    def _iuv(cls, text: str | None, info: ValidationInfo[Context]) -> str | None:
        if text is None:
            return None
        identifiers.iuv(text)
        if not is_lenient(info) and text != identifiers.iuv_of(info.context.number):
            raise ValueError("must be the IUV that the notice number contains")
        return text

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.valid_from is not None and start_of(self.valid_from) >= end_of(self.due_date):
            raise ValueError("validFrom must come before dueDate")
        if self.transfers:
            if self.iban is not None or self.postal_iban is not None:
                raise ValueError("a notice has transfers or an IBAN of its own, not both")
            if sum(transfer.amount for transfer in self.transfers) != self.amount:
                raise ValueError("the amounts of the transfers must add up to the amount")
            if len({transfer.id for transfer in self.transfers}) < len(self.transfers):
                raise ValueError("the ids of the transfers must differ")
        return self

    @field_serializer("due_date", "valid_from")
    def _show(self, moment: date | datetime | None) -> str | None:
        return None if moment is None else show(moment)

    def content(self) -> dict[str, Any]:
        """Return the content of the notice as JSON, as it is shown. A transfer shows only the fields it has."""
        shown = self.model_dump(by_alias=True, exclude={"iuv", "occurred_at", "transfers"})
        shown["transfers"] = [one.model_dump(by_alias=True, exclude_none=True) for one in self.transfers]
        return shown
