"""A small HTTP client: one connection, one request at a time. Its own work must not count as the server's."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_LENGTH = re.compile(rb"\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON, None if there is no body."""
        return orjson.loads(self.content) if self.content else None


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to a server on this machine."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] = _NO_HEADERS, body: bytes | None = None
    ) -> Reply:
        """Send a request and return its answer. Raises EOFError or ConnectionError if there is none."""
        sent = {"Host": "localhost", **headers}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        return await self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    async def send(self, request: bytes) -> Reply:
        """Send the bytes of a request and return its answer."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        content = await self.reader.readexactly(int(length[1])) if length else b""
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines if line)
        return Reply(int(first[9:12]), {name.lower(): value for name, value in pairs}, content)


@asynccontextmanager
async def connected(port: int, count: int = 1) -> AsyncIterator[list[Connection]]:
    """Yield so many connections to a port of this machine."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_connection(port)) for _ in range(count)]


@asynccontextmanager
async def _connection(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
