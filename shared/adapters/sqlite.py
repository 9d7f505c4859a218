"""The embedded store: notices, their events and the registry in one SQLite file, for one machine.

Writes of one tick of the event loop are committed together, each with its outcome: one flush to disk serves them all.
WAL with synchronous=FULL, so that what was answered survives a crash. Point reads run on the loop (a thread would cost
fifteen times the read); listings run in a thread, for they may look at many rows. `events.position` is the order of the
commits, which a reader of changes can follow.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

from shared.adapters.sqlite_file import PATIENCE, connect, is_busy
from shared.adapters.sqlite_search import DUE, search_statement
from shared.documents import (
    SCHEMA,
    dumps,
    event_document,
    loads,
    notice_document,
    read_event,
    read_notice,
)
from shared.domain.dates import format_instant, read_instant
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address, Change, Notice
from shared.errors import StoreUnavailable
from shared.ports import IuvClaim, Overtaken, Search

GROUP = 512
"""Writes in one transaction, at most."""
EVENTS_SIZE = 4 * 1024 * 1024
"""Bytes of events after which a page of a history ends, as on Cosmos DB."""

_COLUMNS = (
    "version, status, updated_at, due_date_key, starts_at, ends_at, next_change_at, anomalies, document,"
    " creditor_institution, number"
)
_INSERT = f"INSERT INTO notices ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
_UPDATE = (
    f"UPDATE notices SET ({_COLUMNS}) = (?,?,?,?,?,?,?,?,?,?,?)"
    " WHERE creditor_institution = ? AND number = ? AND version = ?"
)
_EVENTS_AFTER = (
    "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version > ? ORDER BY version LIMIT ?"
)
_EVENTS_BEFORE = (
    "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version <= ?"
    " ORDER BY version DESC LIMIT 20"
)
_REPLACE_CLAIM = (
    "UPDATE iuvs SET number = ?, held_until = ?"
    " WHERE creditor_institution = ? AND iuv = ? AND number = ? AND held_until = ?"
)
_INSERT_EVENT = "INSERT INTO events (creditor_institution, number, version, document) VALUES (?,?,?,?)"


class SqliteNoticeStore:
    """NoticeStore on one SQLite file. To be made and used on one event loop."""

    def __init__(self, path: Path, patience: timedelta = PATIENCE) -> None:
        self._patience = patience.total_seconds()
        self._db = connect(path)
        self._listing_db = connect(path)
        self._listing = asyncio.Lock()
        self._writes: list[_Write] = []
        self._is_scheduled = False

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now; one point read."""
        try:
            return self._load(address)
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    async def save(self, change: Change) -> None:
        """Keep the notice and its new events, with the other writes of this tick; raise Overtaken, StoreUnavailable."""
        await self._written(_SaveChange(change))

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        """Return the events that made the versions after `after`, oldest first: at most `limit`, and a few MB."""
        found: list[bytes] = []
        size = 0
        try:
            with closing(self._db.execute(_EVENTS_AFTER, (*_key(address), after, limit))) as rows:
                for (document,) in rows:
                    found.append(document)
                    size += len(document)
                    if size >= EVENTS_SIZE:
                        break
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return [read_event(loads(document)) for document in found]

    async def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        """Yield the events from the one that made `version` back to the first."""
        while version > 0:
            try:
                rows = self._db.execute(_EVENTS_BEFORE, (*_key(address), version)).fetchall()
            except sqlite3.Error as error:
                raise StoreUnavailable from error
            for (document,) in rows:
                event = read_event(loads(document))
                yield event
                version = event.version - 1
            if not rows:
                return
            await asyncio.sleep(0)  # a long way back must not hold up the other requests

    async def search(self, search: Search) -> list[Notice]:
        """Return the notices wanted, in the order of the search."""
        return await self._select(*search_statement(search))

    async def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices that time has changed and nobody wrote down, page by page."""
        after: tuple[object, ...] = ("", "", "")
        while page := await self._select(DUE, (format_instant(now), *after)):
            for notice in page:
                yield notice
            last = page[-1]
            assert last.next_change_at is not None
            after = (
                format_instant(last.next_change_at),
                last.address.creditor_institution,
                last.address.number,
            )

    async def claim_iuv(
        self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None = None
    ) -> IuvClaim:
        """Save the claim if the IUV has none yet, or still has `instead_of`; return the claim that it has then."""
        await self._written(_SaveClaim(institution, iuv, claim, instead_of))
        saved = await self.iuv_claim(institution, iuv)
        assert saved is not None, "a claim is replaced, never removed"
        return saved

    async def iuv_claim(self, institution: InstitutionCode, iuv: Iuv) -> IuvClaim | None:
        """Return the claim that the IUV has."""
        try:
            row = self._db.execute(
                "SELECT number, held_until FROM iuvs WHERE creditor_institution = ? AND iuv = ?", (institution, iuv)
            ).fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return IuvClaim(NoticeNumber(row[0]), read_instant(row[1])) if row else None

    async def ping(self, now: datetime) -> None:
        """Return if the file can be written."""
        await self._written(_Ping(now))

    async def close(self) -> None:
        """Commit what is waiting, then close the file."""
        while self._writes:
            self._commit_group()
            await asyncio.sleep(0)
        async with self._listing:
            self._listing_db.close()
        self._db.close()

    def _load(self, address: Address) -> Notice | None:
        row = self._db.execute(
            "SELECT document FROM notices WHERE creditor_institution = ? AND number = ?", _key(address)
        ).fetchone()
        return read_notice(loads(row[0])) if row else None

    async def _select(self, statement: str, values: Sequence[object]) -> list[Notice]:
        def select() -> list[bytes]:
            with closing(self._listing_db.execute(statement, values)) as rows:
                return [document for (document,) in rows]

        async with self._listing:
            try:
                found = await asyncio.to_thread(select)
            except sqlite3.Error as error:
                raise StoreUnavailable from error
        return [read_notice(loads(document)) for document in found]

    async def _written(self, write: "_Write") -> None:
        """Wait for the write to be committed with the others of this tick."""
        loop = asyncio.get_running_loop()
        write.done, write.give_up_at = loop.create_future(), loop.time() + self._patience
        self._writes.append(write)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._commit_group)
        # A caller that goes away does not take the write back: it may be half-way to the disk.
        await asyncio.shield(write.done)

    def _commit_group(self) -> None:
        group, self._writes = self._writes[:GROUP], self._writes[GROUP:]
        loop = asyncio.get_running_loop()
        try:
            waiting = self._commit(group)
        finally:
            self._is_scheduled = False
        self._writes = waiting + self._writes
        if self._writes:
            self._is_scheduled = True
            if waiting:
                loop.call_later(0.01, self._commit_group)
            else:
                loop.call_soon(self._commit_group)

    def _commit(self, group: list["_Write"]) -> list["_Write"]:
        """Commit the writes together and tell each its outcome; return those that have to wait for another process."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            overtaken = [write.run(self._db) for write in group]
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  whoever waits is told, whatever it was
            with suppress(sqlite3.Error):  # what hindered the commit may hinder this; nothing is kept either way
                self._db.execute("ROLLBACK")
            return self._not_committed(group, error)
        for write, outcome in zip(group, overtaken, strict=True):
            write.tell(outcome)
        return []

    def _not_committed(self, group: list["_Write"], error: Exception) -> list["_Write"]:
        if is_busy(error):
            now = asyncio.get_running_loop().time()
            for write in group:
                if write.give_up_at <= now:
                    write.tell(_unavailable(error))
            return [write for write in group if write.give_up_at > now]
        if len(group) == 1:
            group[0].tell(_unavailable(error) if isinstance(error, sqlite3.Error) else error)
            return []
        # One write that fails must not take the others with it.
        return [waiting for write in group for waiting in self._commit([write])]


