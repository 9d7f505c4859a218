"""A message in a queue: the content that a client sent, with the numbers and times of the service."""

from dataclasses import dataclass
from uuid import UUID

from emulators.servicebus.amqp.values import Int, Timestamp
from emulators.servicebus.content import Content

_ACTIVE, _SCHEDULED = 0, 2


@dataclass(slots=True)
class Lock:
    """One receiver has the message until then, and settles it with the token."""

    token: UUID
    until: int


@dataclass(slots=True)
class Message:
    """A message in a queue. Times are milliseconds since 1970."""

    number: int
    """The sequence number. A dead letter keeps it."""
    content: Content
    enqueued_number: int
    """The sequence number that it got in its queue or topic when it was sent."""
    enqueued_at: int
    time_to_live: int | None
    delivery_count: int = 0
    is_dead: bool = False
    lock: Lock | None = None

    @property
    def expires_at(self) -> int | None:
        """Return when it expires. A dead letter never does."""
        return None if self.time_to_live is None or self.is_dead else self.enqueued_at + self.time_to_live

    def is_scheduled(self, now: int) -> bool:
        """Return whether no receiver can get it yet."""
        return self.content.scheduled_at > now

    def encode(self, now: int) -> bytes:
        """Return it as a receiver gets it, or sees it when it peeks."""
        annotations: dict[str, object] = {
            "x-opt-enqueued-time": Timestamp(self.enqueued_at),
            "x-opt-sequence-number": self.number,
            "x-opt-enqueue-sequence-number": self.enqueued_number,
            "x-opt-message-state": Int(_SCHEDULED if self.is_scheduled(now) else _ACTIVE),
        }
        if self.lock:
            annotations["x-opt-locked-until"] = Timestamp(self.lock.until)
        return self.content.encode(annotations, self.delivery_count, self.time_to_live)
