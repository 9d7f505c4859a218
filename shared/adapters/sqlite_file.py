"""The embedded store's file: its tables, and how it is opened by any number of processes."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

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
    document BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS notices_by_number ON notices (creditor_institution, number);
CREATE INDEX IF NOT EXISTS notices_by_update ON notices (creditor_institution, updated_at, number);
CREATE INDEX IF NOT EXISTS notices_by_due_date ON notices (creditor_institution, due_date_key, number);
CREATE INDEX IF NOT EXISTS notices_due ON notices (next_change_at, creditor_institution, number)
    WHERE next_change_at IS NOT NULL;
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
"""
_FROM_VERSION_1 = "ALTER TABLE iuvs ADD COLUMN held_until TEXT NOT NULL DEFAULT '2000-01-01T00:00:00.000Z';"
"""Adds what a file of version 1 lacks besides tables and indexes."""
_VERSION = 2


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, and make it if it is not there; waits while another process makes it.

    Raises ValueError with a sentence when the file belongs to something else, or cannot be opened.
    """
    give_up_at = monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            return _connect(path)
        except sqlite3.DatabaseError as error:
            # Some of its waits SQLite leaves to us: what makes a file a WAL file is refused at once.
            if not is_busy(error) or monotonic() >= give_up_at:
                raise ValueError(f"{path} cannot be opened as the archive's file: {error}") from error
        sleep(0.01)


def _connect(path: Path) -> sqlite3.Connection:
    # Statements are committed by hand; a connection is used by one thread at a time.
    db = sqlite3.connect(path, timeout=0.05, isolation_level=None, check_same_thread=False)
    try:
        # Both answers are of one moment: another process may be making the file.
        db.execute("BEGIN")
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        tables: int = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        db.execute("COMMIT")
        if tables and version not in (1, _VERSION):
            raise ValueError(f"{path} was not made by this version of the archive")
        if not tables:
            db.execute("PRAGMA page_size = 8192")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version != _VERSION:
            _bring_up_to_date(db)
    except (sqlite3.DatabaseError, ValueError):
        db.close()
        raise
    return db


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make the tables, or what a file of the version before lacks; another process may have done so meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    script = f"{_FROM_VERSION_1 if version == 1 else ''} {_SCHEMA} PRAGMA user_version = {_VERSION}"
    for statement in script.split(";"):  # executescript would end the transaction first
        db.execute(statement)
    db.execute("COMMIT")


def is_busy(error: Exception) -> bool:
    """Tell whether another process hinders; the low byte of an error code is its kind."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
