"""Links to queues and the topic of Service Bus: senders and receivers of the SDK that stay open.

To open a link takes half a second, so each is opened once. One that fails is closed, and opened again at its next use.
The SDK repeats nothing here: the relay, the platform and the operators do, and a repetition does no harm.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import MessageAlreadySettled, MessageLockLostError, MessageSizeExceededError

from shared.messages import (
    DEAD_LETTERS,
    NOTICE_EVENTS,
    Delivery,
    Message,
    Property,
    QueuedMessage,
)
from shared.ports import BusUnavailable, LockLost, MessageTooLarge
from shared.settings import ServiceBusNamespace

if TYPE_CHECKING:
    from azure.identity.aio import ManagedIdentityCredential

PATIENCE = 10.0
"""Seconds that one request may take, with the time to open its link."""
PAGE = 100
"""Messages that are peeked, or received by an operator, at once."""

INT_32 = 2**31
"""The SDK sends integers of 32 bits."""

Result = TypeVar("Result")

# Failures are logged where they are handled, with their types only.
logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)


class Links:
    """The links of one process to a namespace."""

    def __init__(self, namespace: ServiceBusNamespace, wait: float) -> None:
        """`wait` is how many seconds a receiver waits for a message."""
        self._wait = wait
        self._client, self._identity = _open(namespace)
        self._senders = _OpenLinks(self._new_sender)
        self._receivers = _OpenLinks(self._new_receiver)

    async def send(self, entity: str, messages: Sequence[Message], at: datetime | None = None) -> None:
        """Send messages in batches, in this order, to be delivered from a time on.

        Raises BusUnavailable, MessageTooLarge.
        """
        outgoing = [_outgoing(message, at) for message in messages]
        await self._senders.use(entity, lambda sender: _send_all(sender, outgoing))

    async def peek(self, queue: str, after: int) -> list[QueuedMessage]:
        """Return the messages behind a position, oldest first, some of them. Raises BusUnavailable."""

        async def peek(receiver: ServiceBusReceiver) -> list[QueuedMessage]:
            found = await receiver.peek_messages(max_message_count=PAGE, sequence_number=after + 1)
            return [_queued(queue, received) for received in found]

        return await self._receivers.use(queue, peek)

    async def take(self, queue: str, positions: Collection[int]) -> AsyncIterator[QueuedMessage]:
        """Yield those of the messages that are still there. Each is removed when the next one is asked for.

        Service Bus delivers in order only. So messages before the wanted ones are held until the end, and let go then.
        """
        wanted, held = set(positions), dict[int, ServiceBusReceivedMessage]()
        receiver = self._new_receiver(queue)
        try:
            await _in_time(receiver.__aenter__())
            while wanted:
                page = await _in_time(receiver.receive_messages(max_message_count=PAGE, max_wait_time=self._wait))
                for received in page:
                    position = received.sequence_number or 0
                    if position not in wanted:
                        continue
                    yield _queued(queue, received)
                    await _settled(receiver.complete_message(received))
                    wanted.discard(position)
                others = {received.sequence_number or 0: received for received in page}
                if not page or others.keys() <= held.keys():
                    break
                held |= others
        finally:
            for position, received in held.items():
                if position not in positions or position in wanted:
                    with suppress(BusUnavailable, LockLost):
                        await _settled(receiver.abandon_message(received))
            await _closed(receiver)

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        """Deliver messages, at most `limit`. Wait a moment for the first. Raises BusUnavailable."""

        async def receive(receiver: ServiceBusReceiver) -> list[Delivery]:
            found = await receiver.receive_messages(max_message_count=limit, max_wait_time=self._wait)
            return [Delivery(_queued(queue, received), (receiver, received)) for received in found]

        return await self._receivers.use(queue, receive)

    async def complete(self, delivery: Delivery) -> None:
        """Remove a delivered message. Raises LockLost, BusUnavailable."""
        receiver, received = _lock_of(delivery)
        await _settled(receiver.complete_message(received))

    async def abandon(self, delivery: Delivery) -> None:
        """Let a message be delivered again. Raises LockLost, BusUnavailable."""
        receiver, received = _lock_of(delivery)
        await _settled(receiver.abandon_message(received))

    async def renew(self, delivery: Delivery) -> None:
        """Keep the lock for longer. Raises LockLost, BusUnavailable."""
        receiver, received = _lock_of(delivery)
        await _settled(receiver.renew_message_lock(received))

    async def close(self) -> None:
        """Close the links and the client."""
        await asyncio.gather(self._receivers.close(), self._senders.close())
        await self._client.close()
        if self._identity is not None:
            await self._identity.close()

    def _new_sender(self, entity: str) -> ServiceBusSender:
        is_topic = entity == NOTICE_EVENTS
        return self._client.get_topic_sender(entity) if is_topic else self._client.get_queue_sender(entity)

    def _new_receiver(self, queue: str) -> ServiceBusReceiver:
        entity = queue.removesuffix(DEAD_LETTERS)
        sub_queue = "deadletter" if entity != queue else None
        topic, of_topic, name = entity.partition("/subscriptions/")
        if of_topic:
            return self._client.get_subscription_receiver(topic, name, sub_queue=sub_queue)
        return self._client.get_queue_receiver(entity, sub_queue=sub_queue)


def _open(namespace: ServiceBusNamespace) -> tuple[ServiceBusClient, "ManagedIdentityCredential | None"]:
    if namespace.connection_string is not None:
        return ServiceBusClient.from_connection_string(namespace.connection_string, retry_total=0), None
    from azure.identity.aio import ManagedIdentityCredential

    identity = ManagedIdentityCredential(client_id=namespace.client_id)
    return ServiceBusClient(str(namespace.name), identity, retry_total=0), identity


class _OpenLinks:
    """Links that stay open, by the names of their entities. One is used by one task at a time."""

    def __init__(self, new: Callable[[str], Any]) -> None:
        self._new = new
        self._open: dict[str, Any] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def use(self, entity: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Return the result of a request over the link. Raises BusUnavailable.

        A link that was open before may have been closed by the other side meanwhile. Then a new one is tried at once.
        """
        async with self._locks.setdefault(entity, asyncio.Lock()):
            was_open = entity in self._open
            try:
                return await self._try(entity, work)
            except BusUnavailable:
                if not was_open:
                    raise
            return await self._try(entity, work)

    async def close(self) -> None:
        """Close all links, at once: each takes a second."""
        links, self._open = [*self._open.values()], {}
        await asyncio.gather(*map(_closed, links))

    async def _try(self, entity: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
        link = self._open.get(entity)
        try:
            if link is None:
                link = self._new(entity)
                # The time to open it must not count as the time to wait for a message.
                await _in_time(link.__aenter__())
                self._open[entity] = link
            return await _in_time(work(link))
        except MessageTooLarge:
            raise
        except BaseException:
            self._open.pop(entity, None)
            if link is not None:
                await _closed(link)
            raise


async def _send_all(sender: ServiceBusSender, messages: Iterable[ServiceBusMessage]) -> None:
    """Send the messages in batches, as many in one as fit."""
    batch = await sender.create_message_batch()
    for message in messages:
        try:
            batch.add_message(message)
        except MessageSizeExceededError as error:
            if not len(batch):
                raise MessageTooLarge from error
            await sender.send_messages(batch)
            batch = await sender.create_message_batch()
            try:
                batch.add_message(message)
            except MessageSizeExceededError:
                raise MessageTooLarge from error
    await sender.send_messages(batch)


def _outgoing(message: Message, at: datetime | None) -> ServiceBusMessage:
    properties: dict[Any, Any] = {name: _sendable(value) for name, value in message.properties.items()}
    return ServiceBusMessage(
        message.body,
        message_id=message.id,
        session_id=message.session_id,
        content_type=message.content_type,
        application_properties=properties,
        scheduled_enqueue_time_utc=at,
    )


def _sendable(value: Any) -> Any:
    """Return the value of a property. What the SDK cannot send, a rejected message may have it, is sent as text."""
    if isinstance(value, bool | str | float) or (isinstance(value, int) and abs(value) < INT_32):
        return value
    return str(value)


def _queued(queue: str, received: ServiceBusReceivedMessage) -> QueuedMessage:
    properties = {_text(name): _value(value) for name, value in (received.application_properties or {}).items()}
    message = Message(
        received.message_id or "",
        b"".join(received.body) if not isinstance(received.body, bytes) else received.body,
        {name: value for name, value in properties.items() if name not in _ADDED},
        received.session_id,
        received.content_type or "",
    )
    return QueuedMessage(
        queue,
        received.sequence_number or 0,
        message,
        received.enqueued_time_utc or datetime.min.replace(tzinfo=UTC),
        # The service counts the deliveries before this one.
        (received.delivery_count or 0) + 1,
        received.dead_letter_reason,
        received.dead_letter_error_description,
    )


_ADDED = ("DeadLetterReason", "DeadLetterErrorDescription")
"""Properties that the service adds to dead letters."""


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _value(value: Any) -> Property:
    return value if isinstance(value, bool | int) else _text(value)


def _lock_of(delivery: Delivery) -> tuple[ServiceBusReceiver, ServiceBusReceivedMessage]:
    assert isinstance(delivery.lock, tuple), "the delivery is one of this bus"
    receiver, received = delivery.lock
    return receiver, received


async def _settled(work: Awaitable[object]) -> None:
    try:
        await _in_time(work)
    except (MessageLockLostError, MessageAlreadySettled) as error:
        raise LockLost from error


async def _in_time(work: Awaitable[Result]) -> Result:
    """Return the result of a request. Raises BusUnavailable in place of what the SDK raises."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await work
    except (MessageLockLostError, MessageAlreadySettled):
        raise
    except (AzureError, OSError, TimeoutError, ValueError) as error:
        raise BusUnavailable from error


async def _closed(link: Any) -> None:
    with suppress(AzureError, OSError, TimeoutError, ValueError):
        async with asyncio.timeout(PATIENCE):
            await link.close()
