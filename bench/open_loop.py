"""Sends publications on a schedule that does not wait for answers, as many independent clients do.

A latency counts from the planned time. So a server that stops for a moment delays every request planned meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles

from bench.client import Connection, connected
from bench.cores import cpu_microseconds
from bench.measurements import Measurement
from bench.notices import JSON, STRICT, body_of, number_of
from bench.sides import Process

FIRST = 10**12
"""The first serial number of the notices that are published here. No other load uses them."""
CONNECTIONS = 64
"""Connections that are open from the start. More are opened when all of them wait for answers."""
USERS = 400
PAUSE = 1.0
"""Seconds from the answer to a user until its next request."""

_serials = count(FIRST)
_SPIN = 0.002
"""Seconds before a planned time in which the sender looks at the clock all the time: a timer may be 1 ms late."""


@dataclass(slots=True)
class Sent:
    """The results of one run."""

    latencies: list[float] = field(default_factory=list)
    """In seconds."""
    failures: int = 0

    async def publish(self, connection: Connection, planned: float) -> None:
        """Publish a new notice, and note how long after its planned time it was answered."""
        serial = next(_serials)
        try:
            reply = await connection.ask("PUT", f"{STRICT}/{number_of(serial)}", JSON, body_of(serial))
            self.failures += reply.status != 201
        except (EOFError, ConnectionError):
            self.failures += 1
        self.latencies.append(time.perf_counter() - planned)


Send = Callable[[int, float, Sent], Coroutine[None, None, None]]
"""Sends to a port for so many seconds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A load whose requests come as planned."""

    name: str
    send: Send

    def measure(self, side: str, process: Process, number: int, seconds: float) -> Measurement:
        """Send the requests to a side for so many seconds, in the round with this number."""
        sent = Sent()
        before, began = cpu_microseconds(process.pid), time.perf_counter()
        asyncio.run(self.send(process.port, seconds, sent))
        elapsed, cpu = time.perf_counter() - began, cpu_microseconds(process.pid) - before
        requests = len(sent.latencies)
        percentiles = quantiles(sent.latencies, n=100, method="inclusive")
        return Measurement(
            side,
            self.name,
            number,
            rate=requests / elapsed,
            cpu_us=cpu / requests,
            p50_ms=percentiles[49] * 1000,
            p99_ms=percentiles[98] * 1000,
            failures=sent.failures,
        )


Times = Callable[[float], Iterator[float]]
"""Yields the planned times of so many seconds, in seconds from the start."""


def constant(rate: float) -> Times:
    """Return the times of so many requests per second."""
    return lambda seconds: (position / rate for position in range(int(rate * seconds)))


def ramp(first: float, last: float) -> Times:
    """Return the times of requests whose rate per second rises evenly from the first to the last."""

    def times(seconds: float) -> Iterator[float]:
        # The requests until a time t are first * t + growth * t * t.
        growth = (last - first) / (2 * seconds)
        for position in range(int((first + last) / 2 * seconds)):
            yield (((first**2 + 4 * growth * position) ** 0.5) - first) / (2 * growth)

    return times


def planned(times: Times) -> Send:
    """Return what sends a publication at each of the times."""

    async def send(port: int, seconds: float, sent: Sent) -> None:
        async with connected(port, CONNECTIONS) as free, asyncio.TaskGroup() as tasks:
            start = time.perf_counter() + 0.1
            for after in times(seconds):
                await _until(start + after)
                tasks.create_task(_publish(port, free, start + after, sent))

    return send


async def users(port: int, seconds: float, sent: Sent) -> None:
    """Publish as USERS who each wait for the answer, and then for a second."""
    start = time.perf_counter() + 0.1

    async def user(connection: Connection, planned: float) -> None:
        while planned < start + seconds:
            await asyncio.sleep(planned - time.perf_counter())
            await sent.publish(connection, planned)
            planned = time.perf_counter() + PAUSE

    async with connected(port, USERS) as connections:
        starts = (start + PAUSE * position / USERS for position in range(USERS))
        await asyncio.gather(*map(user, connections, starts))


async def _publish(port: int, free: list[Connection], planned: float, sent: Sent) -> None:
    if not free:
        async with connected(port) as [connection]:
            await sent.publish(connection, planned)
        return
    connection = free.pop()
    await sent.publish(connection, planned)
    free.append(connection)


async def _until(moment: float) -> None:
    await asyncio.sleep(max(moment - time.perf_counter() - _SPIN, 0))
    while time.perf_counter() < moment:  # noqa: ASYNC110  a timer is not that exact
        await asyncio.sleep(0)


SHAPES = (
    Shape("70/s", planned(constant(70))),
    Shape("30 to 300/s", planned(ramp(30, 300))),
    Shape(f"{USERS} users", users),
)
