"""The server of the gateway: HTTP/1.1 on loopback, one request after the other on each connection."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httptools

from bench.gateway.account import Account
from bench.gateway.documents import Request

HOST = "127.0.0.1"
KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The key that Microsoft publishes for its emulators. The gateway checks no signature."""

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


class Gateway:
    """An account of Cosmos DB in this process, to be started and closed on one event loop."""

    def __init__(self, consistency: str = "BoundedStaleness", latency: float = 0.0) -> None:
        """`consistency` is the default of the account. `latency` is how many seconds each answer waits."""
        self._latency = latency
        self._account = Account(lambda: self.endpoint, consistency)
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        """Return the address of the account."""
        return f"http://{HOST}:{self.port}/"

    @property
    def connection_string(self) -> str:
        """Return the connection string for a client."""
        return f"AccountEndpoint={self.endpoint};AccountKey={KEY};"

    async def start(self, port: int = 0) -> None:
        """Listen on the port, 0 for a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self._account, self._latency), HOST, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        assert self._server is not None, "the gateway was started"
        self._server.close()


@contextmanager
def running_gateway(*options: str) -> Iterator[tuple[str, int]]:
    """Run a gateway as a process of its own, on the cores of this process. Yield the connection string and the pid."""
    command = [sys.executable, "-m", "bench.gateway", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search("AccountEndpoint=.*", process.stdout.readline())
            if found is None:
                raise RuntimeError("the gateway did not start")
            yield found[0], process.pid
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    def __init__(self, account: Account, latency: float) -> None:
        self._account = account
        self._latency = latency
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path = [part for part in self._url.partition(b"?")[0].split(b"/") if part]
        request = Request(self._parser.get_method(), path, self._headers, b"".join(self._body))
        status, headers, body = self._account.answer(request)
        answer = b"%scontent-type: application/json\r\n%scontent-length: %d\r\nx-ms-activity-id: %s\r\n\r\n%s" % (
            _STATUS_LINES[status],
            headers,
            len(body),
            self._headers.get(b"x-ms-activity-id", b"0"),
            body,
        )
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)
        else:
            self._transport.write(answer)
