"""Store the data of the double in SQLite, in memory or in a file. A write that was answered survives a killed process.

`items` has the items as they are now. `earlier` has the items that the last transactions of each physical partition
changed or deleted, as they were before: with them, a read can find a replica that is behind.
"""

import secrets
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from emulators.cosmos.partitions import Key, KeyDefinition, Range, even_ranges
from emulators.cosmos.refusals import Refusal

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS databases (name TEXT PRIMARY KEY, rid TEXT);
CREATE TABLE IF NOT EXISTS containers (rid TEXT PRIMARY KEY, database TEXT, name TEXT, definition BLOB,
    UNIQUE (database, name));
CREATE TABLE IF NOT EXISTS ranges (container TEXT, id TEXT, low TEXT, high TEXT, lsn INTEGER, parents BLOB,
    PRIMARY KEY (container, id));
CREATE TABLE IF NOT EXISTS items (n INTEGER PRIMARY KEY AUTOINCREMENT, container TEXT, key TEXT, id TEXT, hash TEXT,
    lsn INTEGER, changed_at INTEGER, expires_at INTEGER, etag TEXT, body BLOB, UNIQUE (container, key, id));
CREATE INDEX IF NOT EXISTS items_by_hash ON items (container, hash);
CREATE INDEX IF NOT EXISTS items_by_lsn ON items (container, lsn);
CREATE TABLE IF NOT EXISTS earlier (n INTEGER, container TEXT, key TEXT, id TEXT, hash TEXT, lsn INTEGER,
    changed_at INTEGER, expires_at INTEGER, etag TEXT, body BLOB, until INTEGER);
CREATE INDEX IF NOT EXISTS earlier_by_end ON earlier (container, until);
CREATE VIEW IF NOT EXISTS versions AS SELECT *, NULL AS until FROM items UNION ALL SELECT * FROM earlier;
"""

AS_OF = "AND lsn <= ? AND (until IS NULL OR until > ?)"
"""The condition for the rows of `versions` after a transaction. Its number is given twice."""
MOST_BEHIND = 10
"""Transactions that a replica may be behind, at most."""

DEFAULT_INDEXING: dict[str, Any] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the account."""

    name: str
    rid: str


