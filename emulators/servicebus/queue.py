"""A queue: of its own, of a subscription, or of dead letters. It locks, gives and settles messages.

The deliveries of a message are counted as the service does: a delivery that was abandoned counts, and one whose lock
was lost, but not one that was released. So the first delivery has the count 0.
"""

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from emulators.servicebus.content import Content
from emulators.servicebus.entities import QueueSettings
from emulators.servicebus.messages import Lock, Message
from emulators.servicebus.refusals import NOT_ALLOWED, Refusal, lock_lost

if TYPE_CHECKING:
    from emulators.servicebus.broker import Broker

Changes = Mapping[object, object]
"""Application properties that a receiver adds or replaces when it gives a message back."""


class Consumer(Protocol):
    """A receiver of messages, with a lock for each."""

    @property
    def credit(self) -> int:
        """Return how many messages it takes at the moment."""

    def deliver(self, message: Message) -> None:
        """Take a locked message."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The messages of a queue: those that a receiver can get, and those that one has."""

    active: int
    locked: int


class Queue:
    """Messages in the order of their numbers, and the receivers that wait for them."""

    def __init__(self, broker: "Broker", path: str, settings: QueueSettings, is_dead: bool = False) -> None:
        """Begin empty. A queue of dead letters has no other one behind it."""
        self.path = path
        self._broker = broker
        self._settings = settings
        self.dead_letters = None if is_dead else Queue(broker, f"{path}/$DeadLetterQueue", settings, is_dead=True)
        self._messages: dict[int, Message] = {}
        self._locked: dict[UUID, Message] = {}
        self._ready: list[int] = []
        """A heap of the numbers of messages without a lock, and perhaps of some that are gone."""
        self._consumers: deque[Consumer] = deque()

    def put(self, content: Content, enqueued_number: int, time_to_live: int | None) -> None:
        """Add a message. It lives as long as its content, its topic and its queue allow."""
        limits = [limit for limit in (time_to_live, self._settings.time_to_live, content.time_to_live) if limit]
        number, now = self._broker.next_number(), self._broker.now
        self.add(Message(number, content, enqueued_number or number, now, min(limits, default=None)))

    def add(self, message: Message) -> None:
        """Add a message as it is."""
        self._broker.journal.put(self.path, message)
        self.recover(message)

    def recover(self, message: Message) -> None:
        """Add a message that the journal has. If it was delivered too often already, it becomes a dead letter."""
        message.is_dead = self.dead_letters is None
        self._messages[message.number] = message
        if self._is_undeliverable(message):
            self._bury_undeliverable(message)
            return
        if message.expires_at is not None:
            self._broker.due(message.expires_at, self, message.number)
        if message.is_scheduled(self._broker.now):
            self._broker.due(message.content.scheduled_at, self, message.number)
        else:
            self._offer(message)

    def subscribe(self, consumer: Consumer) -> None:
        """Give messages to a receiver, in turn with the others."""
        self._consumers.append(consumer)
        self._broker.wake(self)

    def unsubscribe(self, consumer: Consumer) -> None:
        """Give no more messages to a receiver. It keeps its locks."""
        if consumer in self._consumers:
            self._consumers.remove(consumer)

    def pump(self) -> None:
        """Give messages as long as there are some, and receivers for them."""
        while (consumer := self._next_consumer()) and (message := self._next_message()):
            message.lock = Lock(uuid4(), self._broker.now + self._settings.lock_duration)
            self._locked[message.lock.token] = message
            self._broker.due(message.lock.until, self, message.number)
            # If this process ends now, the lock is lost, and the delivery counts.
            self._broker.journal.count(message.number, message.delivery_count + 1)
            consumer.deliver(message)

    def complete(self, token: UUID) -> None:
        """Remove a locked message."""
        self._remove(self._unlock(token))

    def abandon(self, token: UUID, changes: Changes) -> None:
        """Give a locked message back. The delivery counts."""
        message = self._unlock(token)
        message.content = message.content.with_application_properties(changes)
        self._failed(message)

    def release(self, token: UUID) -> None:
        """Give a locked message back that was not looked at. The delivery does not count."""
        self._offer_again(self._unlock(token))

    def dead_letter(self, token: UUID, reason: str | None, description: str | None, changes: Changes) -> None:
        """Move a locked message to the dead letters."""
        if self.dead_letters is None:
            raise Refusal(NOT_ALLOWED, "A dead letter cannot be dead-lettered.")
        self._bury(self._unlock(token), reason, description, changes)

    def renew(self, token: UUID) -> int:
        """Lock a locked message for its whole time again, and return until when."""
        lock = self._held(token).lock
        assert lock
        lock.until = self._broker.now + self._settings.lock_duration
        self._broker.due(lock.until, self, self._held(token).number)
        return lock.until

    def peek(self, first: int, most: int) -> list[Message]:
        """Return messages from a number on, locked or not."""
        return [self._messages[number] for number in sorted(self._messages) if number >= first][:most]

    def clear(self) -> None:
        """Remove all messages, and those of its dead letters. Their locks are lost."""
        for message in list(self._messages.values()):
            if message.lock:
                self._unlock(message.lock.token)
            self._remove(message)
        if self.dead_letters:
            self.dead_letters.clear()

    def has(self, number: int) -> bool:
        """Return whether it has the message of a number."""
        return number in self._messages

    def counts(self) -> Counts:
        """Return how many messages it has."""
        return Counts(len(self._messages) - len(self._locked), len(self._locked))

    def check(self, number: int) -> None:
        """Take a lock away whose time is over, and a message whose time is over and that is not locked."""
        message = self._messages.get(number)
        if message is None:
            return
        if message.lock is None:
            if not self._expire_if_over(message) and self._has_come(message) and number not in self._ready:
                self._offer(message)
        elif message.lock.until <= self._broker.now:
            self._failed(self._unlock(message.lock.token))

    def _has_come(self, message: Message) -> bool:
        """Return whether the message was scheduled, and its time has come."""
        return bool(message.content.scheduled_at) and not message.is_scheduled(self._broker.now)

    def _next_consumer(self) -> Consumer | None:
        if not self._ready:
            return None
        for _ in range(len(self._consumers)):
            consumer = self._consumers[0]
            self._consumers.rotate(-1)
            if consumer.credit > 0:
                return consumer
        return None

    def _next_message(self) -> Message | None:
        while self._ready:
            if message := self._messages.get(heapq.heappop(self._ready)):
                return message
        return None

    def _held(self, token: UUID) -> Message:
        if token not in self._locked:
            raise lock_lost()
        return self._locked[token]

    def _unlock(self, token: UUID) -> Message:
        message = self._held(token)
        del self._locked[token]
        message.lock = None
        return message

    def _failed(self, message: Message) -> None:
        message.delivery_count += 1
        if self._is_undeliverable(message):
            self._bury_undeliverable(message)
        else:
            self._offer_again(message)

    def _offer_again(self, message: Message) -> None:
        self._broker.journal.put(self.path, message)
        if not self._expire_if_over(message):
            self._offer(message)

    def _offer(self, message: Message) -> None:
        heapq.heappush(self._ready, message.number)
        self._broker.wake(self)

    def _expire_if_over(self, message: Message) -> bool:
        if message.expires_at is None or message.expires_at > self._broker.now:
            return False
        if self._settings.dead_letter_on_expiry:
            self._bury(message, "TTLExpiredException", "The message expired and was dead lettered.", {})
        else:
            self._remove(message)
        return True

    def _is_undeliverable(self, message: Message) -> bool:
        return not message.is_dead and message.delivery_count >= self._settings.max_delivery_count

    def _bury_undeliverable(self, message: Message) -> None:
        text = f"Message could not be consumed after {self._settings.max_delivery_count} delivery attempts."
        self._bury(message, "MaxDeliveryCountExceeded", text, {})

    def _bury(self, message: Message, reason: str | None, description: str | None, changes: Changes) -> None:
        assert self.dead_letters
        del self._messages[message.number]
        named = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        said: dict[object, object] = {name: value for name, value in named.items() if value is not None}
        message.content = message.content.with_application_properties({**changes, **said})
        self.dead_letters.add(message)

    def _remove(self, message: Message) -> None:
        del self._messages[message.number]
        self._broker.journal.remove(message.number)
