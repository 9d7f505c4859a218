"""The embedded store: notices, their events and the registry in one SQLite file, for one machine.

Writes that come together are committed together, each with its outcome: one flush to disk serves them all. WAL with
synchronous=FULL, so that acknowledged writes survive a crash. Point reads and brief lists run on the loop (a thread
would cost fifteen times the read). `events.position` is the order of the commits, which a reader of changes can follow.

Before each read and each commit the store looks whether its file is still in place. For a read this takes two
microseconds, a hundredth of a request.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from shared.adapters.sqlite_checkpoints import Checkpoints
from shared.adapters.sqlite_file import PATIENCE, OpenFile, connect
from shared.adapters.sqlite_lists import BriefLists, Lists
from shared.adapters.sqlite_reads import Reads, Row
from shared.adapters.sqlite_search import AWAITED, DUE, FEW, STORED, count_statement, search_statement, short_statement
from shared.adapters.sqlite_writes import Write, Writes
from shared.documents import (
    SCHEMA,
    decode_event,
    dumps,
    event_document,
    loads,
    notice_document,
)
from shared.domain.callers import EVERY
from shared.domain.dates import decode_instant, format_instant
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address, Change, Notice
from shared.ports import Cursor, IuvClaim, Listed, Order, Search, VersionConflict
from shared.stored_notice import StoredNotice, stored_notice
from shared.telemetry import log_bug

EVENTS_SIZE = 1024 * 1024
"""Bytes of events after which a page of a history ends: it is read on the loop, and other requests wait meanwhile."""

_COLUMNS = (
    "version, status, updated_at, due_date_key, starts_at, ends_at, next_change_at, anomalies, shown, kept,"
    " creditor_institution, number"
)
_INSERT = f"INSERT INTO notices ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
_UPDATE = (
    f"UPDATE notices SET ({_COLUMNS}) = (?,?,?,?,?,?,?,?,?,?,?,?)"
    " WHERE creditor_institution = ? AND number = ? AND version = ?"
)
_NOTICE = f"SELECT {STORED} FROM notices WHERE creditor_institution = ? AND number = ?"
_EVENT = "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version = ?"
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
        self._db = connect(path)
        self._db.execute("PRAGMA busy_timeout = 0")  # while SQLite waits, the loop does too
        self._db.execute("PRAGMA wal_autocheckpoint = 0")
        self._file = OpenFile(path)
        self._checkpoints = Checkpoints(path)
        self._writes = self.writes = Writes(self._db, self._file, patience, self._checkpoints)
        self._lists = Lists(path)
        self._reads = self.reads = Reads(path, self._file)
        self.lists = BriefLists(self._reads, self._lists)

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now, for a decision. One point read."""
        stored = await self.find(address)
        return stored.decode() if stored else None

    async def find(self, address: Address) -> StoredNotice | None:
        """Return the notice as it is stored, to be shown. One point read."""
        rows = self._reads.select(_NOTICE, _key(address))
        return _stored(*rows[0]) if rows else None

    async def save(self, change: Change) -> StoredNotice:
        """Save the notice and its new events, with the other writes of this moment. Raises VersionConflict."""
        write = _SaveChange(change)
        await self._writes.add(write)
        return write.stored

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        """Return the events that made the versions after `after`, oldest first: at most `limit`, and a few MB."""
        found: list[bytes] = []
        size = 0
        with self._reads.rows(_EVENTS_AFTER, (*_key(address), after, limit)) as rows, closing(rows):
            for (document,) in rows:
                found.append(document)
                size += len(document)
                if size >= EVENTS_SIZE:
                    break
        return [decode_event(loads(document)) for document in found]

    async def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        """Yield the events from the one that made `version` back to the first."""
        while version > 0:
            rows = self._reads.select(_EVENTS_BEFORE, (*_key(address), version))
            for (document,) in rows:
                event = decode_event(loads(document))
                yield event
                version = event.version - 1
            if not rows:
                return
            await asyncio.sleep(0)  # a long way back must not hold up the other requests

    async def search(self, search: Search) -> list[Listed]:
        """Return the notices wanted, in the order of the search. One that is damaged is logged and left out."""
        found: list[Listed] = []
        institution, wanted = search.creditor_institution, search.limit
        of_few = self._is_of_few(search)
        while True:
            statement = search_statement(search, of_few=of_few)
            rows = self.lists.select_briefly(*(short_statement(search) or statement))
            if rows is None:
                rows = await self._lists.select(institution, *statement)
            found += _listed(search, rows)
            if len(rows) < search.limit or not (missing := wanted - len(found)):
                return found
            # Other notices fill the page: a page that is not full is the last one.
            search = replace(search, limit=missing, after=Cursor(*rows[-1][:2]))

    async def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices whose change by time is not written down, page by page.

        One that cannot be decoded is logged and left out.
        """
        async for notice in self._each(DUE, (format_instant(now),), ("", "", "")):
            yield notice

    async def awaited(self) -> AsyncIterator[Notice]:
        """Yield the notices that were paid and are not communicated, page by page."""
        async for notice in self._each(AWAITED, (), ("", "")):
            yield notice

    async def _each(self, statement: str, values: tuple[object, ...], after: tuple[str, ...]) -> AsyncIterator[Notice]:
        """Yield the notices of a statement, from a key on, which its first columns hold."""
        while True:
            rows = await self.lists.select("", statement, (*values, *after))
            for row in rows:
                institution, number = row[len(after) - 2 : len(after)]
                columns = row[len(after) :]
                try:
                    notice = _stored(*columns).decode()
                except Exception as error:  # noqa: BLE001  however a document is damaged, it must not hide the others
                    log_bug("document_unreadable", error, institution=institution, number=number)
                else:
                    yield notice
            if not rows:
                return
            after = rows[-1][: len(after)]

    async def claim_iuv(
        self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None = None
    ) -> IuvClaim:
        """Save the claim if the IUV has none yet, or still has `instead_of`. Return the claim that it has then."""
        await self._writes.add(_SaveClaim(institution, iuv, claim, instead_of))
        saved = await self.iuv_claim(institution, iuv)
        assert saved is not None, "a claim is replaced, never removed"
        return saved

    async def iuv_claim(self, institution: InstitutionCode, iuv: Iuv) -> IuvClaim | None:
        """Return the claim that the IUV has."""
        rows = self._reads.select(
            "SELECT number, held_until FROM iuvs WHERE creditor_institution = ? AND iuv = ?", (institution, iuv)
        )
        return IuvClaim(NoticeNumber(rows[0][0]), decode_instant(rows[0][1])) if rows else None

    async def ping(self, now: datetime) -> None:
        """Return if the file can be written."""
        await self._writes.add(_Ping(now))

    async def close(self) -> None:
        """Commit the waiting writes, stop the lists, then close the file."""
        await self._writes.close()
        await self._checkpoints.close()
        await self._lists.close()
        self._reads.close()
        self._db.close()

    def _is_of_few(self, search: Search) -> bool:
        """Return whether the granted segregation codes have so few notices that it is best to sort them."""
        if search.order is Order.NUMBER or EVERY in search.segregation_codes:
            return False
        [(count,)] = self._reads.select(*count_statement(search))
        return bool(count <= FEW)


def _listed(search: Search, rows: list[Row]) -> Iterator[Listed]:
    """Yield the notices of the rows. Log one that is damaged, so that the others are served."""
    for key, number, *columns in rows:
        try:
            shown = _stored(*columns).at(search.now)
            assert shown is not None, "no list asks for a notice that is awaited"
        except Exception as error:  # noqa: BLE001  however a document is damaged, it must not hide the others
            log_bug("document_unreadable", error, institution=search.creditor_institution, number=number)
        else:
            yield Listed(key, number, shown)


def _stored(version: int, status: str, next_change_at: str | None, shown: bytes | None, kept: bytes) -> StoredNotice:
    """Return the notice of a row. Raises an error if its document is damaged."""
    if shown is None:
        return stored_notice(loads(kept))
    # It is sent as it is, so its ends are looked at: a list must not be damaged as a whole.
    if not (shown.startswith(b'{"creditorInstitution":"') and shown.endswith(b"}")):
        raise ValueError("what is shown of a notice is damaged")
    return StoredNotice(version, status, next_change_at, shown, kept)


class _SaveChange(Write):
    def __init__(self, change: Change) -> None:
        self._change = change
        self._expected = change.expected_version
        self._key = _key(change.notice.address)

    def prepare(self, db: sqlite3.Connection) -> bool:
        # A notice is often published again. Seen here, it costs no rendering and no transaction.
        if self._expected == 0 and db.execute(_NOTICE, self._key).fetchone():
            if conflict := self._not_written(db):
                raise conflict
            return False
        notice, (shown, kept, keys) = self._change.notice, notice_document(self._change.notice)
        self.stored = StoredNotice(notice.version, notice.status, keys.get("nextChangeAt"), dumps(shown), dumps(kept))
        self._row = (
            notice.version,
            notice.status.value,
            shown["updatedAt"],
            keys.get("dueDateKey"),
            keys.get("startsAt"),
            keys.get("endsAt"),
            self.stored.next_change_at,
            " ".join(notice.anomalies) or None,
            self.stored.shown,
            self.stored.kept,
            *self._key,
        )
        self._events = [(*self._key, event.version, dumps(event_document(event))) for event in self._change.events]
        return True

    def run(self, db: sqlite3.Connection) -> VersionConflict | None:
        if self._expected == 0:
            done = db.execute(_INSERT, self._row)
        else:
            done = db.execute(_UPDATE, (*self._row, *self._key, self._expected))
        if done.rowcount == 0:
            return self._not_written(db)
        for event in self._events:
            db.execute(_INSERT_EVENT, event)
        return None

    def _not_written(self, db: sqlite3.Connection) -> VersionConflict | None:
        """Return None if the next event is ours, because this is a repetition then. Else VersionConflict."""
        event = db.execute(_EVENT, (*self._key, self._expected + 1)).fetchone()
        notice = db.execute(_NOTICE, self._key).fetchone()
        stored = _stored(*notice) if notice else None
        if stored is not None and event and loads(event[0])["writeId"] == self._change.events[0].write_id:
            self.stored = stored
            return None
        return VersionConflict(stored)


class _SaveClaim(Write):
    def __init__(self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None) -> None:
        self._key = (institution, iuv)
        self._values = (claim.number, format_instant(claim.held_until))
        self._expected = (instead_of.number, format_instant(instead_of.held_until)) if instead_of else None

    def run(self, db: sqlite3.Connection) -> None:
        if self._expected is None:
            db.execute("INSERT INTO iuvs VALUES (?,?,?,?) ON CONFLICT DO NOTHING", (*self._key, *self._values))
        else:
            db.execute(_REPLACE_CLAIM, (*self._values, *self._key, *self._expected))


class _Ping(Write):
    def __init__(self, now: datetime) -> None:
        self._row = ("health", dumps({"id": "health", "schema": SCHEMA, "checkedAt": format_instant(now)}))

    def run(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?)", self._row)


def _key(address: Address) -> tuple[str, str]:
    # Plain texts: for any other type, sqlite3 looks for an adapter first.
    return str(address.creditor_institution), str(address.number)
