"""Messages of the archive ⇄ messages of the SDK of Service Bus."""

from datetime import UTC, datetime
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.amqp import AmqpMessageBodyType

from shared.messages import Message, Property, QueuedMessage

INT_32 = 2**31
"""The SDK sends integers of 32 bits."""


def outgoing_message(message: Message, at: datetime | None) -> ServiceBusMessage:
    """Return a message as the SDK sends it, to be delivered from a time on."""
    properties: dict[Any, Any] = {name: _sendable(value) for name, value in message.properties.items()}
    return ServiceBusMessage(
        message.body,
        message_id=message.id,
        session_id=message.session_id,
        content_type=message.content_type,
        application_properties=properties,
        scheduled_enqueue_time_utc=at,
    )


def _sendable(value: Any) -> Any:
    """Return the value of a property. What the SDK cannot send, a rejected message may have it, is sent as text."""
    if isinstance(value, bool | str | float) or (isinstance(value, int) and abs(value) < INT_32):
        return value
    return str(value)


def queued_message(queue: str, received: ServiceBusReceivedMessage) -> QueuedMessage:
    """Return a message that the SDK received or peeked at."""
    properties = {_text(name): _value(value) for name, value in (received.application_properties or {}).items()}
    message = Message(
        _text_or_none(received.message_id) or "",
        _body(received),
        {name: value for name, value in properties.items() if name not in _ADDED},
        _text_or_none(received.session_id),
        _text_or_none(received.content_type) or "",
    )
    return QueuedMessage(
        queue,
        received.sequence_number or 0,
        message,
        received.enqueued_time_utc or datetime.min.replace(tzinfo=UTC),
        # The service counts the deliveries before this one.
        (received.delivery_count or 0) + 1,
        received.dead_letter_reason,
        received.dead_letter_error_description,
    )


_ADDED = ("DeadLetterReason", "DeadLetterErrorDescription")
"""Properties that the service adds to dead letters."""


def _body(received: ServiceBusReceivedMessage) -> bytes:
    """Return the body as bytes, of whatever kind it is: another client may send values and lists."""
    body: Any = received.body
    if received.body_type is AmqpMessageBodyType.DATA:
        return body if isinstance(body, bytes) else b"".join(body)
    if received.body_type is AmqpMessageBodyType.SEQUENCE:
        body = list(body)
    return body if isinstance(body, bytes) else str(body).encode(errors="backslashreplace")


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _value(value: Any) -> Property:
    return value if isinstance(value, bool | int) else _text(value)
