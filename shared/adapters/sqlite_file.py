"""The file of the embedded store: its tables and indexes, how processes open it, and whether it is still in place."""

import asyncio
import errno
import os
import sqlite3
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from shared.errors import StoreUnavailable

PATIENCE = timedelta(seconds=5)
"""How long a write waits while another process is writing."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    due_date_key TEXT,
    starts_at TEXT,
    ends_at TEXT,
    next_change_at TEXT,
    anomalies TEXT,
    kept BLOB NOT NULL,
    shown BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS notices_by_number ON notices (creditor_institution, number);
-- A list merges the stored statuses that it wants, so the status comes before the sort key.
CREATE INDEX IF NOT EXISTS notices_listed_by_number ON notices (creditor_institution, status, number);
CREATE INDEX IF NOT EXISTS notices_listed_by_update ON notices (creditor_institution, status, updated_at, number);
CREATE INDEX IF NOT EXISTS notices_listed_by_due_date ON notices (creditor_institution, status, due_date_key, number);
CREATE INDEX IF NOT EXISTS notices_listed_by_anomaly ON notices (creditor_institution, status, number, anomalies)
    WHERE anomalies IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_due ON notices (next_change_at, creditor_institution, number)
    WHERE next_change_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_awaited ON notices (creditor_institution, number) WHERE status = 'AWAITED';
DROP INDEX IF EXISTS notices_by_update;
DROP INDEX IF EXISTS notices_by_due_date;
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS events_by_notice ON events (creditor_institution, number, version);
CREATE TABLE IF NOT EXISTS iuvs (
    creditor_institution TEXT NOT NULL,
    iuv TEXT NOT NULL,
    number TEXT NOT NULL,
    held_until TEXT NOT NULL,
    PRIMARY KEY (creditor_institution, iuv)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS registry (
    id TEXT PRIMARY KEY,
    document BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
    id TEXT PRIMARY KEY,
    document BLOB NOT NULL
) WITHOUT ROWID;
-- The read model of the debtors' lists. An entry without a notice is not in the list, and is removed later.
CREATE TABLE IF NOT EXISTS notices_by_debtor (
    debtor TEXT NOT NULL,
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    place TEXT,
    payable_from TEXT,
    payable_until TEXT,
    notice BLOB,
    removed_until TEXT,
    PRIMARY KEY (debtor, creditor_institution, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notices_open ON notices_by_debtor (debtor, place) WHERE place IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_removed ON notices_by_debtor (removed_until) WHERE removed_until IS NOT NULL;
-- A message is stored once, however many subscriptions have it. `copies` is how many queues still do.
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    session_id TEXT,
    content_type TEXT NOT NULL,
    properties BLOB NOT NULL,
    body BLOB NOT NULL,
    enqueued_at TEXT NOT NULL,
    copies INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    queue TEXT NOT NULL,
    position INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 0,
    lock TEXT,
    locked_until TEXT,
    reason TEXT,
    description TEXT,
    PRIMARY KEY (queue, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message_ids (
    entity TEXT NOT NULL,
    id TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    PRIMARY KEY (entity, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_ids_by_time ON message_ids (entity, sent_at);
"""
_UP_TO_VERSION = {
    2: "ALTER TABLE iuvs ADD COLUMN held_until TEXT NOT NULL DEFAULT '2000-01-01T00:00:00.000Z';",
    4: "ALTER TABLE notices RENAME COLUMN document TO kept; ALTER TABLE notices ADD COLUMN shown BLOB;",
}
"""The statements that bring the tables of older files to a version."""
_VERSION = 6
"""Since 2 claims of IUVs are held for a time, and there are checkpoints. Since 3 indexes of lists have the status.

Since 4 what is shown of a notice is stored by itself. `kept` holds the whole document where there is no `shown`. Since
5 there are messages, since 6 the lists of debtors.
"""

_creation = Lock()


class OpenFile:
    """The open file and its write-ahead log, which must stay the same files.

    SQLite itself would go on with a deleted file, and writes to it would be lost.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fspath(path.absolute())
        self._was_checked = False
        self._opened = {name: _identity(name) for name in (self._file, f"{self._file}-wal", f"{self._file}-shm")}

    def check(self) -> None:
        """Raise StoreUnavailable if the path does not lead to the open file any more.

        It looks once in a turn of the event loop: the requests of one turn are of one moment.
        """
        if not self._was_checked:
            self._check(self._file)
            self._was_checked = True
            asyncio.get_running_loop().call_soon(self._forget_check)

    def _forget_check(self) -> None:
        self._was_checked = False

    def check_before_write(self) -> None:
        """Raise StoreUnavailable if the file, its log or the index of the log is not the open one any more."""
        for name in self._opened:
            self._check(name)

    def _check(self, name: str) -> None:
        try:
            is_in_place = _identity(name) == self._opened[name]
        except OSError as error:
            raise StoreUnavailable from error
        if not is_in_place:
            raise StoreUnavailable from OSError(errno.ESTALE, os.strerror(errno.ESTALE))


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading and writing, and make it if it is not there. Wait while another process makes it.

    Only the owner can read the new file, and a new folder. Raises ValueError with a
    sentence when the file belongs to something else, or cannot be opened.
    """
    give_up_at = monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            _make(path)
            return _connect(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be opened as the archive's file: {error.strerror}") from error
        except sqlite3.DatabaseError as error:
            # Some of its waits SQLite leaves to us: what makes a file a WAL file is refused at once.
            if not is_busy(error) or monotonic() >= give_up_at:
                raise ValueError(f"{path} cannot be opened as the archive's file: {error}") from error
        sleep(0.01)


MAPPED = 256 * 1024 * 1024
"""Bytes of the file that a connection to read maps into memory, at most."""


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the file for reading alone, where `connect` has opened it and it stays open."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=0.05,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=16,  # one for many segregation codes takes a megabyte
    )
    db.execute(f"PRAGMA mmap_size = {MAPPED}")
    return db


def is_busy(error: Exception) -> bool:
    """Return whether another process is writing. The low byte of an error code is its kind."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its other files the mode of this one. Closing a file releases the locks that this process has on it,
    # so no connection of this process may be open yet: hence the lock, and O_EXCL.
    with _creation, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _connect(path: Path) -> sqlite3.Connection:
    # Statements are committed by hand; a connection is used by one thread at a time.
    db = sqlite3.connect(path, timeout=0.05, isolation_level=None, check_same_thread=False)
    try:
        # Both answers are of one moment: another process may be making the file.
        db.execute("BEGIN")
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        tables: int = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        db.execute("COMMIT")
        if tables and not 1 <= version <= _VERSION:
            raise ValueError(f"{path} was not made by this version of the archive")
        if not tables:
            db.execute("PRAGMA page_size = 4096")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version != _VERSION:
            _bring_up_to_date(db)
    except (sqlite3.DatabaseError, ValueError):
        db.close()
        raise
    return db


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make the tables, or bring an older file up to date. Another process may do the same at once."""
    db.execute("BEGIN IMMEDIATE")
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    steps = [step for since, step in _UP_TO_VERSION.items() if 1 <= version < since]
    script = f"{' '.join(steps)} {_SCHEMA} PRAGMA user_version = {_VERSION}"
    for statement in script.split(";"):  # executescript would end the transaction first
        db.execute(statement)
    db.execute("COMMIT")


def _identity(name: str) -> tuple[int, int]:
    status = os.stat(name)  # noqa: PTH116  a Path costs as much again, at every read
    return status.st_dev, status.st_ino
