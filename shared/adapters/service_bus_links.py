"""Links to queues and the topic of Service Bus: senders and receivers of the SDK that stay open.

To open a link takes half a second, so each is opened once. One that fails is closed, and opened again at its next use.
The SDK repeats nothing here. The relay, the platform and the operators do, and a repetition does no harm (ADR 33).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import MessageAlreadySettled, MessageLockLostError, MessageSizeExceededError

from shared.adapters.service_bus_messages import outgoing_message, queued_message
from shared.messages import (
    DEAD_LETTERS,
    NOTICE_EVENTS,
    Delivery,
    Message,
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

Result = TypeVar("Result")
Verb = Callable[[ServiceBusReceiver, ServiceBusReceivedMessage], Awaitable[object]]
"""A method of the SDK that ends or renews the delivery of a message."""

# Failures are logged where they are handled, with their types only.
logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)


class Links:
    """The links of one process to a namespace."""

    def __init__(self, namespace: ServiceBusNamespace, wait: float) -> None:
        """`wait` is how many seconds a receiver waits for a message."""
        self._wait = wait
        self._client, self._identity = _open(namespace)
        self._senders = _OpenLinks(self._new_sender)
        self._peekers = _OpenLinks(self._new_receiver)
        self._receivers: dict[str, list[_Receiver]] = {}
        """Those that are open, by queue."""

    async def send(self, entity: str, messages: Sequence[Message], at: datetime | None = None) -> None:
        """Send messages in batches, in this order, to be delivered from a time on.

        Raises BusUnavailable, MessageTooLarge.
        """
        outgoing = [outgoing_message(message, at) for message in messages]
        await self._senders.use(entity, lambda sender: _send_all(sender, outgoing))

    async def peek(self, queue: str, after: int) -> list[QueuedMessage]:
        """Return the messages behind a position, oldest first, some of them. Raises BusUnavailable."""

        async def peek(receiver: ServiceBusReceiver) -> list[QueuedMessage]:
            found = await receiver.peek_messages(max_message_count=PAGE, sequence_number=after + 1)
            return [queued_message(queue, received) for received in found]

        return await self._peekers.use(queue, peek)

    async def take(self, queue: str, positions: Collection[int]) -> AsyncGenerator[QueuedMessage]:
        """Yield those of the messages that are still there. Each is removed when the next one is asked for.

        Service Bus delivers in order only. So messages before the wanted ones are held until the end, and let go then.
        """
        wanted, held = set(positions), dict[int, ServiceBusReceivedMessage]()
        receiver = self._new_receiver(queue)
        try:
            await _in_time(receiver.__aenter__())
            while wanted:
                page = await _in_time(receiver.receive_messages(max_message_count=PAGE, max_wait_time=self._wait))
                found = {received.sequence_number or 0: received for received in page}
                is_new = not found.keys() <= held.keys()
                held |= found
                for position in sorted(found.keys() & wanted):
                    yield queued_message(queue, found[position])
                    with suppress(LockLost):  # it took so long that another has it, and removes it
                        await _settled(receiver.complete_message(found[position]))
                    wanted.discard(position)
                    del held[position]
                if not is_new:
                    break
        finally:
            for received in held.values():
                with suppress(BusUnavailable, LockLost):
                    await _settled(receiver.abandon_message(received))
            await _closed(receiver)

    async def receive(self, queue: str) -> list[Delivery]:
        """Deliver a message. Wait a moment for it. Raises BusUnavailable.

        A receiver whose message is in work receives no others: the SDK would let the settlement wait for that. It asks
        for one message, because what comes to a receiver that has stopped to wait is let go after five seconds only.
        For the same reason, the receiver that asked in vain asks again.
        """
        receivers = self._receivers.setdefault(queue, [])
        while free := max((each for each in receivers if each.is_free), key=_Receiver.has_asked, default=None):
            # The other side may have closed it meanwhile. Then another one is tried at once.
            with suppress(BusUnavailable):
                return await self._receive(queue, free)
        receiver = _Receiver(self._new_receiver(queue))
        receivers.append(receiver)
        try:
            # The time to open it must not count as the time to wait for a message.
            await _in_time(receiver.link.__aenter__())
        except BaseException:
            await self._drop(queue, receiver)
            raise
        return await self._receive(queue, receiver)

    async def complete(self, delivery: Delivery) -> None:
        """Remove a delivered message. Raises LockLost, BusUnavailable."""
        await self._settle(delivery, ServiceBusReceiver.complete_message)

    async def abandon(self, delivery: Delivery) -> None:
        """Let a message be delivered again. Raises LockLost, BusUnavailable."""
        await self._settle(delivery, ServiceBusReceiver.abandon_message)

    async def renew(self, delivery: Delivery) -> None:
        """Keep the lock for longer. Raises LockLost, BusUnavailable."""
        await self._ask(delivery, ServiceBusReceiver.renew_message_lock)

    async def close(self) -> None:
        """Close the links and the client."""
        receivers = [receiver.link for of_queue in self._receivers.values() for receiver in of_queue]
        await asyncio.gather(self._peekers.close(), self._senders.close(), *map(_closed, receivers))
        await self._client.close()
        if self._identity is not None:
            await self._identity.close()

    async def _receive(self, queue: str, receiver: "_Receiver") -> list[Delivery]:
        receiver.is_receiving = True
        try:
            found = await _in_time(receiver.link.receive_messages(max_message_count=1, max_wait_time=self._wait))
            receiver.holds, receiver.asked_in_vain = (found[0], False) if found else (None, True)
            return [Delivery(queued_message(queue, received), (receiver, received)) for received in found]
        except BaseException:
            await self._drop(queue, receiver)
            raise
        finally:
            receiver.is_receiving = False

    async def _settle(self, delivery: Delivery, verb: Verb) -> None:
        """Complete or abandon a message. Then its receiver is free, also if the lock was lost."""
        receiver, received = _lock_of(delivery)
        try:
            await self._ask(delivery, verb)
        finally:
            if receiver.holds is received:
                receiver.holds = None

    async def _ask(self, delivery: Delivery, verb: Verb) -> None:
        receiver, received = _lock_of(delivery)
        try:
            await _settled(_in_turn(receiver, lambda: verb(receiver.link, received)))
        except LockLost:
            raise
        except BaseException:
            # Its answer may still come, and its message comes again when the lock is over.
            await self._drop(delivery.queued.queue, receiver)
            raise

    async def _drop(self, queue: str, receiver: "_Receiver") -> None:
        if receiver in self._receivers[queue]:
            self._receivers[queue].remove(receiver)
        await _closed(receiver.link)

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


@dataclass(slots=True, eq=False)
class _Receiver:
    """A receiver, and the message that it received and that is in work."""

    link: ServiceBusReceiver
    holds: ServiceBusReceivedMessage | None = None
    is_receiving: bool = True
    asked_in_vain: bool = False
    """The service may still give it a message."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One request at a time: of two at once, one reads the answer of the other, which then waits for nothing."""

    @property
    def is_free(self) -> bool:
        """Return whether it may receive."""
        return not (self.holds or self.is_receiving)

    def has_asked(self) -> bool:
        """Return whether the service may still give it a message."""
        return self.asked_in_vain


async def _in_turn(receiver: _Receiver, request: Callable[[], Awaitable[object]]) -> None:
    async with receiver.turn:
        await request()


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
            except BusUnavailable as error:
                # A service that was silent for ten seconds is not asked again at once: others wait.
                if not was_open or isinstance(error.__cause__, TimeoutError):
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


def _lock_of(delivery: Delivery) -> tuple[_Receiver, ServiceBusReceivedMessage]:
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
