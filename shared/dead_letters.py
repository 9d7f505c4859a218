"""Dead letters, and how they are sent again.

An inbound event is rejected, or fails at every attempt. An event of the archive fails at every attempt of a subscriber.
The operator looks at each, and sends it again or discards it. Both are safe to repeat.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from shared.messages import (
    DEAD_LETTERS,
    INBOUND_EVENTS,
    INBOUND_REJECTED,
    Message,
    QueuedMessage,
    id_of_repetition,
    subscription,
    subscriptions,
)
from shared.ports import Bus

REJECTED, INBOUND = "rejected", "inbound"
_TYPE = re.compile(r"it\.pagopa\.notice\.(?P<name>[a-z_]+)\.v[0-9]+")


def sources() -> dict[str, str]:
    """Return the queues of dead letters, by the names that operators use."""
    subscribers = {name: f"{subscription(name)}{DEAD_LETTERS}" for name in subscriptions()}
    return {REJECTED: INBOUND_REJECTED, INBOUND: f"{INBOUND_EVENTS}{DEAD_LETTERS}", **subscribers}


def name_of(event_type: str) -> str | None:
    """Return the name of an event, such as `paid`, from its type. None if the type is not one of the archive's."""
    match = _TYPE.fullmatch(event_type)
    return match["name"] if match else None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was not applied, or not taken."""

    source: str
    """`rejected`, `inbound`, or the name of a subscription."""
    queued: QueuedMessage

    @property
    def id(self) -> str:
        """Return the name of this dead letter: its source, a colon, its position there."""
        return f"{self.source}:{self.queued.position}"

    @property
    def reason(self) -> str:
        """Return why it is here, as one word."""
        return str(self.queued.reason or self._property("reason") or "unknown")

    @property
    def description(self) -> str:
        """Return why it is here, as a sentence."""
        return str(self.queued.description or self._property("description") or "")

    @property
    def type(self) -> str | None:
        """Return the name of the event, such as `paid`. None if the message does not say."""
        return name_of(str(self._attribute("type")))

    @property
    def institution(self) -> str | None:
        """Return the code of the institution. None if the message does not say."""
        code, slash, _ = str(self._attribute("subject")).partition("/")
        return code if slash and len(code) == 11 and code.isascii() and code.isdigit() else None

    def replayed(self) -> Message:
        """Return the message that is sent again. The bus must not take it for the old one, so it has another id."""
        message = self.queued.message
        again = id_of_repetition(message.id, "r", self.id)
        added = _ADDED | _ADDED_TO_REJECTED if self.source == REJECTED else _ADDED
        properties = {name: value for name, value in message.properties.items() if name not in added}
        if self.source not in (REJECTED, INBOUND):
            properties["replayFor"] = self.source
        return replace(message, id=again, properties=properties)

    def _property(self, name: str) -> object:
        return self.queued.message.properties.get(name)

    def _attribute(self, name: str) -> object:
        try:
            event = orjson.loads(self.queued.message.body)
        except orjson.JSONDecodeError:
            return None
        return event.get(name) if isinstance(event, dict) else None


_ADDED = {"attempt", "DeadLetterReason", "DeadLetterErrorDescription"}
"""Properties that a dead letter has and its message had not."""
_ADDED_TO_REJECTED = {"reason", "description"}
"""Those that the archive adds to an event that it rejects."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant. None is any. `since` is inclusive, `until` is not."""

    sources: Collection[str] | None = None
    ids: Collection[str] | None = None
    reason: str | None = None
    type: str | None = None
    institution: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def admits(self, letter: DeadLetter) -> bool:
        """Return whether a dead letter is meant."""
        at = letter.queued.enqueued_at
        return (
            (self.ids is None or letter.id in self.ids)
            and self.reason in (None, letter.reason)
            and self.type in (None, letter.type)
            and self.institution in (None, letter.institution)
            and (self.since is None or self.since <= at)
            and (self.until is None or at < self.until)
        )


async def find(bus: Bus, wanted: Filter) -> AsyncIterator[DeadLetter]:
    """Yield the dead letters that are meant, source by source, oldest first. It takes none of them."""
    for source, queue in sources().items():
        if wanted.sources is None or source in wanted.sources:
            async for queued in bus.peek(queue):
                letter = DeadLetter(source, queued)
                if wanted.admits(letter):
                    yield letter


async def take(bus: Bus, letters: Collection[DeadLetter]) -> AsyncGenerator[DeadLetter]:
    """Yield those that are still there. Each is removed when the next one is asked for."""
    for source, queue in sources().items():
        positions = [letter.queued.position for letter in letters if letter.source == source]
        if positions:
            async with aclosing(bus.take(queue, positions)) as taken:
                async for queued in taken:
                    yield DeadLetter(source, queued)


async def send_again(bus: Bus, letter: DeadLetter) -> None:
    """Send a dead letter to the queue that it came from, or to its one subscriber. Raises BusUnavailable."""
    if letter.source in (REJECTED, INBOUND):
        await bus.send(letter.replayed())
    else:
        await bus.publish([letter.replayed()])
