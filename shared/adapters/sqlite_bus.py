"""The queues and the topic of the embedded store, in its file: durable, at least once, for one machine.

They follow the rules of infra/messaging.json: duplicate ids, time to live, locks, attempts, dead letters, filters of
subscriptions. The locks are short, so that a message is soon delivered again after its host was killed.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from shared.adapters.sqlite_deliveries import FREE, Abandon, Complete, Lock, Receive, Renew, Send, free_at
from shared.adapters.sqlite_reads import Reads
from shared.adapters.sqlite_writes import Write, Writes
from shared.documents import loads
from shared.domain.dates import decode_instant
from shared.errors import StoreUnavailable
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, NOTICE_EVENTS, Delivery, Message, Property, QueuedMessage
from shared.ports import BusUnavailable, LockLost
from shared.telemetry import log_bug

LOCKED_FOR = timedelta(seconds=5)
"""How long a delivery is locked. The host renews the lock while it works."""
_PAGE = 100

_COLUMNS = (
    "SELECT d.position, d.count, d.reason, d.description, m.id, m.session_id, m.content_type, m.properties, m.body,"
    " m.enqueued_at FROM deliveries d JOIN messages m ON m.position = d.position WHERE d.queue = ?"
)


class SqliteBus:
    """Bus in the file of a SqliteNoticeStore, whose writes and reads it shares."""

    def __init__(self, writes: Writes, reads: Reads, clock: Callable[[], datetime]) -> None:
        self._writes = writes
        self._reads = reads
        self._clock = clock

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send the messages to the topic, all or none. Raises BusUnavailable."""
        await self._write(Send(NOTICE_EVENTS, messages, self._clock()))

    async def send(self, message: Message, after: timedelta = timedelta(0)) -> None:
        """Put a message into the queue of inbound events. It is delivered after a time. Raises BusUnavailable."""
        await self._write(Send(INBOUND_EVENTS, [message], self._clock(), after))

    async def reject(self, message: Message, reason: str, description: str) -> None:
        """Copy a message to the rejected ones. Raises BusUnavailable."""
        properties = {**message.properties, "reason": reason, "description": description}
        await self._write(Send(INBOUND_REJECTED, [replace(message, properties=properties)], self._clock()))

    async def peek(self, queue: str, after: int = 0) -> AsyncIterator[QueuedMessage]:
        """Yield the messages behind a position, oldest first. Raises BusUnavailable."""
        while found := self._select(queue, "AND d.position > ? ORDER BY d.position LIMIT ?", after, _PAGE):
            for message in found:
                yield message
            after = found[-1].position

    async def take(self, queue: str, positions: Collection[int]) -> AsyncGenerator[QueuedMessage]:
        """Yield those of the messages that are still there. Each is removed when the next one is asked for."""
        for position in sorted(positions):
            lock = Lock(queue, position, token_hex(8), self._clock(), timedelta(minutes=1))
            await self._write(lock)
            if lock.is_held:
                for message in self._select(queue, "AND d.position = ?", position):
                    yield message
                    with suppress(LockLost):  # it took so long that another has it, and removes it
                        await self._write(Complete(queue, position, lock.token))

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        """Deliver messages that are not locked, oldest first, and lock them. Raises BusUnavailable."""
        now = self._clock()
        with _as_bus():
            if not self._reads.select(f"SELECT 1 FROM deliveries WHERE {FREE} LIMIT 1", (queue, *free_at(now))):
                return []
        receive = Receive(queue, limit, token_hex(8), now, LOCKED_FOR)
        await self._write(receive)
        found = [self._select(queue, "AND d.position = ?", position) for position in receive.positions]
        return [Delivery(message, receive.token) for messages in found for message in messages]

    async def complete(self, delivery: Delivery) -> None:
        """Remove a delivered message. Raises LockLost, BusUnavailable."""
        await self._write(Complete(delivery.queued.queue, delivery.queued.position, str(delivery.lock)))

    async def abandon(self, delivery: Delivery) -> None:
        """Let a message be delivered again. After its last attempt it is a dead letter. Raises LockLost."""
        queue, position = delivery.queued.queue, delivery.queued.position
        await self._write(Abandon(queue, position, str(delivery.lock), delivery.queued.delivery_count))

    async def renew(self, delivery: Delivery) -> None:
        """Keep the lock for longer. Raises LockLost, BusUnavailable."""
        until = self._clock() + LOCKED_FOR
        await self._write(Renew(delivery.queued.queue, delivery.queued.position, str(delivery.lock), until))

    async def close(self) -> None:
        """Do nothing: the store closes the file."""

    async def _write(self, write: Write) -> None:
        with _as_bus():
            await self._writes.add(write)

    def _select(self, queue: str, rest: str, *values: object) -> list[QueuedMessage]:
        with _as_bus():
            rows = self._reads.select(f"{_COLUMNS} {rest}", (queue, *values))
        return [_queued(queue, row) for row in rows]


@contextmanager
def _as_bus() -> Iterator[None]:
    """Raise BusUnavailable in place of StoreUnavailable."""
    try:
        yield
    except StoreUnavailable as error:
        raise BusUnavailable from error


def _queued(queue: str, row: tuple[Any, ...]) -> QueuedMessage:
    position, count, reason, description, message_id, session_id, content_type, properties, body, enqueued_at = row
    message = Message(message_id, body, _properties(properties), session_id, content_type)
    return QueuedMessage(queue, position, message, decode_instant(enqueued_at), count, reason, description)


def _properties(stored: bytes) -> dict[str, Property]:
    """Return the properties of a message. Damaged ones are left out, so that the message can be taken all the same."""
    try:
        read = loads(stored)
    except ValueError as error:
        log_bug("properties_unreadable", error)
        return {}
    return read
