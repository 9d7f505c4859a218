"""What the development host makes of the bytes of a connection: requests, limits and refusals."""

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import pytest
import uvicorn

from local.__main__ import server_config
from local.protocol import FIELDS_LIMIT, HEADERS_LIMIT, REQUEST_LINE_LIMIT, Protocol
from local.request import Receive, Scope, Send
from local.response import send_answer
from tests.server import PATIENCE

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was received; `/slow` takes its time."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * Impatient.head_seconds)
    headers = [f"{name.decode()}: {value.decode()}" for name, value in scope["headers"]]
    seen = {"method": scope["method"], "path": scope["path"], "body": body.decode(), "headers": headers}
    await send_answer(send, scope["method"], (200, [], json.dumps(seen).encode()))


class Impatient(Protocol):
    """A protocol with a limit of time that a test can wait for, and that a busy machine does not reach."""

    head_seconds = 0.5


@asynccontextmanager
async def served(protocol: type[Protocol] = Protocol, patience: int = 3) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    """Yield the port of a server, and the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server_config(echo)
        config.http, config.timeout_graceful_shutdown = protocol, patience
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1], server
        finally:
            server.should_exit = True
            await serving


class Client:
    """One connection, over which a test sends any bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        """Send the bytes, in a segment of their own if the server has answered to what came before."""
        self._writer.write(data)

    async def read_head(self) -> bytes:
        """Return the bytes to the next blank line."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def seen(self) -> dict[str, Any]:
        """Return what the server received, as its answer says."""
        head = await self.read_head()
        assert head.startswith(b"HTTP/1.1 200 ")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        content: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        return content

    async def rest(self) -> bytes:
        """Return the bytes until the server closes the connection."""
        return await self._reader.read()

    def close(self) -> None:
        """Leave."""
        self._writer.close()


@asynccontextmanager
async def connected(protocol: type[Protocol] = Protocol, patience: int = 3) -> AsyncIterator[Client]:
    """Yield a connection to a server of its own."""
    async with asyncio.timeout(PATIENCE), served(protocol, patience) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()


def put(path: str, *headers: bytes, length: int) -> bytes:
    lines = [b"PUT %s HTTP/1.1" % path.encode(), b"Host: x", b"Content-Length: %d" % length, *headers]
    return b"\r\n".join([*lines, b"", b""])


def refusal(status: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


# Offers of another protocol


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_body_behind_an_offer_is_a_body_in_whatever_segments_it_comes(before: int) -> None:
    async with connected() as client:
        for _ in range(before):
            client.send(put("/before", length=2) + b"{}")
            assert (await client.seen())["path"] == "/before"

        client.send(put("/offer", OFFER + b"Expect: 100-continue", length=len(SMUGGLED)))
        assert (await client.read_head()).startswith(b"HTTP/1.1 100 ")
        client.send(SMUGGLED)
        seen = await client.seen()
        client.send(put("/after", length=0))
        after = await client.seen()

    assert (seen["path"], seen["body"]) == ("/offer", SMUGGLED.decode())
    assert after["path"] == "/after"


async def test_requests_with_offers_that_come_all_at_once_are_answered_in_order() -> None:
    async with connected() as client:
        client.send(b"".join(put(f"/{n}", OFFER.strip(), length=len(SMUGGLED)) + SMUGGLED for n in range(1000)))
        seen = [await client.seen() for _ in range(1000)]

    assert [each["path"] for each in seen] == [f"/{n}" for n in range(1000)]
    assert {each["body"] for each in seen} == {SMUGGLED.decode()}


async def test_a_chunked_body_behind_an_offer_ends_where_its_chunks_end() -> None:
    async with connected() as client:
        client.send(b"PUT /offer HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Transfer-Encoding: chunked\r\n\r\n")
        client.send(b"2\r\n{}\r\n0\r\n\r\n" + put("/after", length=0))
        seen = [await client.seen(), await client.seen()]

    assert [(each["path"], each["body"]) for each in seen] == [("/offer", "{}"), ("/after", "")]


async def test_the_function_sees_the_headers_of_an_offer() -> None:
    async with connected() as client:
        client.send(put("/offer", OFFER.strip(), length=0))
        seen = await client.seen()

    assert seen["headers"][2:] == [
        "connection: Upgrade, HTTP2-Settings",
        "upgrade: h2c",
        "http2-settings: AAEAAEAA",
    ]


async def test_the_headers_of_an_offer_are_not_those_of_the_next_request() -> None:
    async with connected() as client:
        client.send(put("/offer", OFFER.strip(), length=0))
        await client.seen()
        client.send(put("/after", length=0))
        after = await client.seen()

    assert after["headers"] == ["host: x", "content-length: 0"]


async def test_what_comes_behind_a_chunked_body_is_no_header() -> None:
    async with connected() as client:
        client.send(b"PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"0\r\nX-Trailer: a\r\n\r\n")
        seen = await client.seen()

    assert seen["headers"] == ["host: x", "transfer-encoding: chunked"]


# Limits of size


async def test_a_request_line_of_the_limit_is_served_and_a_longer_one_is_414() -> None:
    around = len(b"GET / HTTP/1.1\r\n")
    query = b"?" + b"q" * (REQUEST_LINE_LIMIT - around - 1)
    async with connected() as client:
        client.send(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % query)
        assert (await client.seen())["path"] == "/"

        client.send(b"GET /%sq HTTP/1.1\r\nHost: x\r\n\r\n" % query)
        assert await client.rest() == refusal(b"414 Request-URI Too Long")


async def test_headers_of_the_limit_are_served_and_longer_ones_are_431() -> None:
    around = len(b"Host: x\r\nX-Long: \r\n")
    long = b"x" * (HEADERS_LIMIT - around)
    async with connected() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n" % long)
        assert (await client.seen())["path"] == "/"

        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: %sx\r\n\r\n" % long)
        assert await client.rest() == refusal(b"431 Request Header Fields Too Large")


async def test_as_many_headers_as_the_limit_are_served_and_one_more_is_431() -> None:
    async with connected() as client:
        client.send(b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * FIELDS_LIMIT + b"\r\n")
        assert len((await client.seen())["headers"]) == FIELDS_LIMIT

        client.send(b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * (FIELDS_LIMIT + 1) + b"\r\n")
        assert await client.rest() == refusal(b"431 Request Header Fields Too Large")


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nX-Long: ", b"GET / HTTP/1.1\r\nX"])
async def test_a_header_that_does_not_end_is_431_and_is_not_kept(begun: bytes) -> None:
    async with connected() as client:
        client.send(begun + b"x" * 1024 * 1024)

        assert await client.rest() == refusal(b"431 Request Header Fields Too Large")


async def test_many_requests_at_once_are_no_long_head() -> None:
    request = put("/x", b"X-Long: " + b"x" * 1000, length=0)
    async with connected() as client:
        client.send(request * 1000 + request[:500])

        assert [(await client.seen())["path"] for _ in range(1000)] == ["/x"] * 1000


# Requests that cannot be read


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET /a%00b HTTP/1.1\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        b"GET /?\xff HTTP/1.1\r\n\r\n",
        b"GET /#a HTTP/1.1\r\n\r\n",
        b"GET /?a#b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Name: perch\xe9\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_a_request_that_cannot_be_read_is_400_and_the_end(sent: bytes) -> None:
    async with connected() as client:
        client.send(sent + SMUGGLED)

        assert await client.rest() == refusal(b"400 Bad Request")


async def test_a_request_is_answered_before_the_end_that_the_next_one_causes() -> None:
    async with connected() as client:
        client.send(put("/first", length=2) + b"{}" + b"nonsense\r\n\r\n")

        assert (await client.seen())["path"] == "/first"
        assert await client.rest() == b""


async def test_a_body_that_cannot_be_read_is_400_and_the_end() -> None:
    async with connected() as client:
        client.send(b"PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")

        assert await client.rest() == refusal(b"400 Bad Request")


async def test_a_value_in_utf_8_and_an_encoded_null_in_a_query_are_read() -> None:
    async with connected() as client:
        client.send(b"GET /x?a=%00 HTTP/1.1\r\nX-Name: perch\xc3\xa9\r\n\r\n")

        assert (await client.seen())["headers"] == ["x-name: perché"]


# Limits of time


@pytest.mark.parametrize("sent", [b"G", SMUGGLED[:-2]])
async def test_a_head_that_does_not_end_in_time_is_408(sent: bytes) -> None:
    async with connected(Impatient) as client:
        client.send(sent)

        assert await client.rest() == refusal(b"408 Request Timeout")


async def test_a_head_that_does_not_end_after_an_answer_is_408_too() -> None:
    async with connected(Impatient) as client:
        client.send(SMUGGLED + SMUGGLED[:-2])

        assert (await client.seen())["path"] == "/smuggled"
        assert await client.rest() == refusal(b"408 Request Timeout")


async def test_a_connection_over_which_nothing_comes_is_closed() -> None:
    async with connected(Impatient) as client:
        assert await client.rest() == b""


async def test_a_connection_may_be_idle_for_longer_than_a_head_between_two_requests() -> None:
    async with connected(Impatient) as client:
        for path in ("/first", "/second"):
            client.send(put(path, length=0))
            assert (await client.seen())["path"] == path
            await asyncio.sleep(2 * Impatient.head_seconds)


async def test_a_connection_that_is_lost_is_not_kept_until_the_time_of_a_head_is_over() -> None:
    open_now: WeakSet[Protocol] = WeakSet()

    class Patient(Protocol):
        head_seconds = 10 * PATIENCE

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            open_now.add(self)

    async with connected(Patient) as client:
        client.send(SMUGGLED + SMUGGLED[:-2])
        assert (await client.seen())["path"] == "/smuggled"
        assert open_now
        client.close()

        while open_now:
            gc.collect()
            await asyncio.sleep(0.01)


async def test_blank_lines_do_not_keep_an_idle_connection_open() -> None:
    async with connected(Impatient) as client:
        client.send(put("/first", length=0))
        assert (await client.seen())["path"] == "/first"
        client.send(b"\r\n")

        assert await client.rest() == b""


async def test_a_function_may_take_longer_than_a_head() -> None:
    async with connected(Impatient) as client:
        client.send(put("/slow", length=0))

        assert (await client.seen())["path"] == "/slow"


async def test_a_request_that_never_ends_does_not_keep_the_host_from_stopping() -> None:
    async with asyncio.timeout(PATIENCE), served(patience=0) as (port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = Client(reader, writer)
        client.send(put("/x", b"Expect: 100-continue", length=2))
        assert (await client.read_head()).startswith(b"HTTP/1.1 100 ")
        server.should_exit = True

        assert (await client.read_head()).startswith(b"HTTP/1.1 503 ")
        writer.close()
