"""Keep the messages in SQLite, so that they outlive the process, even one that is killed.

Changes are collected and committed together. The broker commits before an answer or a message leaves, and waits for the
disk.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulators.servicebus.content import Content
from emulators.servicebus.messages import Message

_APPLICATION = 0x53426A31
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, queue TEXT, content BLOB, enqueued_number INTEGER,
    enqueued_at INTEGER, time_to_live INTEGER, delivery_count INTEGER);
CREATE TABLE IF NOT EXISTS duplicates (entity TEXT, message_id TEXT, until INTEGER, PRIMARY KEY (entity, message_id))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (last INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A message id that an entity remembers."""

    entity: str
    message_id: str
    until: int


class Journal(Protocol):
    """The changes of a broker. All of them count from the next commit on."""

    def put(self, queue: str, message: Message) -> None:
        """Keep a message as it is, without its lock."""

    def count(self, number: int, deliveries: int) -> None:
        """Keep how often a message was delivered."""

    def remove(self, number: int) -> None:
        """Forget a message."""

    def remember(self, remembered: Remembered) -> None:
        """Keep a message id."""

    def commit(self, last_number: int) -> None:
        """Keep all changes since the last commit, and the last number that a message got."""

    def close(self) -> None:
        """Close the file, if there is one."""


class NoJournal:
    """Keeps nothing: the messages are in memory only."""

    def put(self, queue: str, message: Message) -> None: ...
    def count(self, number: int, deliveries: int) -> None: ...
    def remove(self, number: int) -> None: ...
    def remember(self, remembered: Remembered) -> None: ...
    def commit(self, last_number: int) -> None: ...
    def close(self) -> None: ...


class SqliteJournal:
    """Keeps the changes in a file."""

    def __init__(self, file: Path) -> None:
        """Open the file or make it. Raises ValueError for a file of other data."""
        self._messages: dict[int, tuple[object, ...] | None] = {}
        """The rows to write, and None for a message to forget."""
        self._counts: dict[int, int] = {}
        self._remembered: list[Remembered] = []
        try:
            self._db = sqlite3.connect(file, isolation_level=None)
        except sqlite3.Error as error:
            raise ValueError(f"{file} cannot be opened: {error}.") from error
        try:
            self._check_application()
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, ValueError) as error:
            self._db.close()
            raise ValueError(f"{file} cannot be used as the journal of the double: {error}.") from error

    def put(self, queue: str, message: Message) -> None:
        """Keep a message as it is, without its lock."""
        self._counts.pop(message.number, None)
        self._messages[message.number] = (
            *(message.number, queue, message.content.stored(), message.enqueued_number, message.enqueued_at),
            *(message.time_to_live, message.delivery_count),
        )

    def count(self, number: int, deliveries: int) -> None:
        """Keep how often a message was delivered."""
        if row := self._messages.get(number):
            self._messages[number] = (*row[:-1], deliveries)
        else:
            self._counts[number] = deliveries

    def remove(self, number: int) -> None:
        """Forget a message."""
        self._counts.pop(number, None)
        self._messages[number] = None

    def remember(self, remembered: Remembered) -> None:
        """Keep a message id."""
        self._remembered.append(remembered)

    def commit(self, last_number: int) -> None:
        """Keep all changes since the last commit, and the last number that a message got."""
        if not (self._messages or self._counts or self._remembered):
            return
        rows = [row for row in self._messages.values() if row]
        gone = [(number,) for number, row in self._messages.items() if not row]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO messages VALUES (?,?,?,?,?,?,?)", rows)
        self._db.executemany("DELETE FROM messages WHERE number = ?", gone)
        counts = [(deliveries, number) for number, deliveries in self._counts.items()]
        self._db.executemany("UPDATE messages SET delivery_count = ? WHERE number = ?", counts)
        ids = [(one.entity, one.message_id, one.until) for one in self._remembered]
        self._db.executemany("INSERT OR REPLACE INTO duplicates VALUES (?,?,?)", ids)
        self._db.execute("UPDATE numbers SET last = ?", (last_number,))
        self._db.execute("COMMIT")
        self._messages.clear()
        self._counts.clear()
        self._remembered.clear()

    def last_number(self) -> int:
        """Return the last number that a message got."""
        if row := self._db.execute("SELECT last FROM numbers").fetchone():
            last: int = row[0]
            return last
        self._db.execute("INSERT INTO numbers VALUES (0)")
        return 0

    def messages(self) -> Iterator[tuple[str, Message]]:
        """Yield each message with the path of its queue, in the order of their numbers."""
        for number, queue, content, *rest in self._db.execute("SELECT * FROM messages ORDER BY number"):
            yield queue, Message(number, Content.parse(content), *rest)

    def remembered(self, now: int) -> list[Remembered]:
        """Return the message ids that count, in the order of their ends, and forget the others."""
        self._db.execute("DELETE FROM duplicates WHERE until <= ?", (now,))
        return [Remembered(*row) for row in self._db.execute("SELECT * FROM duplicates ORDER BY until")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _check_application(self) -> None:
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        if application != _APPLICATION and self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise ValueError("it has data of another program")
