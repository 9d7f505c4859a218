"""Cut a stream of bytes into frames, and write frames (part 2, section 2.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from emulators.servicebus.amqp.composite import Composite
from emulators.servicebus.amqp.decoder import decode
from emulators.servicebus.amqp.values import Described, Malformed

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"
"""A side without anything to send sends this, so that the other side knows that it is alive."""
MAX_FRAME_SIZE = 65536

AMQP, SASL = 0, 1
_HEADER_SIZE = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A performative on a channel, with the bytes behind it. An empty frame has no performative."""

    type: int
    channel: int
    performative: Described | None
    payload: bytes = b""


class FrameBuffer:
    """The bytes that came and are no whole frame yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._expects_header = True

    def add(self, data: bytes) -> None:
        """Add bytes that came from the network."""
        self._bytes += data

    def expect_header(self) -> None:
        """Say that a protocol header comes next, as after SASL."""
        self._expects_header = True

    def __iter__(self) -> Iterator[Frame | bytes]:
        """Take out each whole protocol header, as its bytes, and each whole frame. Raises Malformed."""
        while len(self._bytes) >= _HEADER_SIZE:
            if self._expects_header:
                self._expects_header = False
                yield self._take(_HEADER_SIZE)
                continue
            size = int.from_bytes(self._bytes[:4], "big")
            if not _HEADER_SIZE <= size <= MAX_FRAME_SIZE:
                raise Malformed(f"A frame cannot have {size} bytes.")
            if len(self._bytes) < size:
                return
            yield _parse(self._take(size))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._bytes[:size])
        del self._bytes[:size]
        return taken


def write_frame(channel: int, performative: bytes, payload: bytes = b"", type_: int = AMQP) -> bytes:
    """Return a frame as bytes."""
    size = _HEADER_SIZE + len(performative) + len(payload)
    return size.to_bytes(4, "big") + bytes((2, type_)) + channel.to_bytes(2, "big") + performative + payload


def write_sasl(performative: Composite) -> bytes:
    """Return a frame of the SASL layer as bytes."""
    return write_frame(0, performative.encode(), type_=SASL)


def _parse(data: bytes) -> Frame:
    start, type_, channel = 4 * data[4], data[5], int.from_bytes(data[6:8], "big")
    if not _HEADER_SIZE <= start <= len(data):
        raise Malformed(f"The body of a frame cannot begin at {start}.")
    if start == len(data):
        return Frame(type_, channel, None)
    performative, end = decode(data, start)
    if not isinstance(performative, Described):
        raise Malformed("A frame begins with a performative.")
    return Frame(type_, channel, performative, data[end:])
