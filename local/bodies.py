"""The bodies of requests: within the platform's limits of size and pace, and within the memory of this machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

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

    def read(self, headers: Mapping[str, str], receive: Receive) -> "Body":
        """Return the body of a request, to be read by `async with`."""
        return Body(self, headers, receive)


@dataclass
class Body:
    """The body of one request, which counts as held until the end of the block."""

    bodies: Bodies
    headers: Mapping[str, str]
    receive: Receive
    _chunks: list[bytes] = field(default_factory=list)

    async def __aenter__(self) -> bytes:
        """Return the whole body.

        Raises BodyTooLarge and TooManyBodies as soon as that is certain, BodyTooSlow, Disconnected.
        """
        if "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            return b""  # as nearly every GET
        announced = _announced(self.headers)
        if announced > self.bodies.limit:
            raise BodyTooLarge
        if self.bodies.held + announced > self.bodies.room:
            raise TooManyBodies
        try:
            await self._collect()
        except BaseException as error:
            self._release()
            if isinstance(error, TimeoutError):
                raise BodyTooSlow from error
            raise
        self._chunks[:] = [b"".join(self._chunks)]
        return self._chunks[0]

    async def __aexit__(self, *_: object) -> None:
        """Let go of the body."""
        self._release()

    async def _collect(self) -> None:
        bodies, size, more = self.bodies, 0, True
        async with asyncio.timeout(bodies.grace) as deadline:
            latest = deadline.when()
            assert latest is not None
            while more:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > bodies.limit:
                    raise BodyTooLarge
                if bodies.held + len(chunk) > bodies.room:
                    raise TooManyBodies
                self._chunks.append(chunk)
                bodies.held += len(chunk)
                if more := message.get("more_body", False):
                    deadline.reschedule(latest + size / bodies.pace)

    def _release(self) -> None:
        self.bodies.held -= sum(map(len, self._chunks))
        # While an error is handled it refers to this frame, and the frame to the chunks.
        self._chunks.clear()


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length[:18]) if length.isdecimal() else 0
