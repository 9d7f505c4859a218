"""The store of the peer on SQLite: aiosqlite, WAL, a flush to disk before each answer.

One connection writes and one reads. aiosqlite runs each connection in a thread of its own.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import orjson

from bench.peer.identifiers import segregation_code_of
from bench.peer.notices import Change, Document, Institution, Stored
from bench.peer.store import Caller, IuvTaken, Listing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    segregation_code TEXT,
    iuv TEXT NOT NULL,
    version INTEGER NOT NULL,
    starts_at TEXT,
    ends_at TEXT,
    declared_at TEXT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (creditor_institution, number),
    UNIQUE (creditor_institution, iuv)
);
CREATE TABLE IF NOT EXISTS events (
    creditor_institution TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (creditor_institution, number, version)
);
CREATE TABLE IF NOT EXISTS institutions (fiscal_code TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS callers (key_hash TEXT PRIMARY KEY, document BLOB NOT NULL);
"""
_COLUMNS = "document, starts_at, ends_at, declared_at"
_INSERT = "INSERT INTO notices VALUES (?,?,?,?,?,?,?,?,?)"
_UPDATE = """
UPDATE notices SET version = ?, starts_at = ?, ends_at = ?, declared_at = ?, document = ?
WHERE creditor_institution = ? AND number = ? AND version = ?
"""
_HAS_STATUS = {
    "SCHEDULED": "starts_at > :now",
    "ACTIVE": "(starts_at IS NULL OR starts_at <= :now) AND (ends_at IS NULL OR ends_at > :now)",
    "EXPIRED": "(starts_at IS NULL OR starts_at <= :now) AND ends_at <= :now",
}


class SqliteStore:
    """The store on one SQLite file."""

    decides_unread = False

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        """Held for a transaction, since all writers share one connection."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path, registry: bytes) -> AsyncIterator["SqliteStore"]:
        """Yield the store on a file, with the institutions and callers of a registry."""
        async with aiosqlite.connect(path) as writer:
            await writer.execute("PRAGMA journal_mode = WAL")
            await writer.execute("PRAGMA synchronous = FULL")
            await writer.executescript(_SCHEMA)
            await _register(writer, registry)
            async with aiosqlite.connect(path) as reader:
                yield cls(writer, reader)

    async def load(self, institution: str, number: str) -> Stored | None:
        """Return the notice as it is now."""
        statement = f"SELECT {_COLUMNS} FROM notices WHERE creditor_institution = ? AND number = ?"
        rows = await self._reader.execute_fetchall(statement, (institution, number))
        return next(map(_stored, rows), None)

    async def save(self, change: Change) -> bool:
        """Save a notice and its new events, both or neither. Return False if another writer came first."""
        stored = change.stored
        institution, number = stored.document["creditorInstitution"], stored.document["noticeNumber"]
        events = [(institution, number, event["version"], orjson.dumps(event)) for event in change.events]
        async with self._turn:
            try:
                is_first = await self._write(stored, institution, number, change.expected_version)
                if is_first:
                    await self._writer.executemany("INSERT INTO events VALUES (?,?,?,?)", events)
                await self._writer.commit()
            except sqlite3.IntegrityError as error:
                await self._writer.rollback()
                if "iuv" in str(error):
                    raise IuvTaken from error
                return False
            except BaseException:
                await self._writer.rollback()
                raise
        return is_first

    async def _write(self, stored: Stored, institution: str, number: str, expected_version: int) -> bool:
        values = (stored.version, stored.starts_at, stored.ends_at, stored.declared_at, orjson.dumps(stored.document))
        if expected_version == 0:
            key = (institution, number, segregation_code_of(number), stored.document["iuv"])
            await self._writer.execute(_INSERT, (*key, *values))
            return True
        cursor = await self._writer.execute(_UPDATE, (*values, institution, number, expected_version))
        return bool(cursor.rowcount == 1)

    async def history(self, institution: str, number: str, after: int, limit: int) -> list[bytes]:
        """Return events as JSON, from the version behind `after` on."""
        statement = (
            "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version > ?"
            " ORDER BY version LIMIT ?"
        )
        rows = await self._reader.execute_fetchall(statement, (institution, number, after, limit))
        return [document for (document,) in rows]

    async def list(self, listing: Listing) -> list[Stored]:
        """Return the notices of a page."""
        conditions = ["creditor_institution = :institution", "number > :after"]
        values = {"institution": listing.institution, "after": listing.after, "limit": listing.limit}
        if "*" not in listing.codes:
            names = [f"code{position}" for position in range(len(listing.codes))]
            conditions.append(f"segregation_code IN ({', '.join(f':{name}' for name in names)})")
            values.update(zip(names, sorted(listing.codes), strict=True))
        if listing.status is not None:
            conditions.append(_HAS_STATUS.get(listing.status, "false"))
            values["now"] = listing.now
        statement = f"SELECT {_COLUMNS} FROM notices WHERE {' AND '.join(conditions)} ORDER BY number LIMIT :limit"
        return [*map(_stored, await self._reader.execute_fetchall(statement, values))]

    async def institution(self, fiscal_code: str) -> Institution | None:
        """Return the institution, None if it is not registered."""
        statement = "SELECT document FROM institutions WHERE fiscal_code = ?"
        rows = await self._reader.execute_fetchall(statement, (fiscal_code,))
        return next((Institution(**orjson.loads(document)) for (document,) in rows), None)

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key."""
        rows = await self._reader.execute_fetchall("SELECT document FROM callers WHERE key_hash = ?", (key_hash,))
        return next((_caller(orjson.loads(document)) for (document,) in rows), None)


async def _register(db: aiosqlite.Connection, registry: bytes) -> None:
    registered = orjson.loads(registry)
    institutions = [(one["fiscal_code"], orjson.dumps(one)) for one in registered["institutions"]]
    callers = [(one["key_hash"], orjson.dumps(one)) for one in registered["callers"]]
    await db.executemany("INSERT OR REPLACE INTO institutions VALUES (?,?)", institutions)
    await db.executemany("INSERT OR REPLACE INTO callers VALUES (?,?)", callers)
    await db.commit()


def _caller(document: Document) -> Caller:
    grants = {institution: frozenset(codes) for institution, codes in document["grants"].items()}
    return Caller(document["name"], document["role"], frozenset(document["scopes"]), grants)


def _stored(row: sqlite3.Row) -> Stored:
    document, *times = row
    return Stored(orjson.loads(document), *times)
