"""What is told of the archive's work: facts under a worded event; never a body, a debtor's code or name, a key."""

import logging
import traceback

_log = logging.getLogger("archive")


def tell(event: str, **facts: object) -> None:
    """Log an event with its facts."""
    _log.info("%s%s", event, _worded(facts))


def tell_defect(event: str, error: BaseException, **facts: object) -> None:
    """Log an error nobody foresaw: its type and where it arose, not its text, which may hold personal data."""
    frames = "".join(
        f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    )
    _log.error("%s: %s%s%s", event, type(error).__name__, _worded(facts), frames)


def _worded(facts: dict[str, object]) -> str:
    return "".join(f" {name}={value}" for name, value in facts.items())
