"""The meaning of dates and date-times, in Europe/Rome.

An instant is an aware datetime in UTC, truncated to milliseconds.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Self
from zoneinfo import ZoneInfo

from shared.domain.date_faults import A_DATE_TIME, A_DAY, A_DAY_OR_DATE_TIME, fault_of
from shared.errors import InvalidValue

ROME: Final = ZoneInfo("Europe/Rome")
LAST_INSTANT: Final = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
"""The end of 9999-12-31, which stands for "no due date": the day after it does not exist."""


@lru_cache(maxsize=1024)  # a request shows the same few instants several times
def format_instant(at: datetime) -> str:
    """Show an instant as "2026-11-24T14:42:49.123Z"."""
    return at.isoformat("T", "milliseconds").replace("+00:00", "Z")


def decode_instant(text: str) -> datetime:
    """Decode what format_instant wrote, without checks."""
    return datetime.fromisoformat(text)


def parse_instant(text: str, expected: str = A_DATE_TIME) -> datetime:
    """Accept an RFC 3339 date-time from 2000 on in Rome. Digits beyond milliseconds are dropped.

    Without offset it is local time in Rome, an ambiguous hour the first one. Beyond LAST_INSTANT it is that instant.
    `expected` says in a refusal which texts are right. InvalidValue `date_time`, `date_out_of_range`, `missing_hour`
    (an hour that the clock change of March skips).
    """
    if not _DATE_TIME.fullmatch(text):
        raise InvalidValue("date_time", fault_of(text, expected))
    # The first hour of 2000 in Rome is shown as the last of 1999 in UTC, and may be sent back.
    if text < "2" and not text.startswith("1999-12-31"):
        raise _out_of_range()
    try:
        written = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidValue("date_time", fault_of(text, expected)) from None
    try:
        at = (written if written.tzinfo else _from_local(written)).astimezone(UTC)
    except OverflowError:  # its offset puts it into the year 10000
        return LAST_INSTANT
    if at < _FIRST:
        raise _out_of_range()
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def parse_day(text: str, expected: str = A_DAY) -> date:
    """Accept "YYYY-MM-DD" from 2000-01-01 on. InvalidValue `date_time`, `date_out_of_range`."""
    if not _DAY.fullmatch(text):
        raise InvalidValue("date_time", fault_of(text, expected))
    if text < "2":
        raise _out_of_range()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("date_time", fault_of(text, expected)) from None


@lru_cache(maxsize=8192)
def first_instant(day: date) -> datetime:
    """Give the instant at which a day begins in Rome."""
    # fold=0 takes the first of two midnights and, if the clock skips midnight, the instant of the change.
    return datetime(day.year, day.month, day.day, tzinfo=ROME).astimezone(UTC)


def in_rome(at: datetime) -> datetime:
    """Give the time that the clocks of Rome show. What would be in the year 10000 is the last second of 9999."""
    try:
        return at.astimezone(ROME)
    except OverflowError:
        return datetime(9999, 12, 31, 23, 59, 59, tzinfo=ROME)


@lru_cache(maxsize=8192)
def _day_in_rome(at: datetime) -> date:
    return in_rome(at).date()


@dataclass(frozen=True, slots=True)
class _Boundary:
    """An instant that was given as a day of Rome (`whole_day`) or as a date-time, and is shown in the same way."""

    instant: datetime
    whole_day: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept a day or date-time, as parse_day and parse_instant do. InvalidValue with their codes."""
        if len(text) == len("2026-11-24"):
            return cls.of_day(parse_day(text, A_DAY_OR_DATE_TIME))
        return cls(parse_instant(text, A_DAY_OR_DATE_TIME), whole_day=False)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Decode what __str__ wrote, without checks."""
        if len(text) == len("2026-11-24"):
            return cls.of_day(date.fromisoformat(text))
        return cls(decode_instant(text), whole_day=False)

    @classmethod
    @lru_cache(maxsize=8192)
    def of_day(cls, day: date) -> Self:
        """Give the boundary that a date without time means."""
        return cls(cls._instant_of(day), whole_day=True)

    @staticmethod
    def _instant_of(day: date) -> datetime:
        """Give the instant that a whole day means."""
        return first_instant(day)

    @property
    def day(self) -> date:
        """The day shown, in Rome."""
        return _day_in_rome(self.instant)

    def __str__(self) -> str:
        """Show the day as "2026-11-24", the instant as "2026-11-24T14:42:49.123Z"."""
        return self.day.isoformat() if self.whole_day else format_instant(self.instant)


class DueDate(_Boundary):
    """Until when a notice is to be paid: the instant is the first that is too late, a day counts whole."""

    __slots__ = ()

    @staticmethod
    def _instant_of(day: date) -> datetime:
        """Give the first instant after the day. The last day of the calendar has none."""
        return LAST_INSTANT if day == date.max else first_instant(day + timedelta(days=1))

    @property
    def day(self) -> date:
        """The day shown, in Rome: of a whole day the instant is the end."""
        return _day_in_rome(self.instant - _MILLISECOND if self.whole_day else self.instant)

    @property
    def sort_key(self) -> str:
        """Order due dates by the day shown, then by instant."""
        return f"{self.day.isoformat()} {format_instant(self.instant)}"

    def has_passed(self, now: datetime) -> bool:
        """Return whether it is too late."""
        return self.instant <= now


class ValidFrom(_Boundary):
    """From when a notice is payable: a whole day begins at its first instant."""

    __slots__ = ()


def _from_local(local: datetime) -> datetime:
    there = local.replace(tzinfo=ROME)
    # A local time that the clock skipped comes back from UTC as another one.
    if there.astimezone(UTC).astimezone(ROME) != there:
        raise InvalidValue("missing_hour", "is skipped by the clock change in Europe/Rome; give an offset")
    return there


def _out_of_range() -> InvalidValue:
    return InvalidValue("date_out_of_range", "must lie between 2000-01-01 and 9999-12-31 in Europe/Rome")


_FIRST: Final = first_instant(date(2000, 1, 1))
_MILLISECOND: Final = timedelta(milliseconds=1)

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME: Final = re.compile(
    _DAY.pattern
    + r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    + r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
