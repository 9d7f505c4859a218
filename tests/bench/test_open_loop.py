"""The open loop: requests at their planned times, each counted once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.open_loop import Sent, constant, planned, ramp

SOME = 20


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Yield the port of a server with one answer, and the request lines that it has received."""
    received: list[bytes] = []
    served: list[asyncio.Task[Any] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        while head := await _head(reader):
            received.append(head.split(b"\r\n")[0])
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 %d x\r\ncontent-length: 2\r\n\r\n{}" % status)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received
        await asyncio.gather(*filter(None, served))


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def test_a_constant_rate_has_even_times() -> None:
    assert [*constant(4)(2)] == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]


def test_a_ramp_rises_from_the_first_rate_to_the_last() -> None:
    times = [*ramp(30, 300)(10)]

    assert len(times) == 1650
    assert times == sorted(times)
    assert (sum(time < 1 for time in times), sum(time >= 9 for time in times)) == pytest.approx((43.5, 286.5), abs=1)


@pytest.mark.parametrize(("status", "failures"), [(201, 0), (200, SOME), (503, SOME)])
async def test_each_planned_request_is_sent_and_anything_but_201_is_a_failure(status: int, failures: int) -> None:
    sent = Sent()

    async with answering(status) as (port, received):
        await planned(lambda seconds: iter([0.0] * SOME))(port, 1, sent)

    assert len({*received}) == SOME, "each publishes a notice of its own"
    assert (len(sent.latencies), sent.failures) == (SOME, failures)
