"""Parse the options and arguments of commands, and collect all usage errors."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, cast

from ops.cli import CommandError, ExitCode
from shared.dead_letters import sources
from shared.domain.callers import EVERY, Scope
from shared.domain.dates import DueDate, ValidFrom, parse_day
from shared.domain.events import Role
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, Exclusion, RegisteredIban
from shared.messages import subscriptions

Value = TypeVar("Value")
Parser = Callable[[str], Value]
"""Returns the value of a text. Raises ValueError."""
Grant = tuple[str, frozenset[str]]
"""An institution or `*`, and segregation codes."""

ROLES = (Role.CREDITOR_INSTITUTION, Role.BROKER, Role.PLATFORM)
"""The roles of callers."""
NO_LIMIT = "none"
"""The value of an option that removes a date."""


class UsageErrors:
    """Collects the errors of a command. At the end of its `with` block, it raises CommandError if there are any."""

    def __init__(self) -> None:
        self._messages: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._messages and error is None:
            raise CommandError(*self._messages, code=ExitCode.USAGE)

    def parse(self, name: str, parser: Parser[Value], text: str) -> Value:
        """Return the value of an option or argument."""
        try:
            return parser(text)
        except ValueError as error:
            self._messages.append(f"{name} {text!r} {error}.")
            return cast(Value, None)  # Never used, because the `with` block ends with an error.

    def parse_optional(self, name: str, parser: Parser[Value], text: str | None, default: Value) -> Value:
        """Return the value of an option, or the default if it is not given."""
        return default if text is None else self.parse(name, parser, text)

    def parse_all(self, name: str, parser: Parser[Value], texts: Iterable[str] | None) -> tuple[Value, ...]:
        """Return the values of an option that can be repeated."""
        values = [self.parse(name, parser, text) for text in texts or ()]
        return tuple(value for value in values if value is not None)

    def check(self, condition: bool, message: str) -> None:
        """Add the message if the condition is false."""
        if not condition:
            self._messages.append(message)


def parse_argument(name: str, parser: Parser[Value], text: str) -> Value:
    """Return the value of a single argument. Raises CommandError."""
    with UsageErrors() as errors:
        return errors.parse(name, parser, text)


def matching(pattern: str, rule: str) -> Parser[str]:
    """Return a parser that accepts only texts that match a pattern."""

    def parse(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise ValueError(rule)

    return parse


parse_caller_name = matching(
    "[a-z0-9][a-z0-9._-]{0,49}", "must be 1 to 50 of a-z 0-9 . _ - and begin with a letter or digit"
)
parse_segregation_code = matching("[0-9]{2}", "must name segregation codes of two digits")
parse_key_id = matching("[0-9a-f]{12}", "must be 12 digits of 0-9 a-f, as `keys list` shows them")
parse_change_id = matching("[0-9]{4}-[0-9T:.-]{18}Z-[0-9a-f]{8}", "must be the id of a change, as `audit` shows it")


def parse_institution_name(text: str) -> str:
    """Parse 1 to 140 printable characters."""
    if 1 <= len(text) <= 140 and text.isprintable() and text == text.strip():
        return text
    raise ValueError("must be 1 to 140 printable characters, without spaces at the start or the end")


def parse_role(text: str) -> Role:
    """Parse one of ROLES."""
    return _one_of(ROLES, text)


def parse_scope(text: str) -> Scope:
    """Parse a scope."""
    return _one_of(tuple(Scope), text)


@dataclass(frozen=True, slots=True)
class IbanParser:
    """Parses the IBANs of an institution, registered now."""

    lenient: bool
    now: datetime

    def __call__(self, text: str) -> RegisteredIban:
        """Parse IBAN[:LABEL,…][:postal]. The default label is ACA."""
        code, *rest = text.split(":")
        postal = rest[-1:] == ["postal"]
        labels = rest[:-1] if postal else rest
        if len(labels) > 1:
            raise ValueError("must be written IBAN[:LABEL,LABEL][:postal]")
        names = labels[0].split(",") if labels else [DEFAULT_LABEL]
        if not all(re.fullmatch("[A-Z0-9][A-Z0-9_-]{0,34}", name) for name in names):
            raise ValueError("must have labels of upper-case letters, digits, _ and -, with commas between them")
        return RegisteredIban(self.code_parser(postal)(code), frozenset(names), self.now, postal)

    def code_parser(self, postal: bool) -> Parser[Iban]:
        """Return the parser of the IBAN alone."""
        return partial(Iban.parse_postal if postal else Iban.parse, lenient=self.lenient)


def parse_exclusion(text: str) -> Exclusion:
    """Parse CODE:FIRST_DAY[:LAST_DAY]."""
    code, *days = text.split(":")
    if len(days) not in (1, 2):
        raise ValueError("must be written CODE:FIRST_DAY[:LAST_DAY], such as 47:2026-01-01:2026-06-30")
    first, last = parse_day(days[0]), parse_day(days[1]) if days[1:] else None
    if last is not None and last < first:
        raise ValueError("must not end before it begins")
    return Exclusion(parse_segregation_code(code), first, last)


def parse_exclusion_to_remove(text: str) -> tuple[str, date]:
    """Parse CODE:FIRST_DAY[:LAST_DAY]. The code and the first day identify the exclusion."""
    exclusion = parse_exclusion(text)
    return exclusion.segregation_code, exclusion.first_day


def parse_grant(text: str) -> Grant:
    """Parse EC:CODE,CODE or EC:*, where EC is an institution or `*`."""
    institution, colon, codes = text.partition(":")
    if not colon:
        raise ValueError("must be written EC:CODE,CODE or EC:*, such as 15376371009:47,48")
    return _parse_granted_institution(institution), _parse_segregation_codes(codes)


def parse_grant_to_remove(text: str) -> Grant:
    """Parse EC, which is all its codes, or EC:CODE,CODE."""
    return parse_grant(text if ":" in text else f"{text}:{EVERY}")


def parse_valid_from(text: str) -> datetime | None:
    """Parse a day, a date-time or `none`. A day is its first instant in Rome."""
    return None if text == NO_LIMIT else ValidFrom.parse(text).instant


def parse_valid_until(text: str) -> datetime | None:
    """Parse a day, a date-time or `none`. The result is the first instant that is too late: a whole day is included."""
    return None if text == NO_LIMIT else DueDate.parse(text).instant


def parse_duration(text: str) -> timedelta:
    """Parse a number of days, hours or minutes, up to 400 days: 30d, 12h, 90m."""
    match = re.fullmatch("([0-9]{1,6})([dhm])", text)
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if duration is None or duration > _LONGEST:
        raise ValueError("must be days, hours or minutes, up to 400 days: 30d, 12h, 90m")
    return duration


def parse_subscription(text: str) -> str:
    """Parse the name of a subscription of the topic."""
    return _one_of_names([*subscriptions()], text)


def parse_source(text: str) -> str:
    """Parse the name of a queue of dead letters."""
    return _one_of_names([*sources()], text)


def parse_dead_letter_id(text: str) -> str:
    """Parse SOURCE:POSITION."""
    source, _, position = text.partition(":")
    if source in sources() and re.fullmatch("[1-9][0-9]{0,18}", position):
        return text
    raise ValueError("must be the id of a dead letter, as `dead-letters list` shows it: rejected:17")


_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST = timedelta(days=400)

Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(choices: tuple[Choice, ...], text: str) -> Choice:
    for choice in choices:
        if choice == text:
            return choice
    raise ValueError(f"must be one of {', '.join(choices)}")


def _one_of_names(names: list[str], text: str) -> str:
    if text not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return text


def _parse_granted_institution(text: str) -> str:
    return EVERY if text == EVERY else InstitutionCode.parse(text)


def _parse_segregation_codes(text: str) -> frozenset[str]:
    codes = text.split(",")
    return frozenset({EVERY}) if EVERY in codes else frozenset(map(parse_segregation_code, codes))