@dataclass(frozen=True, slots=True)
class Container:
    """A container with its definition."""

    rid: str
    database: Database
    name: str
    definition: dict[str, Any]
    key: KeyDefinition

    @property
    def link(self) -> str:
        """Return its address by resource ids."""
        return f"dbs/{self.database.rid}/colls/{self.rid}/"

    @property
    def path(self) -> str:
        """Return its address by names."""
        return f"dbs/{self.database.name}/colls/{self.name}"

    @property
    def indexing(self) -> dict[str, Any]:
        """Return its indexing policy."""
        policy: dict[str, Any] = self.definition["indexingPolicy"]
        return policy

    @property
    def default_ttl(self) -> int | None:
        """Return the seconds that an item without a `ttl` lives. -1 is for ever. With None, no item expires."""
        return self.definition.get("defaultTtl")


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item. `body` is its JSON with the system properties."""

    n: int
    id: str
    hash: str
    lsn: int
    etag: str
    body: bytes


class Storage:
    """The databases, containers, ranges and items of one account."""

    def __init__(self, file: Path | None) -> None:
        """Open the file or make it. Raises ValueError for a file of other data."""
        try:
            self.db = sqlite3.connect(file or ":memory:", isolation_level=None)
        except sqlite3.Error as error:
            raise ValueError(f"{file} cannot be opened: {error}.") from error
        try:
            self.db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self.db.close()
            raise ValueError(f"{file} cannot be used for the data of the double: {error}.") from error
        self._containers: dict[tuple[str, str], Container] = {}
        self._ranges: dict[str, list[Range]] = {}

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit every write of the block, or none."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            self._ranges.clear()
            raise
        self.db.execute("COMMIT")

    def create_database(self, name: str) -> Database:
        """Create the database. Refuse a name that is in use."""
        database = Database(name, rid(secrets.token_bytes(4)))
        try:
            self.db.execute("INSERT INTO databases VALUES (?,?)", (name, database.rid))
        except sqlite3.IntegrityError as error:
            raise _in_use() from error
        return database

    def databases(self) -> list[Database]:
        """Return every database."""
        return [Database(*row) for row in self.db.execute("SELECT name, rid FROM databases ORDER BY name")]

    def database(self, name: str) -> Database:
        """Return the database of this name or resource id. Refuse one that does not exist."""
        row = self.db.execute("SELECT name, rid FROM databases WHERE name = ? OR rid = ?", (name, name)).fetchone()
        if row is None:
            raise not_found(1003)
        return Database(*row)

    def delete_database(self, database: Database) -> None:
        """Delete the database with its containers."""
        with self.transaction():
            for container in self.containers(database):
                self._delete_container(container)
            self.db.execute("DELETE FROM databases WHERE name = ?", (database.name,))

    def create_container(self, database: Database, definition: dict[str, Any], ranges: int) -> Container:
        """Create the container with so many physical partitions. Refuse a name that is in use."""
        key = KeyDefinition.parse(definition["partitionKey"])
        first, *rest = secrets.token_bytes(4)
        # This bit is the difference between the rid of a container and the rid of a user.
        container_rid = rid_below(database.rid, bytes((first | 0x80, *rest)))
        container = Container(container_rid, database, definition["id"], definition, key)
        with self.transaction():
            try:
                row = (container.rid, database.name, container.name, orjson.dumps(definition))
                self.db.execute("INSERT INTO containers VALUES (?,?,?,?)", row)
            except sqlite3.IntegrityError as error:
                raise _in_use() from error
            self._insert_ranges(container, even_ranges(ranges))
        return container

    def containers(self, database: Database) -> list[Container]:
        """Return every container of the database."""
        rows = self.db.execute("SELECT name FROM containers WHERE database = ? ORDER BY name", (database.name,))
        return [self.container(database.name, name) for (name,) in rows.fetchall()]

    def container(self, database_name: str, name: str) -> Container:
        """Return the container of this name or resource id. Refuse one that does not exist."""
        if known := self._containers.get((database_name, name)):
            return known
        database = self.database(database_name)
        row = self.db.execute(
            "SELECT rid, name, definition FROM containers WHERE database = ? AND (name = ? OR rid = ?)",
            (database.name, name, name),
        ).fetchone()
        if row is None:
            raise not_found(1003)
        definition = orjson.loads(row[2])
        container = Container(row[0], database, row[1], definition, KeyDefinition.parse(definition["partitionKey"]))
        self._containers[database_name, name] = container
        return container

    def delete_container(self, container: Container) -> None:
        """Delete the container with its items."""
        with self.transaction():
            self._delete_container(container)

    def ranges(self, container: Container) -> list[Range]:
        """Return the physical partitions of the container, in the order of their hashes."""
        if container.rid not in self._ranges:
            rows = self.db.execute(
                "SELECT id, low, high, lsn, parents FROM ranges WHERE container = ? ORDER BY low", (container.rid,)
            )
            self._ranges[container.rid] = [
                Range(range_id, low, high, lsn, tuple(orjson.loads(parents)))
                for range_id, low, high, lsn, parents in rows
            ]
        return self._ranges[container.rid]

    def split(self, container: Container, whole: Range, at: str | None) -> tuple[Range, Range]:
        """Replace the range by its two halves, with ids that no range has had."""
        newest = max(int(part.id) for part in self.ranges(container))
        halves = whole.split(at, (str(newest + 1), str(newest + 2)))
        with self.transaction():
            self.db.execute("DELETE FROM ranges WHERE container = ? AND id = ?", (container.rid, whole.id))
            self._insert_ranges(container, list(halves))
        return halves

    def next_lsn(self, container: Container, part: Range) -> int:
        """Return the number of the next transaction of the range, inside a transaction."""
        row = self.db.execute(
            "UPDATE ranges SET lsn = lsn + 1 WHERE container = ? AND id = ? RETURNING lsn", (container.rid, part.id)
        ).fetchone()
        lsn: int = row[0]
        self._ranges[container.rid] = [replace(r, lsn=lsn) if r.id == part.id else r for r in self.ranges(container)]
        self.db.execute(
            "DELETE FROM earlier WHERE container = ? AND until <= ? AND hash >= ? AND hash < ?",
            (container.rid, lsn - MOST_BEHIND, part.low, part.high),
        )
        return lsn

    def item(self, container: Container, key: str, item_id: str, now: float, as_of: int | None = None) -> Item | None:
        """Return the item if it has not expired. `as_of`: as it was after the transaction of this number."""
        values = [container.rid, key, item_id, now]
        if as_of is None:
            table, shown = "items", ""
        else:
            table, shown = "versions", AS_OF
            values += [as_of, as_of]
        row = self.db.execute(
            f"SELECT n, id, hash, lsn, etag, body FROM {table}"
            f" WHERE container = ? AND key = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?) {shown}",
            values,
        ).fetchone()
        return Item(*row) if row else None

    def id_of(self, n: int) -> str | None:
        """Return the id of the item with this number."""
        row = self.db.execute("SELECT id FROM items WHERE n = ?", (n,)).fetchone()
        return row[0] if row else None

    def put(
        self, container: Container, key: Key, item: Item, changed_at: int, expires_at: int | None, was: Item | None
    ) -> None:
        """Write the item inside a transaction. `item.n` is the number of the old item, or a new one."""
        name = key_text(key)
        self._keep(was, item.lsn)
        row = (item.n, container.rid, name, item.id, item.hash, item.lsn, changed_at, expires_at, item.etag, item.body)
        self.db.execute("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?,?,?,?,?)", row)

    def remove(self, lsn: int, was: Item) -> None:
        """Delete the item inside a transaction."""
        self._keep(was, lsn)
        self.db.execute("DELETE FROM items WHERE n = ?", (was.n,))

    def next_number(self) -> int:
        """Return a number that no item has, inside a transaction."""
        row = self.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
        return (row[0] if row else 0) + 1

    def _keep(self, was: Item | None, until: int) -> None:
        """Keep an item as it was until a transaction."""
        if was is not None:
            self.db.execute("INSERT INTO earlier SELECT *, ? FROM items WHERE n = ?", (until, was.n))

    def _insert_ranges(self, container: Container, ranges: list[Range]) -> None:
        rows = [(container.rid, r.id, r.low, r.high, r.lsn, orjson.dumps(r.parents)) for r in ranges]
        self.db.executemany("INSERT INTO ranges VALUES (?,?,?,?,?,?)", rows)
        self._ranges.pop(container.rid, None)

    def _delete_container(self, container: Container) -> None:
        for table in ("items", "earlier", "ranges"):
            self.db.execute(f"DELETE FROM {table} WHERE container = ?", (container.rid,))
        self.db.execute("DELETE FROM containers WHERE rid = ?", (container.rid,))
        self._containers.clear()
        self._ranges.clear()


def is_time_to_live(value: object) -> bool:
    """Return whether it is a positive number of seconds, or -1 for ever."""
    return type(value) is int and (value > 0 or value == -1)


def key_text(key: Key) -> str:
    """Return a key as it is stored and compared. 12 and 12.0 are one key."""
    whole = [int(v) if isinstance(v, float) and v.is_integer() and abs(v) < 2**53 else v for v in key]
    return orjson.dumps(whole).decode()


def rid(number: bytes) -> str:
    """Return a resource id: base64 with a minus in place of the slash."""
    return b64encode(number, b"+-").decode()


def rid_below(parent: str, number: bytes) -> str:
    """Return the resource id of a resource inside another: the number of the outer one, then its own."""
    return rid(b64decode(parent, b"+-") + number)


def not_found(substatus: int = 0) -> Refusal:
    """Return the refusal for a resource that does not exist. 1003: its container or database does not exist."""
    return Refusal(404, "NotFound", "Resource Not Found. Entity with the specified id does not exist.", substatus)


def _in_use() -> Refusal:
    return Refusal(409, "Conflict", "Resource with specified id, name, or unique index already exists.")
