"""Reads what operators type, and tells every fault at once."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, cast

from ops.outcome import ExitCode, Stop
from shared.domain.callers import EVERY, Scope
from shared.domain.dates import DueDate, ValidFrom, parse_day
from shared.domain.events import Role
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, Exclusion, RegisteredIban

Value = TypeVar("Value")

ROLES = (Role.CREDITOR_INSTITUTION, Role.BROKER, Role.PLATFORM)
"""On whose behalf programs call; operators work here, and the archive calls nobody."""

NONE = "none"
"""What takes a date away."""


class Faults:
    """Collects what is wrong with a command; leaving the `with` tells it, so what was read is good after it."""

    def __init__(self) -> None:
        self._sentences: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._sentences and error is None:
            raise Stop(ExitCode.USAGE, *self._sentences)

    def read(self, what: str, parse: Callable[[str], Value], text: str) -> Value:
        """Return what the parser makes of the text."""
        try:
            return parse(text)
        except ValueError as fault:
            self._sentences.append(f"{what} {text!r} {fault}.")
            return cast(Value, None)  # Nobody sees it: the `with` does not end well.

    def read_all(self, what: str, parse: Callable[[str], Value], texts: Iterable[str] | None) -> tuple[Value, ...]:
        """Return what the parser makes of each text."""
        values = [self.read(what, parse, text) for text in texts or ()]
        return tuple(value for value in values if value is not None)

    def check(self, holds: bool, sentence: str) -> None:
        """Remember the sentence unless it holds."""
        if not holds:
            self._sentences.append(sentence)


def institution_name(text: str) -> str:
    """Accept 1 to 140 characters that can be shown."""
    if 1 <= len(text) <= 140 and text.isprintable() and text == text.strip():
        return text
    raise ValueError("must be 1 to 140 characters that can be shown, without blanks around them")


def caller_name(text: str) -> str:
    """Accept 1 to 50 of a-z 0-9 . _ -, a letter or digit first: it stands in histories and in the ids of documents."""
    if re.fullmatch("[a-z0-9][a-z0-9._-]{0,49}", text):
        return text
    raise ValueError("must be 1 to 50 of a-z 0-9 . _ - and begin with a letter or digit")


def caller_role(text: str) -> Role:
    """Accept one of ROLES."""
    return _one_of(ROLES, text)


def scope(text: str) -> Scope:
    """Accept a scope."""
    return _one_of(tuple(Scope), text)


@dataclass(frozen=True, slots=True)
class IbanReader:
    """Reads IBANs of an institution, at a moment."""

    lenient: bool
    now: datetime

    def __call__(self, text: str) -> RegisteredIban:
        """Accept IBAN[:LABEL,…][:postal]; no label means ACA."""
        code, *rest = text.split(":")
        postal = rest[-1:] == ["postal"]
        labels = rest[:-1] if postal else rest
        if len(labels) > 1:
            raise ValueError("must be written IBAN[:LABEL,LABEL][:postal]")
        named = labels[0].split(",") if labels else [DEFAULT_LABEL]
        if not all(re.fullmatch("[A-Z0-9][A-Z0-9_-]{0,34}", label) for label in named):
            raise ValueError("must have labels of upper-case letters, digits, _ and -, with commas between them")
        return RegisteredIban(self.parser(postal)(code), frozenset(named), self.now, postal)

    def parser(self, postal: bool) -> Callable[[str], Iban]:
        """Return what reads the code alone."""
        return partial(Iban.parse_postal if postal else Iban.parse, lenient=self.lenient)


def exclusion(text: str) -> Exclusion:
    """Accept CODE:FIRST[:LAST], two digits and days."""
    code, *days = text.split(":")
    if len(days) not in (1, 2):
        raise ValueError("must be written CODE:FIRST_DAY[:LAST_DAY], such as 47:2026-01-01:2026-06-30")
    first, last = parse_day(days[0]), parse_day(days[1]) if days[1:] else None
    if last is not None and last < first:
        raise ValueError("must not end before it begins")
    return Exclusion(segregation_code(code), first, last)


def removed_exclusion(text: str) -> tuple[str, date]:
    """Accept CODE:FIRST[:LAST], of which code and first day name the exclusion."""
    removed = exclusion(text)
    return removed.segregation_code, removed.first_day


def grant(text: str) -> tuple[str, frozenset[str]]:
    """Accept EC:CODE,CODE or EC:*, EC being an institution or `*`."""
    institution, colon, codes = text.partition(":")
    if not colon:
        raise ValueError("must be written EC:CODE,CODE or EC:*, such as 15376371009:47,48")
    return _granted(institution), _segregation_codes(codes)


def removed_grant(text: str) -> tuple[str, frozenset[str]]:
    """Accept EC, which takes all codes of it away, or EC:CODE,CODE."""
    institution, colon, codes = text.partition(":")
    return _granted(institution), _segregation_codes(codes) if colon else frozenset({EVERY})


def segregation_code(text: str) -> str:
    """Accept two digits."""
    if re.fullmatch("[0-9]{2}", text):
        return text
    raise ValueError("must name segregation codes of two digits")


def key_id(text: str) -> str:
    """Accept the first 12 digits of a key's hash, as commands show them."""
    if re.fullmatch("[0-9a-f]{12}", text):
        return text
    raise ValueError("must be 12 digits of 0-9 a-f, as `keys list` shows them")


def change_id(text: str) -> str:
    """Accept the id of a change, as `audit` shows it."""
    if re.fullmatch(r"[0-9]{4}-[0-9T:.-]{18}Z-[0-9a-f]{8}", text):
        return text
    raise ValueError("must be the id of a change, as `audit` shows it")


def valid_from(text: str) -> datetime | None:
    """Accept a day, whose first instant in Rome it is, a date-time, or `none`."""
    return None if text == NONE else ValidFrom.parse(text).instant


def valid_until(text: str) -> datetime | None:
    """Accept a day, which counts whole, a date-time, or `none`; the instant is the first that is too late."""
    return None if text == NONE else DueDate.parse(text).instant


def lifetime(text: str) -> timedelta:
    """Accept a number of days, hours or minutes, up to 400 days: 30d, 12h, 90m."""
    read = re.fullmatch("([0-9]{1,6})([dhm])", text)
    time = timedelta(**{_UNITS[read[2]]: int(read[1])}) if read else None
    if time is None or time > _LONGEST:
        raise ValueError("must be days, hours or minutes, up to 400 days: 30d, 12h, 90m")
    return time


_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST = timedelta(days=400)

Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(choices: tuple[Choice, ...], text: str) -> Choice:
    for choice in choices:
        if choice == text:
            return choice
    raise ValueError(f"must be one of {', '.join(choices)}")


def _granted(text: str) -> str:
    return EVERY if text == EVERY else InstitutionCode.parse(text)


def _segregation_codes(text: str) -> frozenset[str]:
    codes = text.split(",")
    return frozenset({EVERY}) if EVERY in codes else frozenset(map(segregation_code, codes))
