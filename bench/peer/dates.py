"""Days and date-times of a notice, in Europe/Rome. A day of a due date counts as a whole."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def parse_moment(text: str) -> date | datetime:
    """Return the day or the date-time of a text. Raises ValueError."""
    if len(text) > 10:
        return parse_instant(text)
    if not _DAY.fullmatch(text):
        raise ValueError("must be a day or a date-time of RFC 3339")
    day = date.fromisoformat(text)
    if day.year < 2000:
        raise ValueError("must lie between 2000-01-01 and 9999-12-31")
    return day


def parse_instant(text: str) -> datetime:
    """Return the instant of a date-time, in UTC and whole milliseconds. Without offset it is local time in Rome."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("must be a date-time of RFC 3339")
    given = datetime.fromisoformat(text.upper())
    if given.tzinfo is None:
        given = given.replace(tzinfo=ROME)
        if given.astimezone(UTC).astimezone(ROME).replace(tzinfo=None) != given.replace(tzinfo=None):
            raise ValueError("is skipped by the clock change")
    try:
        at = given.astimezone(UTC)
    except OverflowError:
        return LAST_INSTANT
    if at < start_of(date(2000, 1, 1)):
        raise ValueError("must lie between 2000-01-01 and 9999-12-31")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def start_of(moment: date | datetime) -> datetime:
    """Return the instant at which a day begins in Rome, or the instant itself."""
    if isinstance(moment, datetime):
        return moment
    return datetime(moment.year, moment.month, moment.day, tzinfo=ROME).astimezone(UTC)


def end_of(moment: date | datetime) -> datetime:
    """Return the first instant after a day in Rome, or the instant itself."""
    if isinstance(moment, datetime):
        return moment
    return LAST_INSTANT if moment == date.max else start_of(moment + timedelta(days=1))


def show(moment: date | datetime) -> str:
    """Return the text of a day, or of an instant with milliseconds."""
    if isinstance(moment, datetime):
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment.isoformat()


def utc_now() -> datetime:
    """Return the time, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
