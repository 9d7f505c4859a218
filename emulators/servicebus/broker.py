"""The broker: the entities of a namespace, the clock, and the times at which something is due.

It knows nothing of connections. After each change, its user calls `deliver`, which gives messages to receivers, and
`commit` before the change is answered.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import count

from emulators.servicebus.content import Content
from emulators.servicebus.duplicates import Duplicates
from emulators.servicebus.entities import Entities
from emulators.servicebus.journal import Journal, NoJournal, Remembered, SqliteJournal
from emulators.servicebus.queue import Queue
from emulators.servicebus.refusals import NOT_ALLOWED, NOT_FOUND, Refusal
from emulators.servicebus.topic import Topic

DEAD_LETTERS = "/$deadletterqueue"

_FEW = 1000


class Broker:
    """Queues and topics by their paths. Case does not count in a path."""

    def __init__(self, entities: Entities, journal: SqliteJournal | None, clock: Callable[[], float]) -> None:
        """Read the journal. Raises ValueError if it has messages of an entity that is not described."""
        self.journal: Journal = NoJournal()
        self.on_due: Callable[[int], None] = lambda _: None
        """Called with the earliest time at which something is due, when it becomes earlier."""
        self._clock = clock
        self._last_number = 0
        self._due: list[tuple[int, int, Queue, int]] = []
        """Times, each with the queue and the number of a message, and with a count that orders equal times."""
        self._due_count = count()
        self._due_limit = _FEW
        self._awake: dict[Queue, None] = {}
        self._queues: dict[str, Queue] = {}
        self._topics: dict[str, Topic] = {}
        self._duplicates: dict[str, Duplicates] = {}
        self._make(entities)
        if journal:
            self._recover(journal)

    @property
    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def publish(self, path: str, contents: Sequence[Content]) -> None:
        """Put messages into a queue or a topic. Messages that it has had already are left out."""
        name = normal(path)
        self.check_target(path)
        for content in contents:
            if not self._is_duplicate(name, content):
                if topic := self._topics.get(name):
                    topic.publish(content, self.next_number())
                else:
                    self._queues[name].put(content, 0, None)

    def check_target(self, path: str) -> None:
        """Refuse a path that messages cannot be sent to."""
        name = normal(path)
        if name not in self._duplicates:
            self.queue(path)
            raise Refusal(NOT_ALLOWED, f"Messages cannot be sent to '{path}', only to a queue or a topic.")

    def queue(self, path: str) -> Queue:
        """Return the queue of a path, of its own, of a subscription or of dead letters."""
        name = normal(path)
        if name in self._topics:
            raise Refusal(NOT_ALLOWED, f"'{path}' is a topic. Receive from one of its subscriptions.")
        if queue := self._queues.get(name.removesuffix(DEAD_LETTERS)):
            return queue.dead_letters or queue if name.endswith(DEAD_LETTERS) else queue
        raise Refusal(NOT_FOUND, f"The messaging entity '{path}' could not be found.")

    def has(self, path: str) -> bool:
        """Return whether there is an entity of this path."""
        name = normal(path)
        return name in self._topics or name.removesuffix(DEAD_LETTERS) in self._queues

    def next_number(self) -> int:
        """Return a number that no message has had."""
        self._last_number += 1
        return self._last_number

    def due(self, when: int, queue: Queue, number: int) -> None:
        """Let the queue look at a message again at a time."""
        is_earliest = not self._due or when < self._due[0][0]
        heapq.heappush(self._due, (when, next(self._due_count), queue, number))
        if is_earliest:
            self.on_due(when)
        if len(self._due) > self._due_limit:
            # Most messages are gone long before they expire. Without them, the list is short again.
            self._due = [one for one in self._due if one[2].has(one[3])]
            heapq.heapify(self._due)
            self._due_limit = max(_FEW, 2 * len(self._due))

    def wake(self, queue: Queue) -> None:
        """Note that a queue may have messages for receivers."""
        self._awake[queue] = None

    def clear(self) -> None:
        """Remove all messages, and forget the ids that were sent."""
        for queue in self._queues.values():
            queue.clear()
        for duplicates in self._duplicates.values():
            duplicates.clear()

    def pass_time(self) -> None:
        """End the locks and the messages whose time is over."""
        while self._due and self._due[0][0] <= self.now:
            _, _, queue, number = heapq.heappop(self._due)
            queue.check(number)
        if self._due:
            self.on_due(self._due[0][0])

    def deliver(self) -> None:
        """Give the messages that can be given."""
        while self._awake:
            self._awake.popitem()[0].pump()

    def commit(self) -> None:
        """Commit the changes to the journal. After this, they may be answered."""
        self.journal.commit(self._last_number)

    def _make(self, entities: Entities) -> None:
        for name, settings in entities.queues.items():
            self._queues[name.lower()] = Queue(self, name, settings)
            self._duplicates[name.lower()] = Duplicates(settings.duplicate_window)
        for name, topic in entities.topics.items():
            queues = {
                subscription: Queue(self, f"{name}/Subscriptions/{subscription}", settings.queue)
                for subscription, settings in topic.subscriptions.items()
            }
            self._topics[name.lower()] = Topic(topic, queues)
            self._duplicates[name.lower()] = Duplicates(topic.duplicate_window)
            self._queues.update((queue.path.lower(), queue) for queue in queues.values())

    def _recover(self, journal: SqliteJournal) -> None:
        self._last_number = journal.last_number()
        self.journal = journal
        for path, message in journal.messages():
            if not self.has(path):
                raise ValueError(f"The journal has messages of {path}, which is not described.")
            self.queue(path).recover(message)
        for one in journal.remembered(self.now):
            if known := self._duplicates.get(one.entity):
                known.restore(one.message_id, one.until)
        self.pass_time()
        self.commit()

    def _is_duplicate(self, name: str, content: Content) -> bool:
        duplicates, now = self._duplicates[name], self.now
        duplicates.forget(now)
        if duplicates.has(content.message_id, now):
            return True
        if until := duplicates.remember(content.message_id, now):
            self.journal.remember(Remembered(name, content.message_id, until))
        return False


def normal(path: str) -> str:
    """Return a path as paths are compared."""
    return path.strip("/").lower()
