"""The log: one event a record, with keys. Never a body, a key, or the code or name of a debtor.

A record reads as one line of JSON, which is what Azure keeps. The development host shows it as text.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass

_log = logging.getLogger("archive")
_context: ContextVar[dict[str, object] | None] = ContextVar("log_context", default=None)
_CODE_LENGTHS = {"institution": 11, "number": 18}
"""Digits of the keys that the log has only where their value is a code."""
_PLAIN = re.compile(r"[A-Za-z0-9_.,:/+*()-]+")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The message of a record: an event and its keys. No value can break out of its line."""

    event: str
    keys: Mapping[str, object]

    def __str__(self) -> str:
        """Return one line of JSON, in ASCII."""
        return json.dumps({"event": self.event, **self.keys}, default=str)

    @property
    def text(self) -> str:
        """Return one line for a terminal: `event key=value …`. A value with other signs than plain ones is quoted."""
        return " ".join([self.event, *(f"{key}={_as_text(value)}" for key, value in self.keys.items())])


def log_event(event: str, **keys: object) -> None:
    """Log something that is part of the work."""
    _write(logging.INFO, event, keys)


def log_failure(event: str, error: BaseException, **keys: object) -> None:
    """Log that another side failed, with the types of the error and its causes."""
    _write(logging.WARNING, event, {**keys, "error": error_chain(error)})


def log_critical(event: str, **keys: object) -> None:
    """Log that the archive cannot work until an operator does something."""
    _write(logging.CRITICAL, event, keys)


def log_bug(event: str, error: BaseException, **keys: object) -> None:
    """Log an error that the code does not expect: its type, those of its causes, and where it was raised.

    Its text stays out: it may hold personal data.
    """
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _write(logging.ERROR, event, {**keys, "error": error_chain(error), "stack": stack})


class LogContext:
    """Gives these keys to every record of the `with` block, and those that `add_log_context` adds."""

    def __init__(self, **keys: object) -> None:
        self._keys = keys

    def __enter__(self) -> None:
        """Begin the context."""
        self._token = _context.set({**(_context.get() or {}), **self._keys})

    def __exit__(self, *_: object) -> None:
        """End the context."""
        _context.reset(self._token)


def add_log_context(**keys: object) -> None:
    """Give these keys to the records that follow in the surrounding LogContext."""
    context = _context.get()
    if context is not None:
        context.update(keys)


def error_chain(error: BaseException) -> str:
    """Return the types of an error and of its causes, each with the code that its library gave. Never their texts."""
    return " caused by ".join(_links(error))


@dataclass(frozen=True, slots=True)
class StoreCall:
    """One call of a store over the network: its cost in request units, its duration, its number of attempts.

    `outcome` is done, failed, or the status of the answer.
    """

    operation: str
    container: str
    charge: float
    seconds: float
    attempts: int
    outcome: str


def log_store_call(call: StoreCall) -> None:
    """Log a call of a store, at level DEBUG."""
    if _log.isEnabledFor(logging.DEBUG):
        _write(logging.DEBUG, "store_called", asdict(call))


def _write(level: int, event: str, keys: Mapping[str, object]) -> None:
    if _log.isEnabledFor(level):
        named = {**(_context.get() or {}), **keys}
        _log.log(level, LogEntry(event, {key: value for key, value in named.items() if _is_loggable(key, value)}))


def _is_loggable(key: str, value: object) -> bool:
    # A client can write personal data in the place of a code.
    digits = _CODE_LENGTHS.get(key)
    return digits is None or (isinstance(value, str) and len(value) == digits and value.isascii() and value.isdigit())


def _links(error: BaseException) -> Iterator[str]:
    # A chain that was built by hand may be circular.
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        code = _code(cause)
        yield f"{type(cause).__qualname__}({code})" if code else type(cause).__qualname__
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__


def _code(error: BaseException) -> str:
    """Return the code of a fault as its source names it: SQLITE_FULL, or 404/1003 (status and substatus of Cosmos)."""
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        return name
    codes = (getattr(error, "status_code", None), getattr(error, "sub_status", None))
    return "/".join(str(code) for code in codes if isinstance(code, int))


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return "".join(f"\n  {_as_text(item)}" for item in value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
