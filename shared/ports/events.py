"""The ports of events: the feed of changes that the store gives, and the bus that carries messages."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.events import NoticeEvent
from shared.messages import Delivery, Message, QueuedMessage


class BusUnavailable(Exception):
    """The bus does not answer, or refuses for a time. A repetition may succeed and does no harm."""


class MessageTooLarge(Exception):
    """The message is larger than the bus takes. A repetition cannot help."""


class LockLost(Exception):
    """The lock is over, and the message is delivered again or is gone."""


class AnotherReader(Exception):
    """Another run of the same reader stored its place first."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event as the feed gives it. Its document may be damaged, so it is not decoded yet."""

    creditor_institution: str
    number: str
    version: int
    decode: Callable[[], NoticeEvent]
    """Returns the event. Raises any error if the document is damaged."""

    @property
    def id(self) -> str:
        """Return the id of the event, which is that of its CloudEvent."""
        return f"{self.creditor_institution}.{self.number}.{self.version}"


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """The place of a reader in one range of the feed. Each range is read by itself."""

    reader: str
    range: str
    """The name of the range. The feed of an embedded store has one."""
    token: str | None = None
    """Where the feed goes on. None at its beginning."""
    stored: str | None = None
    """Identifies the checkpoint from which the reader began. None if there was none."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The next events of a range, and the place after them."""

    events: list[FeedEvent]
    place: FeedPlace
    is_empty: bool
    """The feed had nothing more at that moment. Later it may have, also without a new change."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An event that could not be sent, because its document cannot be read. It stays in the store as it is."""

    creditor_institution: str
    number: str
    version: int
    error: str
    """The types of the errors."""
    found_at: datetime

    @property
    def id(self) -> str:
        """Return the id of the event."""
        return f"{self.creditor_institution}.{self.number}.{self.version}"


class ChangeFeed(Protocol):
    """The events of all notices, as they were saved: each at least once, those of one notice in order.

    Every method raises StoreUnavailable if the store does not answer in time.
    """

    async def places(self, reader: str) -> list[FeedPlace]:
        """Return the places that the reader has stored. Ranges without a checkpoint begin at the beginning."""

    async def beginning(self, reader: str) -> list[FeedPlace]:
        """Return the beginning of each range."""

    async def read(self, place: FeedPlace, limit: int = 100) -> FeedPage:
        """Return the next events after a place, some `limit` of them."""

    async def end(self, place: FeedPlace) -> FeedPlace:
        """Return the place behind the last event of the range of a place, whatever token that has."""

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store the place as the checkpoint of its reader. Raises AnotherReader. Returns the stored place."""

    async def forget(self, reader: str) -> None:
        """Remove the checkpoints of the reader, so that it begins at the beginning."""

    async def keep_gap(self, gap: Gap) -> None:
        """Store a gap. A gap that is stored already is replaced."""

    async def gaps(self) -> list[Gap]:
        """Return the gaps, by their ids."""


class EventPublisher(Protocol):
    """The topic of the events that the archive sends."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send the messages in this order. When it returns, the bus has all of them. Raises BusUnavailable.

        After an error the bus may have some of them. A repetition does no harm.
        """


class InboundQueue(Protocol):
    """The queue of the events that services of pagoPA send, and the queue of those that were rejected."""

    async def send(self, message: Message, after: timedelta = timedelta(0)) -> None:
        """Put a message into the queue. It is delivered after a time. Raises BusUnavailable."""

    async def reject(self, message: Message, reason: str, description: str) -> None:
        """Copy a message to the rejected ones, with properties `reason` and `description`. Raises BusUnavailable."""


class MessageBrowser(Protocol):
    """The view of an operator into queues, subscriptions and their dead letters. Raises BusUnavailable."""

    def peek(self, queue: str, after: int = 0) -> AsyncIterator[QueuedMessage]:
        """Yield the messages behind a position, oldest first. It takes none of them."""

    def take(self, queue: str, positions: Collection[int]) -> AsyncGenerator[QueuedMessage]:
        """Yield those of the messages that are still there. Each is removed when the next one is asked for.

        Whoever stops before the end closes the generator, which lets the others go.
        """


class MessageReceiver(Protocol):
    """The side of a consumer. On the platform the host is the consumer, on one machine the development host.

    Raises BusUnavailable. What ends a delivery raises LockLost if its lock is over.
    """

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        """Deliver some messages that are not locked, oldest first, and lock them. Empty if there is none now."""

    async def complete(self, delivery: Delivery) -> None:
        """Remove a delivered message."""

    async def abandon(self, delivery: Delivery) -> None:
        """Let a message be delivered again. After its last attempt it is a dead letter."""

    async def renew(self, delivery: Delivery) -> None:
        """Keep the lock for longer."""


class Bus(EventPublisher, InboundQueue, MessageBrowser, MessageReceiver, Protocol):
    """All of it."""

    async def close(self) -> None:
        """Close connections and files."""
