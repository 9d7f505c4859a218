"""The log on the terminal: one line of text for each event. No value can forge a line."""

import asyncio
import logging
import traceback
from typing import Any

from shared.telemetry import LogEntry, error_chain, log_bug


class TerminalFormatter(logging.Formatter):
    """Formats a record as `12:00:01 INFO request_refused code=notice_not_found …`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return a line for the event, and one for each frame of a stack. No error texts: they may be personal."""
        start = f"{self.formatTime(record, self.datefmt)} {record.levelname}"
        if isinstance(record.msg, LogEntry):
            return f"{start} {record.msg.text}"
        keys: dict[str, object] = {}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            keys["error"] = error_chain(error)
            keys["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return f"{start} {LogEntry(_on_one_line(record.getMessage()), keys).text}"


def show_log() -> None:
    """Show the log of the archive on the terminal, and the warnings of its libraries."""
    handler = logging.StreamHandler()
    handler.addFilter(_is_of_interest)
    handler.setFormatter(TerminalFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("archive").setLevel(logging.INFO)


def log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an unhandled error of a task or a callback. The default handler would show its text."""
    error = context.get("exception")
    log_bug("error_not_handled", error if isinstance(error, BaseException) else RuntimeError())


def _is_of_interest(record: logging.LogRecord) -> bool:
    """Leave out the turns of a reader that had nothing to do: there is one every two seconds."""
    entry = record.msg
    return not (isinstance(entry, LogEntry) and entry.keys.get("events") == 0 and record.levelno == logging.INFO)


def _on_one_line(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
