"""The measurement of events: the line that adds time to round trips, and small runs in which no event is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from bench.events import incoming, latency, outgoing
from bench.events.__main__ import PANELS, RATIOS
from bench.events.doubles import slow_line

NO_CORES: frozenset[int] = frozenset()
EVENTS = 30
PINGS = 30

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """Yield the port of a server that sends everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1024):
            writer.write(chunk)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def slow_echo(milliseconds: float) -> AsyncIterator[tuple[int, int]]:
    """Yield the port of an echo server, and the port of a slow line to it."""
    async with echoing() as port:
        line = slow_line(f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=a", milliseconds)
        connection_string = await asyncio.to_thread(line.__enter__)
        try:
            assert connection_string.endswith(";SharedAccessKeyName=a")
            yield port, int(connection_string.split(":")[2].split(";")[0])
        finally:
            await asyncio.to_thread(line.__exit__, None, None, None)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Line]:
    """Yield a connection to a port of this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def pings(port: int) -> list[float]:
    """Return how many milliseconds some pings take, one after the other."""
    taken = []
    async with connected(port) as (reader, writer):
        for _ in range(PINGS):
            began = time.perf_counter()
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"
            taken.append((time.perf_counter() - began) * 1000)
    return taken


async def test_a_ping_over_the_slow_line_takes_five_milliseconds_more() -> None:
    async with slow_echo(5) as (port, slow_port):
        direct, slow = await pings(port), await pings(slow_port)

    assert min(slow) >= 5
    # On a busy machine many pings are late, but not all.
    assert min(slow) - median(direct) < 7.5


async def test_what_is_on_the_slow_line_does_not_wait_for_each_other() -> None:
    async with slow_echo(200) as (_, port), connected(port) as (reader, writer):
        began = time.perf_counter()
        for _ in range(PINGS):
            writer.write(b"ping")
            await asyncio.sleep(0.001)
        await reader.readexactly(4 * PINGS)
        taken = time.perf_counter() - began

    assert 0.2 <= taken < 5 * 0.2, "one after the other, they would take thirty times as long"


async def test_the_slow_line_keeps_the_time_between_two_chunks() -> None:
    async with slow_echo(100) as (_, port), connected(port) as (reader, writer):

        async def send() -> float:
            writer.write(b"1")
            began = time.perf_counter()
            await asyncio.sleep(0.05)
            writer.write(b"2")
            return time.perf_counter() - began

        async def receive() -> float:
            assert await reader.read(2) == b"1"
            came = time.perf_counter()
            assert await reader.read(2) == b"2"
            return time.perf_counter() - came

        sent_apart, received_apart = await asyncio.gather(send(), receive())

    assert abs(received_apart - sent_apart) < 0.045


async def test_the_slow_line_passes_on_the_end_of_a_connection() -> None:
    async with slow_echo(5) as (_, port), connected(port) as (reader, writer):
        writer.write(b"last")
        writer.write_eof()

        assert await reader.read() == b"last"


def test_both_sides_send_all_events_to_the_topic() -> None:
    with outgoing.contest(1, EVENTS, 1, NO_CORES) as (contest, _):
        measurements = [measure(0) for measure in contest.measures.values()]

    assert [one.side for one in measurements] == [outgoing.RELAY, outgoing.ONE_BY_ONE]
    assert all(one.rate and one.cpu_us and not one.failures for one in measurements)


def test_all_receipts_of_the_queue_are_applied() -> None:
    measurement = incoming.contest(EVENTS, 1, NO_CORES).measures[incoming.CONSUMER](0)

    assert measurement.rate
    assert measurement.failures == 0


def test_the_events_of_all_changes_reach_a_subscriber() -> None:
    measurement = latency.contest(1, 1, NO_CORES).measures[latency.SUBSCRIBER](0)

    assert measurement.failures == 0
    assert measurement.p50_ms
    assert measurement.p95_ms
    assert measurement.p50_ms <= measurement.p95_ms


def test_each_load_is_in_the_chart() -> None:
    loads = {ratio.of.load for ratio in RATIOS} | {latency.LOAD, incoming.LOAD}

    assert loads == {load for panel in PANELS for load in panel.loads}
