"""The bodies of requests: within the platform's limits of size and pace, and within the memory of this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from local.request import Receive

BODY_LIMIT = 104_857_600
"""Bytes of a body, the platform's default (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`)."""


class Disconnected(Exception):
    """The client left before its body was read."""


class BodyRefused(Exception):
    """The body is not read, or not to its end."""


class BodyTooLarge(BodyRefused):
    """The body is over the limit."""


class BodyTooSlow(BodyRefused):
    """The client sends its body more slowly than it must."""


class TooManyBodies(BodyRefused):
    """The bodies of other requests leave no room for this one."""


@dataclass
class Bodies:
    """The bodies of all requests that are under way."""

    limit: int = BODY_LIMIT
    """Bytes of one body."""
    room: int = 2 * BODY_LIMIT
    """Bytes of all bodies together. The platform has no such limit, it adds machines."""
    grace: float = 5.0
    """Seconds before the pace counts."""
    pace: float = 240.0
    """Bytes a second that a client must send."""
    held: int = 0
    """Bytes that are in memory now."""

    @asynccontextmanager
    async def read(self, headers: Mapping[str, str], receive: Receive) -> AsyncIterator[bytes]:
        """Yield the body of a request. It counts as held until the end of the block.

        Raises BodyTooLarge and TooManyBodies as soon as that is certain, BodyTooSlow, Disconnected.
        """
        if "content-length" not in headers and "transfer-encoding" not in headers:
            yield b""  # as nearly every GET
            return
        announced = _announced(headers)
        if announced > self.limit:
            raise BodyTooLarge
        if self.held + announced > self.room:
            raise TooManyBodies
        chunks: list[bytes] = []
        try:
            try:
                await self._collect(chunks, receive)
            except TimeoutError as error:
                raise BodyTooSlow from error
            chunks[:] = [b"".join(chunks)]
            yield chunks[0]
        finally:
            self.held -= sum(map(len, chunks))
            # While an error is handled it refers to this frame, and the frame to the chunks.
            chunks.clear()

    async def _collect(self, chunks: list[bytes], receive: Receive) -> None:
        size, more = 0, True
        async with asyncio.timeout(self.grace) as deadline:
            latest = deadline.when()
            assert latest is not None
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(chunk)
                if size > self.limit:
                    raise BodyTooLarge
                if self.held + len(chunk) > self.room:
                    raise TooManyBodies
                chunks.append(chunk)
                self.held += len(chunk)
                deadline.reschedule(latest + size / self.pace)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length[:18]) if length.isdecimal() else 0
