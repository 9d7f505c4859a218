"""An encoded message as its sections (part 3, section 3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from emulators.servicebus.amqp.decoder import decode
from emulators.servicebus.amqp.encoder import encode
from emulators.servicebus.amqp.values import Described, Malformed, ULong

HEADER, DELIVERY_ANNOTATIONS, MESSAGE_ANNOTATIONS = 0x70, 0x71, 0x72
PROPERTIES, APPLICATION_PROPERTIES = 0x73, 0x74
DATA, SEQUENCE, VALUE, FOOTER = 0x75, 0x76, 0x77, 0x78

PROPERTY_NAMES = (
    *("message_id", "user_id", "to", "subject", "reply_to", "correlation_id", "content_type", "content_encoding"),
    *("absolute_expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id"),
)
"""The fields of the properties, in their order."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section, with its place in the bytes of the message."""

    code: int
    value: object
    start: int
    end: int

    def fields(self) -> list[object]:
        """Return the fields of a section that is a list. Raises Malformed if it is none."""
        if not isinstance(self.value, list):
            raise Malformed(f"The section 0x{self.code:02x} is no list.")
        return self.value

    def pairs(self) -> dict[object, object]:
        """Return the pairs of a section that is a map. Raises Malformed if it is none."""
        if not isinstance(self.value, dict):
            raise Malformed(f"The section 0x{self.code:02x} is no map.")
        return self.value


def sections(message: bytes) -> Iterator[Section]:
    """Yield the sections of a message. Raises Malformed if they are not in their order, or are none."""
    at, last = 0, HEADER
    while at < len(message):
        value, end = decode(message, at)
        if not isinstance(value, Described) or not isinstance(value.descriptor, int):
            raise Malformed("A message consists of sections.")
        code = int(value.descriptor)
        if not last <= code <= FOOTER:
            raise Malformed(f"The section 0x{code:02x} cannot be at {at}.")
        yield Section(code, value.value, at, end)
        at, last = end, code


def encode_section(code: int, value: object) -> bytes:
    """Return a section as bytes."""
    return encode(Described(ULong(code), value))
