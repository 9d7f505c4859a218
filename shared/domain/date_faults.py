"""Says which part of a date or a date-time is wrong, and never repeats the text."""

import re
from typing import Final

A_DAY: Final = "a day such as 2026-12-16"
A_DATE_TIME: Final = "a date-time such as 2026-12-16T10:00:00+01:00"
A_DAY_OR_DATE_TIME: Final = f"{A_DAY}, or {A_DATE_TIME}"

_LONGEST: Final = len("2026-12-16T10:00:00.123456789+01:00")


def fault_of(text: str, expected: str) -> str:
    """Return the sentence that follows the name of the field: which text is expected, and which part of this is not so.

    `expected` is A_DAY, A_DATE_TIME or A_DAY_OR_DATE_TIME. The text is none of it.
    """
    return f"must be {expected}: {_reason(text, expected)}"


def _reason(text: str, expected: str) -> str:
    if len(text) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if expected == A_DATE_TIME and re.fullmatch(_DAY, text):
        return "the time is missing"
    if expected == A_DAY and re.match(f"{_DAY}[Tt ]", text):
        return "a day has no time"
    return next((reason for form, reason in _WRONG_FORMS if form.fullmatch(text)), "the month has no such day")


_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_FRACTION: Final = r"(\.[0-9]{1,9})?"
_OFFSET: Final = "([Zz]|[+-][0-9]{2}:[0-9]{2})"

_WRONG_FORMS: Final = tuple(
    (re.compile(form, re.DOTALL), reason)
    for form, reason in (
        ("", "it is empty"),
        (r"\s.*|.*\s", "there is a blank before or after it"),
        (".*[^\x20-\x7e].*", "it has a character that is not ASCII, or a control character"),
        # The day
        (r"[0-9]{8}([Tt].*)?", "hyphens stand between year, month and day"),
        (r"[0-9]{4}-?(W[0-9]{2}.*|[0-9]{3})", "month and day are given, not the week or the number of the day"),
        (r"[0-9]{1,2}[-./][0-9]{1,2}[-./].*", "the year comes first, then month and day, with hyphens between them"),
        (r"[0-9]{4}[./].*", "hyphens stand between year, month and day"),
        (r"[0-9]{4}(-[0-9]{1,2})?", "the day is missing"),
        (r"[0-9]{4}-([0-9]-[0-9]{1,2}|[0-9]{2}-[0-9])([Tt ].*)?", "month and day have two digits"),
        (rf"(?!{_DAY}).*", "year, month and day come first, with hyphens between them"),
        (r"[0-9]{4}-(?!0[1-9]|1[0-2]).*", "the month is 01 to 12"),
        (r"[0-9]{4}-[0-9]{2}-(?!0[1-9]|[12][0-9]|3[01]).*", "the day is 01 to 31"),
        (rf"{_DAY}([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})", "a day has no offset"),
        # The time
        (rf"{_DAY} .*", "a T stands between day and time, not a blank"),
        (rf"{_DAY}[^Tt].*", "a T stands between day and time"),
        (rf"{_DAY}[Tt]", "the time is missing after the T"),
        (rf"{_DAY}[Tt][0-9]{{2}}:?[0-9]{{2}}{_OFFSET}?", "the seconds are missing"),
        (rf"{_DAY}[Tt][0-9]{{2}}{_OFFSET}?", "minutes and seconds are missing"),
        (rf"{_DAY}[Tt][0-9]{{6}}.*", "colons stand between hours, minutes and seconds"),
        (rf"{_DAY}[Tt](?!{_CLOCK}).*", "the time has two digits each for hours, minutes and seconds"),
        (rf"{_DAY}[Tt]24.*", "the hour is 00 to 23: the end of a day is 00:00:00 of the next"),
        (rf"{_DAY}[Tt](?![01][0-9]|2[0-3]).*", "the hour is 00 to 23"),
        (rf"{_DAY}[Tt][0-9]{{2}}:(?![0-5]).*", "the minute is 00 to 59"),
        (rf"{_DAY}[Tt][0-9]{{2}}:[0-9]{{2}}:(?![0-5]).*", "the second is 00 to 59: leap seconds are not taken"),
        # The fraction and the offset
        (rf"{_DAY}[Tt]{_CLOCK},.*", "a point stands before the fraction of a second, not a comma"),
        (rf"{_DAY}[Tt]{_CLOCK}\.(?![0-9]{{1,9}}(?![0-9])).*", "the fraction of a second has 1 to 9 digits"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION} .*", "no blank stands before the offset"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION}[+-][0-9]{{4}}", "a colon stands between hours and minutes of the offset"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION}[+-][0-9]{{1,2}}", "the offset has hours and minutes, such as +01:00"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION}[+-](?![01][0-9]|2[0-3]).*", "the hours of the offset are 00 to 23"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION}[+-][0-9]{{2}}:(?![0-5]).*", "the minutes of the offset are 00 to 59"),
        (rf"{_DAY}[Tt]{_CLOCK}{_FRACTION}(?!{_OFFSET}?$).*", "only Z or an offset such as +01:00 follows the time"),
    )
)
"""The mistakes, in the order of the text. A row does not check for the mistakes of earlier rows."""
