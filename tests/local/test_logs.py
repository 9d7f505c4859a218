"""The log on the terminal of a developer."""

import logging
import re

import pytest

from local.logs import TerminalFormatter
from shared.telemetry import LogEntry

PERSONAL = "RSSMRA80A01H501U"


def shown(message: object, *arguments: object, error: Exception | None = None) -> str:
    """Return what the terminal shows for a warning."""
    failure = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("a.library", logging.WARNING, "", 0, message, arguments, failure)
    return TerminalFormatter().format(record)


def test_an_event_is_its_time_its_level_and_its_keys_on_one_line() -> None:
    line = shown(LogEntry("request_refused", {"code": "notice_not_found", "request_id": "a b"}))

    assert re.fullmatch(r'\d\d:\d\d:\d\d WARNING request_refused code=notice_not_found request_id="a b"', line)


@pytest.mark.parametrize("forged", ["\n12:00:00 ERROR forged", "\r", "\x1b[31m", "\x85", "\u2028", "\x00"])
def test_no_value_begins_a_line_or_directs_the_terminal(forged: str) -> None:
    for line in (shown(LogEntry("event", {"key": forged})), shown("a library says %s", forged), shown(forged)):
        assert line.isprintable()


def test_the_error_of_a_library_is_its_types_and_where_it_was_raised() -> None:
    def fail() -> None:
        try:
            int(PERSONAL)
        except ValueError as error:
            raise LookupError(PERSONAL) from error

    with pytest.raises(LookupError) as raised:
        fail()

    first, *stack = shown("it failed", error=raised.value).splitlines()

    assert first.endswith(' WARNING it failed error="LookupError caused by ValueError" stack=')
    assert __file__ in stack[0]
    assert PERSONAL not in first + "".join(stack)
