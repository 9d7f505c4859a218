"""The content of a message: its bytes as a client sent them, and the parts of them that the double reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import uuid4

from emulators.servicebus.amqp.message import (
    APPLICATION_PROPERTIES,
    DATA,
    HEADER,
    MESSAGE_ANNOTATIONS,
    PROPERTIES,
    PROPERTY_NAMES,
    Section,
    encode_section,
    sections,
)
from emulators.servicebus.amqp.values import Malformed, Symbol, UInt
from emulators.servicebus.filters import Names
from emulators.servicebus.refusals import INVALID_FIELD, NOT_ALLOWED, Refusal

BATCH = 0x80013700
"""The format of a transfer that has several messages, each as a data section."""
LONGEST_ID = 128
"""Characters of a message id, at most."""

_SCHEDULED = "x-opt-scheduled-enqueue-time"
_LARGEST_TTL = 0xFFFFFFFF


@dataclass(frozen=True)
class Content:
    """A message without the numbers and times that the service adds.

    `bare` are its properties, application properties and body as bytes. They stay as they came.
    """

    header: list[object]
    """durable, priority, and the time to live in milliseconds. The service owns the rest of the header."""
    annotations: dict[object, object]
    bare: bytes
    message_id: str
    """Of a message without an id, the one that the double gave it."""

    @classmethod
    def parse(cls, message: bytes) -> "Content":
        """Read an encoded message. Raises Malformed, and Refusal for an id that is too long."""
        header: list[object] = []
        annotations: dict[object, object] = {}
        properties: list[object] = []
        bare_at = body_at = len(message)
        for section in reversed([*sections(message)]):
            if section.code >= PROPERTIES:
                bare_at = section.start
            if section.code > PROPERTIES:
                body_at = section.start
            if section.code == HEADER:
                header = section.fields()[:3]
            elif section.code == MESSAGE_ANNOTATIONS:
                annotations = section.pairs()
            elif section.code == PROPERTIES:
                properties = section.fields()
        bare = message[bare_at:]
        if not properties or properties[0] is None:
            properties = [uuid4().hex, *properties[1:]]
            bare = encode_section(PROPERTIES, properties) + message[body_at:]
        message_id = str(properties[0])
        if not message_id or len(message_id) > LONGEST_ID:
            raise Refusal(NOT_ALLOWED, f"A MessageId has 1 to {LONGEST_ID} characters, not {len(message_id)}.")
        return cls(header, annotations, bare, message_id)

    @property
    def time_to_live(self) -> int | None:
        """Return the milliseconds that the client gives it. None: as long as the entity says."""
        ttl = self.header[2] if len(self.header) > 2 else None
        return int(ttl) if isinstance(ttl, UInt) and ttl else None

    @property
    def scheduled_at(self) -> int:
        """Return the time from which it can be received, in milliseconds since 1970. 0: at once."""
        at = self.annotations.get(_SCHEDULED)
        return int(at) if isinstance(at, int) else 0

    @cached_property
    def names(self) -> Names:
        """Return the names that a filter can ask for."""
        properties: list[object] = []
        application: dict[object, object] = {}
        for section in sections(self.bare):
            if section.code == PROPERTIES:
                properties = section.fields()
            elif section.code == APPLICATION_PROPERTIES:
                application = section.pairs()
        return Names(dict(zip(PROPERTY_NAMES, properties, strict=False)), application)

    def with_application_properties(self, changes: Mapping[object, object]) -> "Content":
        """Return it with properties added or replaced."""
        if not changes:
            return self
        parts = [*sections(self.bare)]
        old = next((part for part in parts if part.code == APPLICATION_PROPERTIES), None)
        kept = old.pairs() if old else {}
        end = next((part.end for part in parts if part.code == PROPERTIES), 0)
        new = encode_section(APPLICATION_PROPERTIES, kept | {str(name): value for name, value in changes.items()})
        return replace(self, bare=self.bare[:end] + new + self.bare[old.end if old else end :])

    def encode(self, annotations: Mapping[str, object], delivery_count: int, time_to_live: int | None) -> bytes:
        """Return it as it goes to a receiver, with annotations of the service."""
        durable, priority, _ = (*self.header, None, None, None)[:3]
        ttl = None if time_to_live is None else UInt(min(time_to_live, _LARGEST_TTL))
        header = encode_section(HEADER, [durable, priority, ttl, None, UInt(delivery_count)])
        shown = self.annotations | {Symbol(name): value for name, value in annotations.items()}
        return header + encode_section(MESSAGE_ANNOTATIONS, shown) + self.bare

    def stored(self) -> bytes:
        """Return all of it as one message, for `parse` to read again."""
        parts = [encode_section(HEADER, self.header)] if self.header else []
        parts += [encode_section(MESSAGE_ANNOTATIONS, self.annotations)] if self.annotations else []
        return b"".join((*parts, self.bare))


def parse_transfer(payload: bytes, message_format: int | None) -> list[Content]:
    """Return the messages of a transfer: one, or those of a batch. Raises Refusal."""
    try:
        if message_format != BATCH:
            return [Content.parse(payload)]
        return [Content.parse(_data(section)) for section in _only_data(sections(payload))]
    except Malformed as error:
        raise Refusal(INVALID_FIELD, f"This is no message: {error}") from error


def _only_data(parts: Iterable[Section]) -> list[Section]:
    return [part for part in parts if part.code == DATA]


def _data(section: Section) -> bytes:
    if not isinstance(section.value, bytes):
        raise Malformed("A data section consists of bytes.")
    return section.value
