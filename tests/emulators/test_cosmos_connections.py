"""Clients that leave: the double carries on, and logs no error of its own."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from emulators.cosmos import CosmosDouble, Fault

SIGNED = {"authorization": "type%3Daad%26ver%3D1.0%26sig%3Dt", "x-ms-documentdb-partitionkey": '["k"]'}
DOCS = "/dbs/archive/colls/things/docs"
CONTAINER = {"id": "things", "partitionKey": {"paths": ["/key"], "kind": "Hash", "version": 2}}


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield a double with one large item; in the end, look that nothing is left that nobody waited for."""
    async with CosmosDouble.started(token="t") as double:
        async with httpx.AsyncClient(base_url=double.endpoint, headers=SIGNED) as client:
            await client.post("/dbs", json={"id": "archive"})
            await client.post("/dbs/archive/colls", json=CONTAINER)
            await client.post(DOCS, json={"id": "large", "key": "k", "text": "x" * 2_000_000})
        double.log.clear()
        yield double


def a_request(double: CosmosDouble, promised: int) -> bytes:
    """Return a creation that promises a body of so many bytes, and has four."""
    headers = {"host": "127.0.0.1", "content-length": str(promised), **SIGNED}
    lines = [f"POST {DOCS} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n{   "


async def leave(double: CosmosDouble, sent: bytes, reached: str | None) -> None:
    """Send something on a connection of its own, wait until it reached the double, and reset the connection."""
    port = httpx.URL(double.endpoint).port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await writer.drain()
    if reached:
        await double.log.wait_for(reached)
    writer.transport.abort()
    await asyncio.sleep(0)


READ = "\r\n".join(
    [f"GET {DOCS}/large HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {value}" for name, value in SIGNED.items())]
).encode()


@pytest.mark.parametrize("fault", [Fault(times=0), Fault(drop="before"), Fault(drop="after"), Fault(hang="after")])
async def test_a_client_that_leaves_causes_no_error(
    double: CosmosDouble, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    double.inject(fault)
    for sent, reached in (
        (a_request(double, promised=100)[:30], None),
        (a_request(double, promised=100), None),
        (a_request(double, promised=4), "Create"),
        (READ + b"\r\n\r\n", "Read"),
    ):
        await leave(double, sent, reached)

    async with httpx.AsyncClient(base_url=double.endpoint, headers=SIGNED) as client:
        double.faults.clear()
        assert (await client.get(f"{DOCS}/large")).status_code == 200
    gc.collect()
    await asyncio.sleep(0)

    assert [record.getMessage() for record in caplog.records if record.name in ("asyncio", "aiohttp.server")] == []
