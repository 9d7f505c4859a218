"""Settle messages: the outcomes that a client sends, and the outcomes that answer them."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from emulators.servicebus.amqp.states import Accepted, Error, Modified, Rejected, Released
from emulators.servicebus.amqp.values import Described
from emulators.servicebus.queue import Queue
from emulators.servicebus.refusals import Refusal, not_implemented


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a locked message is settled."""

    operation: str
    """Its name in the log."""
    apply: Callable[[Queue, UUID], None]
    """Raises Refusal."""
    answer: Described
    """The client of Azure for Python accepts no other answer than the kind of outcome that it sent."""


def settlement(state: Described | None) -> Settlement | None:
    """Return the settlement that an outcome asks for. None: it is no outcome yet. Raises Malformed, and Refusal."""
    match state and state.descriptor:
        case None | 0x23:
            return None
        case Accepted.CODE:
            return Settlement("Complete", Queue.complete, Accepted().described())
        case Released.CODE:
            return Settlement("Release", Queue.release, Released().described())
        case Modified.CODE:
            return _modified(Modified.parse(state))
        case Rejected.CODE:
            return _rejected(Rejected.parse(state))
    raise not_implemented("transactions")


def _modified(modified: Modified) -> Settlement:
    if modified.undeliverable_here:
        raise deferral()
    changes = modified.message_annotations or {}
    return Settlement("Abandon", lambda queue, token: queue.abandon(token, changes), modified.described())


def _rejected(rejected: Rejected) -> Settlement:
    info = dict(Error.parse(rejected.error).info or {}) if rejected.error else {}
    reason, description = (_text(info.pop(name, None)) for name in ("DeadLetterReason", "DeadLetterErrorDescription"))
    return dead_lettering(reason, description, info)


def dead_lettering(reason: str | None, description: str | None, changes: dict[object, object]) -> Settlement:
    """Return the settlement that makes a message a dead letter."""
    return Settlement(
        "DeadLetter",
        lambda queue, token: queue.dead_letter(token, reason, description, changes),
        # Without the error that the client sent: with one, it would be a refusal.
        Rejected().described(),
    )


def deferral() -> Refusal:
    """Return the refusal to defer a message."""
    return not_implemented("deferred messages")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
