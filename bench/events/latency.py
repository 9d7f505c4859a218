"""From a change to a subscriber: how long after the answer 201 an event is with a subscriber of the topic.

Publications come at a constant rate, and do not wait for each other. The archive is its development host, as a process
of its own. Its relay begins a turn every two seconds, and a turn goes on while it finds new events. So an event waits
for the next turn, or only for the page before it.
"""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from bench.client import Connection
from bench.contests import Contest
from bench.events.doubles import cosmos_double, service_bus_double
from bench.measurements import Measurement
from bench.notices import JSON, STRICT, body_of, number_of
from bench.open_loop import Sent, constant, planned
from bench.rounds import WARM_UP
from shared.messages import NOTICE_EVENTS
from tests.server import running
from tests.support import INSTITUTION

SUBSCRIBER = "subscriber"
RATE = 100
LOAD = f"{RATE} changes/s"
_PREFETCHED = 100
_PATIENCE = 15.0
"""Seconds after the last change until an event that has not come is counted as lost."""


def contest(seconds: float, rounds: int, cores: frozenset[int]) -> Contest:
    """Return the contest of the subscriber, which is alone."""

    def measure(number: int) -> Measurement:
        lasting = min(seconds, 3) if number == WARM_UP else seconds
        with (
            tempfile.TemporaryDirectory() as folder,
            cosmos_double(cores) as account,
            service_bus_double(cores) as namespace,
            running(Path(folder), account.connection_string, SERVICEBUS=namespace.connection_string) as server,
        ):
            return asyncio.run(_measured(server.port, namespace.connection_string, lasting, number))

    return Contest(LOAD, {SUBSCRIBER: measure}, rounds)


@dataclass(slots=True)
class _Published(Sent):
    """The changes that were answered 201, and the events that came."""

    answered: dict[str, float] = field(default_factory=dict)
    """When each notice was answered, by the subject of its event."""
    received: dict[str, float] = field(default_factory=dict)
    """When the first event of each notice came."""
    last: int = 0
    """The serial number of the newest notice."""

    async def publish(self, connection: Connection, planned: float) -> None:
        """Publish a new notice, and note when it was answered."""
        self.last += 1
        serial, number = self.last, number_of(self.last)
        try:
            reply = await connection.ask("PUT", f"{STRICT}/{number}", JSON, body_of(serial))
        except (EOFError, ConnectionError):
            self.failures += 1
            return
        if reply.status == 201:
            self.answered[f"{INSTITUTION}/{number}"] = time.perf_counter()
        else:
            self.failures += 1

    @property
    def is_complete(self) -> bool:
        """Return whether the event of every answered change has come."""
        return self.answered.keys() <= self.received.keys()


async def _measured(port: int, namespace: str, seconds: float, number: int) -> Measurement:
    published = _Published()
    async with (
        ServiceBusClient.from_connection_string(namespace) as client,
        client.get_subscription_receiver(NOTICE_EVENTS, "all", prefetch_count=_PREFETCHED) as receiver,
    ):
        receiving = asyncio.create_task(_receive(receiver, published))
        began = time.perf_counter()
        await planned(constant(RATE))(port, seconds, published)
        elapsed = time.perf_counter() - began
        await _until_complete(published)
        while not receiving.done():  # the SDK may take a cancellation for the end of a wait
            receiving.cancel()
            await asyncio.wait([receiving], timeout=1)
    # An event may come before the answer to its change.
    came = [max(at - published.answered[subject], 0) for subject, at in published.received.items()]
    percentiles = quantiles(came, n=100, method="inclusive")
    lost = len(published.answered.keys() - published.received.keys())
    return Measurement(
        SUBSCRIBER,
        LOAD,
        number,
        rate=len(published.answered) / elapsed,
        p50_ms=percentiles[49] * 1000,
        p95_ms=percentiles[94] * 1000,
        p99_ms=percentiles[98] * 1000,
        failures=published.failures + lost,
    )


async def _receive(receiver: ServiceBusReceiver, published: _Published) -> None:
    """Note when each event comes, and complete it meanwhile, until cancelled."""
    came: asyncio.Queue[ServiceBusReceivedMessage] = asyncio.Queue()

    async def complete() -> None:
        while True:
            await receiver.complete_message(await came.get())

    completing = asyncio.create_task(complete())
    try:
        async for message in receiver:
            now = time.perf_counter()
            event = json.loads(b"".join(message.body))
            published.received.setdefault(event["subject"], now)
            came.put_nowait(message)
    finally:
        completing.cancel()


async def _until_complete(published: _Published) -> None:
    """Wait until all events have come, or until the patience ends."""
    ends_at = time.perf_counter() + _PATIENCE
    while not published.is_complete and time.perf_counter() < ends_at:  # noqa: ASYNC110  a link brings them
        await asyncio.sleep(0.05)
