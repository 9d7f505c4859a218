"""Decides what a date or a date-time means, in Europe/Rome.

An instant is an aware datetime in UTC, truncated to milliseconds.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Final, Self
from zoneinfo import ZoneInfo

from shared.errors import InvalidValue

ROME: Final = ZoneInfo("Europe/Rome")


@lru_cache(maxsize=1024)  # a request shows the same few instants several times
def format_instant(at: datetime) -> str:
    """Show an instant as "2026-11-24T14:42:49.123Z"."""
    return at.isoformat("T", "milliseconds").replace("+00:00", "Z")


def read_instant(text: str) -> datetime:
    """Read what format_instant wrote, without checks."""
    return datetime.fromisoformat(text)


def parse_instant(text: str) -> datetime:
    """Accept an RFC 3339 date-time that lies in 2000 to 2999 in Rome; digits beyond milliseconds are dropped.

    Without offset it is local time in Rome, an ambiguous hour the first one. InvalidValue `date_time`,
    `date_out_of_range`, `missing_hour` (an hour that the clock change of March skips).
    """
    if not _DATE_TIME.fullmatch(text):
        raise InvalidValue("date_time", "must be a date-time of RFC 3339, such as 2026-11-24T14:42:49Z")
    # The first hour of 2000 in Rome is shown as the last of 1999 in UTC, and may be sent back.
    if text[0] != "2" and not text.startswith("1999-12-31"):
        raise _out_of_range()
    try:
        written = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidValue("date_time", "must be a day of the calendar") from None
    at = (written if written.tzinfo else _in_rome(written)).astimezone(UTC)
    if not _FIRST <= at < _END:
        raise _out_of_range()
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def parse_day(text: str) -> date:
    """Accept "YYYY-MM-DD", 2000-01-01 to 2999-12-31; InvalidValue `date_time`, `date_out_of_range`."""
    if not _DAY.fullmatch(text):
        raise InvalidValue("date_time", "must be a date such as 2026-11-24, or a date-time")
    if text[0] != "2":
        raise _out_of_range()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("date_time", "must be a day of the calendar") from None


@lru_cache(maxsize=8192)
def first_instant(day: date) -> datetime:
    """Give the instant at which a day begins in Rome."""
    # fold=0 takes the first of two midnights and, if the clock skips midnight, the instant of the change.
    return datetime(day.year, day.month, day.day, tzinfo=ROME).astimezone(UTC)


@lru_cache(maxsize=8192)
def _day_in_rome(at: datetime) -> date:
    return at.astimezone(ROME).date()


@dataclass(frozen=True, slots=True)
class _Boundary:
    """An instant that was given as a day of Rome (`whole_day`) or as a date-time, and is shown likewise."""

    instant: datetime
    whole_day: bool

    # How long after its beginning a day has the meaning of the boundary.
    _offset: ClassVar[timedelta]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Accept what parse_day or parse_instant accepts; InvalidValue with their codes."""
        if len(text) == len("2026-11-24"):
            return cls.of_day(parse_day(text))
        return cls(parse_instant(text), whole_day=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what __str__ wrote, without checks."""
        if len(text) == len("2026-11-24"):
            return cls.of_day(date.fromisoformat(text))
        return cls(read_instant(text), whole_day=False)

    @classmethod
    @lru_cache(maxsize=8192)
    def of_day(cls, day: date) -> Self:
        """Give the boundary that a date without time means."""
        return cls(first_instant(day + cls._offset), whole_day=True)

    @property
    def day(self) -> date:
        """The day shown, in Rome."""
        day = _day_in_rome(self.instant)
        return day - self._offset if self.whole_day else day

    def __str__(self) -> str:
        """Show the day as "2026-11-24", the instant as "2026-11-24T14:42:49.123Z"."""
        return self.day.isoformat() if self.whole_day else format_instant(self.instant)


class DueDate(_Boundary):
    """Until when a notice is to be paid: the instant is the first that is too late, a day counts whole."""

    __slots__ = ()
    _offset = timedelta(days=1)

    @property
    def sort_key(self) -> str:
        """Order due dates by the day shown, then by instant."""
        return f"{self.day.isoformat()} {format_instant(self.instant)}"

    def has_passed(self, now: datetime) -> bool:
        """Tell whether it is too late."""
        return self.instant <= now


class ValidFrom(_Boundary):
    """From when a notice is payable: a whole day begins at its first instant."""

    __slots__ = ()
    _offset = timedelta(0)

    def has_come(self, now: datetime) -> bool:
        """Tell whether the notice is payable already."""
        return self.instant <= now


def _in_rome(local: datetime) -> datetime:
    there = local.replace(tzinfo=ROME)
    # A local time that the clock skipped comes back from UTC as another one.
    if there.astimezone(UTC).astimezone(ROME) != there:
        raise InvalidValue("missing_hour", "is skipped by the clock change in Europe/Rome; give an offset")
    return there


def _out_of_range() -> InvalidValue:
    return InvalidValue("date_out_of_range", "must lie between 2000-01-01 and 2999-12-31 in Europe/Rome")


_FIRST: Final = first_instant(date(2000, 1, 1))
_END: Final = first_instant(date(3000, 1, 1))

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME: Final = re.compile(
    _DAY.pattern
    + r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    + r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
