"""The bus on Azure Service Bus.

The SDK is imported with the first message, in a thread: that takes half a second, for which no request waits.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, NOTICE_EVENTS, Delivery, Message, QueuedMessage
from shared.ports import BusUnavailable
from shared.settings import ServiceBusNamespace

if TYPE_CHECKING:
    from shared.adapters.service_bus_links import Links


class ServiceBus:
    """Bus on a namespace. Every method raises BusUnavailable, those that send also MessageTooLarge."""

    def __init__(self, namespace: ServiceBusNamespace, clock: Callable[[], datetime], wait: float = 1.0) -> None:
        """`wait` is how many seconds a receiver waits for a message."""
        self._namespace, self._clock, self._wait = namespace, clock, wait
        self._opening: asyncio.Task[Links] | None = None
        self._is_closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send the messages to the topic, in batches, in this order."""
        if messages:
            await (await self._links()).send(NOTICE_EVENTS, messages)

    async def send(self, message: Message, after: timedelta = timedelta(0)) -> None:
        """Put a message into the queue of inbound events. It is delivered after a time."""
        await (await self._links()).send(INBOUND_EVENTS, [message], self._clock() + after if after else None)

    async def reject(self, message: Message, reason: str, description: str) -> None:
        """Copy a message to the rejected ones."""
        properties = {**message.properties, "reason": reason, "description": description}
        await (await self._links()).send(INBOUND_REJECTED, [replace(message, properties=properties)])

    async def peek(self, queue: str, after: int = 0) -> AsyncIterator[QueuedMessage]:
        """Yield the messages behind a position, oldest first."""
        while found := await (await self._links()).peek(queue, after):
            for message in found:
                yield message
            after = found[-1].position

    async def take(self, queue: str, positions: Collection[int]) -> AsyncGenerator[QueuedMessage]:
        """Yield those of the messages that are still there. Each is removed when the next one is asked for."""
        async with aclosing((await self._links()).take(queue, positions)) as taken:
            async for message in taken:
                yield message

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        """Deliver a message and lock it. Wait a moment for it. `limit` is 1 or more."""
        return await (await self._links()).receive(queue)

    async def complete(self, delivery: Delivery) -> None:
        """Remove a delivered message. Raises LockLost."""
        await (await self._links()).complete(delivery)

    async def abandon(self, delivery: Delivery) -> None:
        """Let a message be delivered again. Raises LockLost."""
        await (await self._links()).abandon(delivery)

    async def renew(self, delivery: Delivery) -> None:
        """Keep the lock for longer. Raises LockLost."""
        await (await self._links()).renew(delivery)

    async def close(self) -> None:
        """Close the links. The bus is not available any more."""
        self._is_closed = True
        if self._opening is not None:
            with suppress(BusUnavailable):
                await (await self._opening).close()

    async def _links(self) -> "Links":
        if self._is_closed:
            raise BusUnavailable
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> "Links":
        module = await asyncio.to_thread(import_module, "shared.adapters.service_bus_links")
        try:
            links: Links = module.Links(self._namespace, self._wait)
        except ValueError as error:  # the SDK does not understand the connection string
            raise BusUnavailable from error
        return links
