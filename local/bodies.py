"""Receive the bodies of requests, within the limits of the platform and of the memory of this machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.request import Message, Receive
from shared.deadlines import Deadline, Deadlines

MAX_BODY_SIZE = 104_857_600
"""Bytes of one body: the platform's default (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`)."""


class Disconnected(Exception):
    """The client disconnected before its body was complete."""


class BodyRefused(Exception):
    """The body is not accepted."""


class BodyTooLarge(BodyRefused):
    """The body has more bytes than the limit."""


class BodyTooSlow(BodyRefused):
    """The client sends its body too slowly."""


class TooManyBodies(BodyRefused):
    """The bodies of other requests use the memory that this one needs."""


@dataclass
class Bodies:
    """The bodies of all requests that are in progress."""

    max_size: int = MAX_BODY_SIZE
    """Bytes of one body."""
    max_total: int = 2 * MAX_BODY_SIZE
    """Bytes of all bodies together. The platform has no such limit: it adds machines."""
    grace_period: float = 5.0
    """Seconds before the minimum rate applies."""
    min_rate: float = 240.0
    """Bytes per second that a client must send."""
    in_memory: int = 0
    """Bytes that are in memory now."""

    def __post_init__(self) -> None:
        self.ends_of_grace = Deadlines(self.grace_period)

    def receive(self, headers: Mapping[str, str], receive: Receive) -> "Body":
        """Return the body of a request, for `async with`."""
        return Body(self, headers, receive)


@dataclass
class Body:
    """The body of one request. It counts as in memory until the `async with` block ends."""

    bodies: Bodies
    headers: Mapping[str, str]
    receive: Receive
    _chunks: list[bytes] = field(default_factory=list)

    async def __aenter__(self) -> bytes:
        """Return the whole body.

        Raises BodyTooLarge, TooManyBodies, BodyTooSlow, Disconnected. The first two as soon as they are certain.
        """
        if "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            return b""  # Nearly every GET.
        length = _content_length(self.headers)
        if length > self.bodies.max_size:
            raise BodyTooLarge
        if self.bodies.in_memory + length > self.bodies.max_total:
            raise TooManyBodies
        try:
            await self._receive_chunks()
        except BaseException as error:
            self._release()
            if isinstance(error, TimeoutError):
                raise BodyTooSlow from error
            raise
        self._chunks[:] = [b"".join(self._chunks)]
        return self._chunks[0]

    async def __aexit__(self, *_: object) -> None:
        """Release the memory of the body."""
        self._release()

    async def _receive_chunks(self) -> None:
        with Deadline(self.bodies.ends_of_grace) as end_of_grace:
            size, more = self._add(await self.receive(), 0)
        if not more:  # nearly always
            return
        async with asyncio.timeout(None) as deadline:
            while more:
                deadline.reschedule(end_of_grace + size / self.bodies.min_rate)
                size, more = self._add(await self.receive(), size)

    def _add(self, message: Message, size: int) -> tuple[int, bool]:
        """Add a part of the body. Return the size until now, and whether more follows."""
        bodies, chunk = self.bodies, message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise Disconnected
        size += len(chunk)
        if size > bodies.max_size:
            raise BodyTooLarge
        if bodies.in_memory + len(chunk) > bodies.max_total:
            raise TooManyBodies
        self._chunks.append(chunk)
        bodies.in_memory += len(chunk)
        return size, message.get("more_body", False)

    def _release(self) -> None:
        self.bodies.in_memory -= sum(map(len, self._chunks))
        # The traceback of an error keeps this frame alive, so the chunks must go.
        self._chunks.clear()


def _content_length(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length[:18]) if length.isdecimal() else 0
