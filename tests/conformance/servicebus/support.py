"""Where the conformance tests go, and what they send and receive there."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from emulators.servicebus import ServiceBusDouble

ENTITIES: dict[str, Any] = json.loads((Path(__file__).parent / "entities.json").read_text(encoding="utf-8"))
"""The queues, the topic and the subscriptions of the tests, with the property names of ARM."""
DEAD_LETTERS = "/$DeadLetterQueue"
leaves_sockets_open = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:loop is closed:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]
"""For tests that cut connections: the SDK does not close its end of one."""
PATIENCE = 10.0
"""Seconds after which a message is taken to be one that never comes."""

_run = token_hex(3)
_serial = count(1)


@dataclass
class Bus:
    """One client, whose links stay open for all tests of a module: to open one takes half a second."""

    connection_string: str
    double: ServiceBusDouble | None
    """None: the target is the service, or Microsoft's emulator."""
    client: ServiceBusClient = field(init=False)
    _ahead: timedelta = timedelta()
    _senders: dict[str, ServiceBusSender] = field(default_factory=dict)
    _receivers: dict[str, ServiceBusReceiver] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the client. It does not repeat what fails: a test sees each failure."""
        self.client = ServiceBusClient.from_connection_string(self.connection_string, retry_total=0)

    @property
    def silence(self) -> float:
        """Return the seconds after which a queue without a message is taken to be empty."""
        return 0.2 if self.double else 3.0

    def sender(self, name: str) -> ServiceBusSender:
        """Return the sender to a queue, or to a topic."""
        if name not in self._senders:
            is_topic = name in ENTITIES["topics"]
            make = self.client.get_topic_sender if is_topic else self.client.get_queue_sender
            self._senders[name] = make(name)
        return self._senders[name]

    async def receiver(self, path: str) -> ServiceBusReceiver:
        """Return the receiver of `queue`, `topic/subscription`, or of the dead letters behind one."""
        if path not in self._receivers:
            # It opens the link: the time to do that counts as time to wait for a message.
            self._receivers[path] = await self.new_receiver(path).__aenter__()
            if not self.double:
                await self.empty(path)
        return self._receivers[path]

    def new_receiver(self, path: str, **options: Any) -> ServiceBusReceiver:
        """Return one more receiver."""
        entity = path.removesuffix(DEAD_LETTERS)
        sub_queue = "deadletter" if path.endswith(DEAD_LETTERS) else None
        if "/" in entity:
            topic, subscription = entity.split("/")
            return self.client.get_subscription_receiver(topic, subscription, sub_queue=sub_queue, **options)
        return self.client.get_queue_receiver(entity, sub_queue=sub_queue, **options)

    async def send(self, name: str, *messages: ServiceBusMessage) -> None:
        """Send the messages, one after the other."""
        for message in messages:
            await self.sender(name).send_messages(message)

    async def receive(self, path: str, number: int = 1) -> list[ServiceBusReceivedMessage]:
        """Receive so many messages, and lock them."""
        receiver = await self.receiver(path)
        return await take(receiver, number)

    async def one(self, path: str) -> ServiceBusReceivedMessage:
        """Receive one message, and lock it."""
        (message,) = await self.receive(path)
        return message

    async def take_all(self, path: str, number: int) -> list[str]:
        """Receive and complete so many messages, and return their bodies."""
        messages = await self.receive(path, number)
        await self.complete(path, *messages)
        return [str(message) for message in messages]

    async def complete(self, path: str, *messages: ServiceBusReceivedMessage) -> None:
        """Complete the messages."""
        receiver = await self.receiver(path)
        for message in messages:
            await receiver.complete_message(message)

    async def empty(self, path: str) -> list[str]:
        """Complete everything that is there, and return the bodies."""
        if self.double:
            entity, _, subscription = path.partition("/")
            is_subscription = entity in ENTITIES["topics"]
            return await self.take_all(
                path, self.double.counts(f"{entity}/Subscriptions/{subscription}" if is_subscription else path).active
            )
        receiver, bodies = await self.receiver(path), list[str]()
        while messages := await receiver.receive_messages(100, max_wait_time=self.silence):
            await self.complete(path, *messages)
            bodies += [str(message) for message in messages]
        return bodies

    async def peek(self, path: str, first: int = 1) -> list[ServiceBusReceivedMessage]:
        """Return the messages from a sequence number on, without locking them."""
        return await (await self.receiver(path)).peek_messages(100, sequence_number=first)

    def now(self) -> datetime:
        """Return the time of the target: the double's clock is ahead by what the tests before let pass."""
        return datetime.now(UTC) + self._ahead

    async def pass_time(self, seconds: float) -> None:
        """Let time pass: the double's clock is moved, a service is waited for."""
        if self.double:
            self.double.advance(seconds)
            self._ahead += timedelta(seconds=seconds)
        else:
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the links, at once, because each takes a second, and the client."""
        links = [*self._senders.values(), *self._receivers.values()]
        await asyncio.gather(*(link.close() for link in links))
        await self.client.close()


async def take(receiver: ServiceBusReceiver, number: int) -> list[ServiceBusReceivedMessage]:
    """Receive so many messages from a receiver. The service may give them in several parts."""
    messages: list[ServiceBusReceivedMessage] = []
    async with asyncio.timeout(PATIENCE):
        while len(messages) < number:
            messages += await receiver.receive_messages(number - len(messages), max_wait_time=PATIENCE)
    return messages


def a_message(body: str | bytes | None = None, **options: Any) -> ServiceBusMessage:
    """Return a message whose body and id no other message has."""
    serial = f"{_run}-{next(_serial)}"
    return ServiceBusMessage(serial if body is None else body, **{"message_id": serial, **options})


def bodies(messages: Sequence[ServiceBusMessage]) -> list[str]:
    """Return the bodies of messages."""
    return [str(message) for message in messages]
