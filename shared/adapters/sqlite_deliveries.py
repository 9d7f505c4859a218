"""The writes of the embedded bus: send, deliver, complete, abandon. Each runs inside the transaction of its group."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from shared.adapters.sqlite_writes import Write
from shared.cloudevents import FILTERED
from shared.documents import dumps
from shared.domain.dates import format_instant
from shared.messages import DEAD_LETTERS, NOTICE_EVENTS, Message, entities, subscription, subscriptions
from shared.ports import LockLost

EXPIRED_AT_ONCE = 100
"""Messages whose time is over that one write removes, at most."""
_DURATION = re.compile("P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?)?")


FREE = "queue = ? AND (locked_until IS NULL OR locked_until <= ? OR locked_until > ?)"
"""The condition for messages that can be delivered. Its values are the queue, and those of `free_at`."""


def free_at(now: datetime) -> tuple[str, str]:
    """Return the time up to which locks are over, and the one behind which none can be: the clock was set back."""
    return format_instant(now), format_instant(now + timedelta(minutes=15))


class Send(Write):
    """Puts messages into a queue, or into the subscriptions of the topic whose filters admit them."""

    def __init__(
        self, entity: str, messages: Sequence[Message], now: datetime, after: timedelta = timedelta(0)
    ) -> None:
        """The messages are delivered after a time."""
        self._entity = entity
        self._messages = messages
        self._now = now
        # Until then they are as if locked.
        self._not_before = format_instant(now + after) if after else None

    def prepare(self, db: sqlite3.Connection) -> bool:
        """Find the queues of each message."""
        self._targets = [_queues(db, self._entity, message) for message in self._messages]
        return bool(self._messages)

    def run(self, db: sqlite3.Connection) -> None:
        """Store each message that was not sent before."""
        window, now = _window(self._entity), format_instant(self._now)
        if window is not None:
            since = format_instant(self._now - window)
            db.execute("DELETE FROM message_ids WHERE entity = ? AND sent_at <= ?", (self._entity, since))
        for message, queues in zip(self._messages, self._targets, strict=True):
            if window is not None:
                known = "INSERT INTO message_ids VALUES (?,?,?) ON CONFLICT DO NOTHING"
                if not db.execute(known, (self._entity, message.id, now)).rowcount:
                    continue
            if queues:
                _store(db, message, queues, now, self._not_before)
        for queue in {queue for queues in self._targets for queue in queues}:
            expire(db, queue, self._now)


class Receive(Write):
    """Delivers messages and locks them. `positions` are those that it delivered."""

    def __init__(self, queue: str, limit: int, token: str, now: datetime, locked_for: timedelta) -> None:
        self._queue = queue
        self._limit = limit
        self.token = token
        self._now, self._until = now, now + locked_for
        self.positions: list[int] = []

    def run(self, db: sqlite3.Connection) -> None:
        """Lock the oldest messages that are not locked. One that has no attempt left becomes a dead letter."""
        self.positions = []
        expire(db, self._queue, self._now)
        free = f"SELECT position, count FROM deliveries WHERE {FREE} ORDER BY position LIMIT ?"
        for position, count in db.execute(free, (self._queue, *free_at(self._now), self._limit)).fetchall():
            if count >= most_deliveries(self._queue):
                _bury_after_attempts(db, self._queue, position)
                continue
            db.execute(
                "UPDATE deliveries SET count = count + 1, lock = ?, locked_until = ? WHERE queue = ? AND position = ?",
                (self.token, format_instant(self._until), self._queue, position),
            )
            self.positions.append(position)


class Lock(Write):
    """Locks one message for an operator. `is_held` says whether it could."""

    def __init__(self, queue: str, position: int, token: str, now: datetime, locked_for: timedelta) -> None:
        self._key = (position, queue, *free_at(now))
        self.token = token
        self._until = format_instant(now + locked_for)
        self.is_held = False

    def run(self, db: sqlite3.Connection) -> None:
        """Lock the message unless another has it."""
        done = db.execute(
            f"UPDATE deliveries SET lock = ?, locked_until = ? WHERE position = ? AND {FREE}",
            (self.token, self._until, *self._key),
        )
        self.is_held = done.rowcount == 1


class Complete(Write):
    """Removes a message whose lock is held."""

    def __init__(self, queue: str, position: int, token: str) -> None:
        self._key = (queue, position, token)

    def run(self, db: sqlite3.Connection) -> Exception | None:
        """Remove it from its queue, and the message itself with the last queue that has it."""
        done = db.execute("DELETE FROM deliveries WHERE queue = ? AND position = ? AND lock = ?", self._key)
        if not done.rowcount:
            return LockLost()
        _forget(db, self._key[1])
        return None


class Abandon(Write):
    """Lets a message be delivered again, unless that was its last attempt."""

    def __init__(self, queue: str, position: int, token: str, count: int) -> None:
        self._key = (queue, position, token)
        self._count = count

    def run(self, db: sqlite3.Connection) -> Exception | None:
        """Take the lock off. After the last attempt it becomes a dead letter."""
        done = db.execute(
            "UPDATE deliveries SET lock = NULL, locked_until = NULL WHERE queue = ? AND position = ? AND lock = ?",
            self._key,
        )
        if not done.rowcount:
            return LockLost()
        queue, position, _ = self._key
        if self._count >= most_deliveries(queue):
            _bury_after_attempts(db, queue, position)
        return None


class Renew(Write):
    """Keeps a lock for longer."""

    def __init__(self, queue: str, position: int, token: str, until: datetime) -> None:
        self._values = (format_instant(until), queue, position, token)

    def run(self, db: sqlite3.Connection) -> Exception | None:
        """Move the end of the lock."""
        statement = "UPDATE deliveries SET locked_until = ? WHERE queue = ? AND position = ? AND lock = ?"
        return None if db.execute(statement, self._values).rowcount else LockLost()


def expire(db: sqlite3.Connection, queue: str, now: datetime) -> None:
    """Remove the messages of a queue whose time is over, or make dead letters of them, as the queue is set."""
    settings = _settings(queue)
    if "defaultMessageTimeToLive" not in settings:
        return
    before = format_instant(now - _duration(settings["defaultMessageTimeToLive"]))
    oldest = (
        "SELECT d.position, m.enqueued_at FROM deliveries d JOIN messages m ON m.position = d.position"
        " WHERE d.queue = ? ORDER BY d.position LIMIT 1"
    )
    for _ in range(EXPIRED_AT_ONCE):
        position, enqueued_at = db.execute(oldest, (queue,)).fetchone() or (None, "")
        if position is None or enqueued_at > before:
            return
        if settings.get("deadLetteringOnMessageExpiration"):
            _bury(db, queue, position, "TTLExpiredException", "The message was not taken in its time.")
        else:
            db.execute("DELETE FROM deliveries WHERE queue = ? AND position = ?", (queue, position))
            _forget(db, position)


def most_deliveries(queue: str) -> int:
    """Return how often a message is delivered before it is a dead letter. Dead letters stay."""
    return int(_settings(queue).get("maxDeliveryCount", 2**31))


def _store(db: sqlite3.Connection, message: Message, queues: Sequence[str], now: str, not_before: str | None) -> None:
    stored = db.execute(
        "INSERT INTO messages (id, session_id, content_type, properties, body, enqueued_at, copies)"
        " VALUES (?,?,?,?,?,?,?)",
        (
            message.id,
            message.session_id,
            message.content_type,
            dumps(dict(message.properties)),
            message.body,
            now,
            len(queues),
        ),
    )
    rows = [(queue, stored.lastrowid, not_before) for queue in queues]
    db.executemany("INSERT INTO deliveries (queue, position, locked_until) VALUES (?,?,?)", rows)


def _bury(db: sqlite3.Connection, queue: str, position: int, reason: str, description: str) -> None:
    db.execute(
        "UPDATE deliveries SET queue = ?, lock = NULL, locked_until = NULL, reason = ?, description = ?"
        " WHERE queue = ? AND position = ?",
        (f"{queue}{DEAD_LETTERS}", reason, description, queue, position),
    )


def _bury_after_attempts(db: sqlite3.Connection, queue: str, position: int) -> None:
    description = f"The message failed {most_deliveries(queue)} times."
    _bury(db, queue, position, "MaxDeliveryCountExceeded", description)


def _forget(db: sqlite3.Connection, position: int) -> None:
    db.execute("UPDATE messages SET copies = copies - 1 WHERE position = ?", (position,))
    db.execute("DELETE FROM messages WHERE position = ? AND copies <= 0", (position,))


def _queues(db: sqlite3.Connection, entity: str, message: Message) -> list[str]:
    """Return the queues that a message is put into. SQLite itself evaluates the filters of the subscriptions."""
    if entity != NOTICE_EVENTS:
        return [entity]
    statement, names = _filters()
    values = [message.properties.get(name) for name in FILTERED]
    admitted = db.execute(statement, values).fetchone()
    return [subscription(name) for name, admits in zip(names, admitted, strict=True) if admits]


@cache
def _filters() -> tuple[str, list[str]]:
    """Return a statement that tells for each subscription whether its filter admits the properties."""
    names = list(subscriptions())
    conditions = ", ".join(f"({subscriptions()[name]['filter']})" for name in names)
    columns = ", ".join(f"? AS {name}" for name in FILTERED)
    return f"SELECT {conditions} FROM (SELECT {columns})", names


@cache
def _settings(queue: str) -> Mapping[str, Any]:
    """Return the settings of a queue or a subscription. A subscription has the time to live of its topic."""
    if queue.endswith(DEAD_LETTERS):
        return {}
    if queue in entities()["queues"]:
        found: dict[str, Any] = entities()["queues"][queue]
        return found
    topic: dict[str, Any] = entities()["topics"][NOTICE_EVENTS]
    return {**topic, **subscriptions()[queue.rpartition("/")[2]]}


@cache
def _window(entity: str) -> timedelta | None:
    """Return how long the id of a message is remembered, None if the entity does not look at ids."""
    settings = entities()["topics" if entity == NOTICE_EVENTS else "queues"][entity]
    if not settings.get("requiresDuplicateDetection"):
        return None
    return _duration(settings["duplicateDetectionHistoryTimeWindow"])


@cache
def _duration(text: str) -> timedelta:
    """Return a duration of days, hours and minutes of ISO 8601."""
    match = _DURATION.fullmatch(text)
    assert match, f"{text} is no duration of days, hours and minutes"
    days, hours, minutes = (int(number or 0) for number in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
