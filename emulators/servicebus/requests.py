"""Requests that come as messages, and their answers, as $cbs and $management have them."""

from collections.abc import Mapping
from dataclasses import dataclass

from emulators.servicebus.amqp.message import APPLICATION_PROPERTIES, PROPERTIES, VALUE, encode_section, sections
from emulators.servicebus.amqp.values import Malformed
from emulators.servicebus.refusals import INVALID_FIELD, Refusal

_MESSAGE_ID, _REPLY_TO, _CORRELATION_ID = 0, 4, 5


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    message_id: object
    """The answer names it with the same type."""
    reply_to: object
    arguments: dict[object, object]
    """The application properties: the operation is one of them."""
    body: object

    @classmethod
    def parse(cls, message: bytes) -> "Request":
        """Read a request. Raises Refusal."""
        properties: list[object] = []
        arguments: dict[object, object] = {}
        body: object = None
        try:
            for section in sections(message):
                if section.code == PROPERTIES:
                    properties = section.fields()
                elif section.code == APPLICATION_PROPERTIES:
                    arguments = section.pairs()
                elif section.code == VALUE:
                    body = section.value
        except Malformed as error:
            raise Refusal(INVALID_FIELD, f"This is no request: {error}") from error
        named = dict(enumerate(properties))
        return cls(named.get(_MESSAGE_ID), named.get(_REPLY_TO), arguments, body)

    def answer(self, arguments: Mapping[str, object], body: object = None) -> bytes:
        """Return the answer as a message."""
        properties = [None] * _CORRELATION_ID + [self.message_id]
        sections = ((PROPERTIES, properties), (APPLICATION_PROPERTIES, dict(arguments)), (VALUE, body))
        return b"".join(encode_section(code, value) for code, value in sections)
