"""Run a Service Bus function on its queue, as the host in Azure does.

As in Azure, a message is completed when the function returns, and abandoned when it raises. Until then its lock is
renewed.
A message that is in work when the host is killed comes again when its lock is over.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

from azure.functions import meta
from azure.functions.servicebus import ServiceBusMessage, ServiceBusMessageInConverter

from local.functions import Function
from shared.messages import Delivery, QueuedMessage
from shared.ports import BusUnavailable, LockLost, MessageReceiver
from shared.telemetry import log_bug, log_event, log_failure

PAUSE = 0.2
"""Seconds between two looks at an empty queue."""
PAUSE_AFTER_FAILURE = 2.0
"""Seconds until the next look if the bus did not answer."""
RENEWED_AFTER = 1.5
"""Seconds between two renewals of a lock. The shortest lock, that of the embedded bus, is three times as long."""
STOP_SECONDS = 3.0
"""Seconds that the messages in work have to end when the host stops."""


class QueueTrigger:
    """A function and its queue. `at_once` is how many messages are in work at the same time, at most."""

    def __init__(
        self,
        function: Function,
        at_once: int = 16,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._function = function
        self._queue = str(function.trigger["queueName"])
        self._at_once = at_once
        self._sleep = sleep
        self._in_work: set[asyncio.Task[None]] = set()

    async def run(self, bus: MessageReceiver) -> None:
        """Call the function with each message, until cancelled. Then the messages in work are finished, if they can."""
        receiving = asyncio.create_task(self._receive(bus))
        try:
            while True:
                # A request that is cancelled would take its link with it, and with the link the locks.
                deliveries = await asyncio.shield(receiving)
                for delivery in deliveries:
                    self._in_work.add(asyncio.create_task(self._handle(bus, delivery)))
                await self._wait(found=bool(deliveries))
                receiving = asyncio.create_task(self._receive(bus))
        finally:
            for delivery in await receiving if not receiving.done() else ():
                with suppress(LockLost, BusUnavailable):
                    await bus.abandon(delivery)
            if self._in_work:
                await asyncio.wait(self._in_work, timeout=STOP_SECONDS)

    async def _receive(self, bus: MessageReceiver) -> list[Delivery]:
        try:
            return await bus.receive(self._queue, self._at_once - len(self._in_work))
        except BusUnavailable as error:
            log_failure("queue_not_read", error, queue=self._queue)
        except Exception as error:  # noqa: BLE001  the next look may find what can be read
            log_bug("queue_not_read", error, queue=self._queue)
        await self._sleep(PAUSE_AFTER_FAILURE)
        return []

    async def _wait(self, *, found: bool) -> None:
        """Wait until there may be something to do."""
        if len(self._in_work) >= self._at_once:
            await asyncio.wait(self._in_work, return_when=asyncio.FIRST_COMPLETED)
        elif not found:
            await self._sleep(PAUSE)
        self._in_work = {task for task in self._in_work if not task.done()}

    async def _handle(self, bus: MessageReceiver, delivery: Delivery) -> None:
        renewal = asyncio.create_task(_renew(bus, delivery))
        try:
            try:
                await self._function.call(service_bus_message(delivery.queued))
            except Exception as error:  # noqa: BLE001  as in Azure: the message comes again
                log_event("function_failed", function=self._function.name, error=type(error).__qualname__)
                await bus.abandon(delivery)
            else:
                await bus.complete(delivery)
        except (LockLost, BusUnavailable) as error:
            # The message comes again when its lock is over.
            log_failure("message_not_settled", error, queue=self._queue)
        except Exception as error:  # noqa: BLE001  it must not end the others
            log_bug("message_not_settled", error, queue=self._queue)
        finally:
            renewal.cancel()


def service_bus_message(queued: QueuedMessage) -> ServiceBusMessage:
    """Return a message as the platform hands it to a function."""
    message = queued.message
    texts = {"MessageId": message.id, "ContentType": message.content_type, "SessionId": message.session_id}
    numbers = {"DeliveryCount": queued.delivery_count, "SequenceNumber": queued.position}
    properties = meta.Datum(json.dumps(dict(message.properties)), "json")
    metadata = {
        "ApplicationProperties": properties,
        "UserProperties": properties,
        **{name: meta.Datum(value, "string") for name, value in texts.items() if value is not None},
        **{name: meta.Datum(value, "int") for name, value in numbers.items()},
    }
    converted = ServiceBusMessageInConverter.decode(meta.Datum(message.body, "bytes"), trigger_metadata=metadata)
    assert isinstance(converted, ServiceBusMessage)
    return converted


async def _renew(bus: MessageReceiver, delivery: Delivery) -> None:
    """Keep the lock of a message that is in work, until cancelled or until the lock is lost."""
    with suppress(LockLost):
        while True:
            await asyncio.sleep(RENEWED_AFTER)
            with suppress(BusUnavailable):  # the next renewal may come in time
                await bus.renew(delivery)
