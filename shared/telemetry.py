"""What is told of the archive's work: facts under a worded event; never a body, a debtor's code or name, a key."""

import logging
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass

_log = logging.getLogger("archive")


def tell(event: str, **facts: object) -> None:
    """Log an event with its facts."""
    _log.info("%s%s", event, _worded(facts))


def tell_failure(event: str, error: BaseException, **facts: object) -> None:
    """Log that something outside failed: the type of the error and those of its causes, in one line."""
    _log.warning("%s%s: %s", event, _worded(facts), why(error))


def tell_defect(event: str, error: BaseException, **facts: object) -> None:
    """Log an error nobody foresaw: its type, those of its causes, and where it arose.

    Not its text, which may hold what a citizen sent.
    """
    frames = "".join(
        f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    )
    _log.error("%s%s: %s%s", event, _worded(facts), why(error), frames)


def why(error: BaseException) -> str:
    """Return the types of an error and of its causes, with the status where another side gave one; not their texts."""
    return " caused by ".join(_kinds(error))


@dataclass(frozen=True, slots=True)
class StoreCall:
    """One call of a store over the network: what it cost in request units, how long it took, how often it was made.

    `outcome` is done, failed, or the status that was answered.
    """

    operation: str
    container: str
    charge: float
    seconds: float
    attempts: int
    outcome: str


def tell_store_call(call: StoreCall) -> None:
    """Log a call of a store, for whoever looks closely."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("store_called%s", _worded(asdict(call)))


def _kinds(error: BaseException) -> Iterator[str]:
    # A traceback made by hand may go round in circles.
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        status = getattr(cause, "status_code", None)
        yield f"{type(cause).__qualname__}({status})" if isinstance(status, int) else type(cause).__qualname__
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__


def _worded(facts: dict[str, object]) -> str:
    return "".join(f" {name}={value}" for name, value in facts.items())
