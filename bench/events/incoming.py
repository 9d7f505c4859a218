"""Events in: receipts for published notices, from the queue through the consumer into the store.

The function is called as the development host calls it, for 16 messages at a time, as host.json says.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
from azure.servicebus.aio import ServiceBusClient

import shared.wire.inbound  # noqa: F401  so that the first message does not load it
from bench.contests import Contest
from bench.events.doubles import cosmos_double, service_bus_double
from bench.events.ground import Watch, address_of, opened, publish, watch
from bench.events.outgoing import outgoing
from bench.measurements import Measurement
from bench.rounds import WARM_UP
from local.functions import Function
from local.queues import QueueTrigger
from shared.bootstrap import Application, utc_now
from shared.inbound import Outcome, consume
from shared.messages import INBOUND_EVENTS, Delivery, Message
from shared.ports import Bus

CONSUMER = "consumer"
AT_ONCE = 16
LOAD = f"in, {AT_ONCE} at once"
_BATCH = 100
_PATIENCE = 300.0
"""Seconds that all events may take."""


def contest(events: int, rounds: int, cores: frozenset[int]) -> Contest:
    """Return the contest of the consumer, which is alone."""

    def measure(number: int) -> Measurement:
        count = max(events // 5, 1) if number == WARM_UP else events
        with cosmos_double(cores) as account, service_bus_double(cores) as namespace:
            taken, failures = asyncio.run(_consumed(account.connection_string, namespace.connection_string, count))
        cpu_us = taken.cpu_seconds / count * 1e6
        return Measurement(CONSUMER, LOAD, number, rate=count / taken.seconds, cpu_us=cpu_us, failures=failures)

    return Contest(LOAD, {CONSUMER: measure}, rounds)


@dataclass(slots=True)
class _Counted:
    """The bus, which counts the messages that are completed."""

    bus: Bus
    left: int
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        return await self.bus.receive(queue, limit)

    async def complete(self, delivery: Delivery) -> None:
        await self.bus.complete(delivery)
        self.left -= 1
        if not self.left:
            self.done.set()

    async def abandon(self, delivery: Delivery) -> None:
        await self.bus.abandon(delivery)

    async def renew(self, delivery: Delivery) -> None:
        await self.bus.renew(delivery)


async def _consumed(account: str, namespace: str, events: int) -> tuple[Watch, int]:
    """Return what it took to consume so many receipts, and how many of them were not applied."""
    applied = 0

    async def handle(message: func.ServiceBusMessage) -> None:
        nonlocal applied
        if await consume(message) is Outcome.APPLIED:
            applied += 1

    async with opened(account, namespace) as application:
        assert application.bus is not None, "a namespace is named"
        await publish(application, range(events))
        await _send(namespace, events)
        await _open_link(application)
        bus = _Counted(application.bus, events)
        trigger = {"type": "serviceBusTrigger", "name": "message", "queueName": INBOUND_EVENTS}
        queue = QueueTrigger(Function("consume_events", handle, trigger), AT_ONCE)
        with watch() as taken:
            running = asyncio.create_task(queue.run(bus))
            async with asyncio.timeout(_PATIENCE):
                await bus.done.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return taken, events - applied


async def _send(namespace: str, events: int) -> None:
    """Put the receipts into the queue."""
    async with (
        ServiceBusClient.from_connection_string(namespace) as client,
        client.get_queue_sender(INBOUND_EVENTS) as sender,
    ):
        for first in range(0, events, _BATCH):
            receipts = map(_receipt, range(first, min(first + _BATCH, events)))
            await sender.send_messages([outgoing(receipt) for receipt in receipts])


async def _open_link(application: Application) -> None:
    """Look into the queue, so that the link is open before the clock starts."""
    assert application.bus is not None, "a namespace is named"
    await anext(application.bus.peek(INBOUND_EVENTS))


def _receipt(serial: int) -> Message:
    """Return the receipt that pays the notice with this serial number."""
    address, now = address_of(serial), utc_now().isoformat()
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"receipt-{serial}",
        "source": "/nodo/receipts",
        "type": "it.pagopa.notice.paid.v1",
        "subject": f"{address.creditor_institution}/{address.number}",
        "time": now,
        "data": {
            "creditorInstitution": address.creditor_institution,
            "noticeNumber": address.number,
            "receiptId": f"receipt-{serial}",
            "amount": 12050,
            "paidAt": now,
            "pspId": "ABI03069",
        },
    }
    return Message(f"receipt-{serial}", json.dumps(event).encode())
