"""Messages as queues and subscriptions hold them, and the names of the queues and the topic.

The settings of each queue and subscription are in infra/messaging.json.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

INBOUND_EVENTS = "inbound-events"
"""The queue of the events that services of pagoPA send to the archive."""
INBOUND_REJECTED = "inbound-rejected"
"""The queue of the inbound events that can never be applied. Operators read it."""
NOTICE_EVENTS = "notice-events"
"""The topic of the events that the archive sends."""
DEAD_LETTERS = "/$deadletterqueue"
"""The end of the name of a queue of dead letters."""
CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"
"""The content type of every message: one CloudEvents 1.0 event in structured JSON."""

Property = str | int | bool
_REPETITION = re.compile(r":(?:[orw][0-9]{1,6}|s[0-9]{1,16})$")


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be sent. Two messages with one `id` are one message to the bus, for an hour."""

    id: str
    body: bytes
    properties: Mapping[str, Property] = field(default_factory=lambda: MappingProxyType({}))
    """The application properties, by which subscriptions filter."""
    session_id: str | None = None
    content_type: str = CLOUD_EVENT


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message as a queue holds it. `position` is its place there (sequence number)."""

    queue: str
    position: int
    message: Message
    enqueued_at: datetime
    delivery_count: int = 0
    """How many times it was delivered, with this delivery."""
    reason: str | None = None
    """Why it became a dead letter, as one word."""
    description: str | None = None
    """Why it became a dead letter, as a sentence."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was delivered and is locked. It comes again unless it is completed."""

    queued: QueuedMessage
    lock: object
    """Identifies the lock, for the bus that gave it."""


def id_of_repetition(message_id: str, purpose: str, *facts: object) -> str:
    """Return the id of a message that is sent once more, of 128 characters at most.

    The bus drops an id that it has seen. So each repetition has an id of its own, and the same repetition the same one:
    the number in it follows from the facts. `purpose` is one letter.
    """
    text = "|".join(map(str, (message_id, *facts)))
    number = int.from_bytes(sha256(text.encode()).digest()[:8], "big") % 1_000_000
    return f"{_REPETITION.sub('', message_id)}:{purpose}{number}"


def subscription(name: str) -> str:
    """Return the name of the queue that a subscription of the topic is."""
    return f"{NOTICE_EVENTS}/subscriptions/{name}"


@cache
def entities() -> Mapping[str, Any]:
    """Return the settings of the queues and the topic, as infra/messaging.json holds them. It is not deployed."""
    file = Path(__file__).parent.parent / "infra" / "messaging.json"
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType(read)


def subscriptions() -> Mapping[str, Mapping[str, Any]]:
    """Return the settings of the subscriptions of the topic, by their names."""
    found: dict[str, dict[str, Any]] = entities()["topics"][NOTICE_EVENTS]["subscriptions"]
    return found