def _unavailable(error: Exception) -> StoreUnavailable:
    unavailable = StoreUnavailable()
    unavailable.__cause__ = error
    return unavailable


class _Write(ABC):
    """One write of a group; `run` returns why it was not done, if another came first."""

    done: asyncio.Future[None]
    give_up_at: float

    @abstractmethod
    def run(self, db: sqlite3.Connection) -> Overtaken | None:
        """Write, inside the transaction of the group."""

    def tell(self, outcome: Exception | None) -> None:
        """Tell whoever waits; it may have gone away."""
        if not self.done.done():
            self.done.set_result(None) if outcome is None else self.done.set_exception(outcome)


class _SaveChange(_Write):
    def __init__(self, change: Change) -> None:
        # Everything that can fail for reasons of its own is done here, before the group's transaction.
        document = notice_document(change.notice)
        self._expected = change.expected_version
        self._key = _key(change.notice.address)
        self._write_id = change.events[0].write_id
        self._row = (
            change.notice.version,
            change.notice.status,
            document["updatedAt"],
            document.get("dueDateKey"),
            document.get("startsAt"),
            document.get("endsAt"),
            document.get("nextChangeAt"),
            " ".join(change.notice.anomalies) or None,
            dumps(document),
            *self._key,
        )
        self._events = [(*self._key, event.version, dumps(event_document(event))) for event in change.events]

    def run(self, db: sqlite3.Connection) -> Overtaken | None:
        if self._expected == 0:
            done = db.execute(_INSERT, self._row)
        else:
            done = db.execute(_UPDATE, (*self._row, *self._key, self._expected))
        if done.rowcount == 0:
            return None if self._is_done(db) else self._overtaken(db)
        for event in self._events:
            db.execute(_INSERT_EVENT, event)
        return None

    def _is_done(self, db: sqlite3.Connection) -> bool:
        """Tell whether the next event is ours: then the change was saved before, and this is a repetition."""
        row = db.execute(
            "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version = ?",
            (*self._key, self._expected + 1),
        ).fetchone()
        return row is not None and loads(row[0])["writeId"] == self._write_id

    def _overtaken(self, db: sqlite3.Connection) -> Overtaken:
        row = db.execute(
            "SELECT document FROM notices WHERE creditor_institution = ? AND number = ?", self._key
        ).fetchone()
        return Overtaken(read_notice(loads(row[0])) if row else None)


class _SaveClaim(_Write):
    def __init__(self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None) -> None:
        self._key = (institution, iuv)
        self._values = (claim.number, format_instant(claim.held_until))
        self._expected = (instead_of.number, format_instant(instead_of.held_until)) if instead_of else None

    def run(self, db: sqlite3.Connection) -> None:
        if self._expected is None:
            db.execute("INSERT INTO iuvs VALUES (?,?,?,?) ON CONFLICT DO NOTHING", (*self._key, *self._values))
        else:
            db.execute(_REPLACE_CLAIM, (*self._values, *self._key, *self._expected))


class _Ping(_Write):
    def __init__(self, now: datetime) -> None:
        self._row = ("health", dumps({"id": "health", "schema": SCHEMA, "checkedAt": format_instant(now)}))

    def run(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?)", self._row)


def _key(address: Address) -> tuple[str, str]:
    return (address.creditor_institution, address.number)
