"""The embedded store: notices, their events and the registry in one SQLite file, for one machine.

Writes of one tick of the event loop are committed together, each with its outcome: one flush to disk serves them all.
WAL with synchronous=FULL, so that acknowledged writes survive a crash. Point reads run on the loop (a thread would cost
fifteen times the read). Listings run in threads, for they may look at many rows. `events.position` is the order of the
commits, which a reader of changes can follow.

Before each read and each commit the store looks whether its file is still in place. For a read this takes two
microseconds, a hundredth of a request.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from shared.adapters.sqlite_file import PATIENCE, OpenFile, connect
from shared.adapters.sqlite_lists import Lists, Row
from shared.adapters.sqlite_search import DUE, FEW, count_statement, search_statement
from shared.adapters.sqlite_writes import Write, Writes
from shared.documents import (
    SCHEMA,
    decode_event,
    decode_notice,
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
from shared.errors import StoreUnavailable
from shared.ports import Cursor, IuvClaim, Order, Search, VersionConflict
from shared.telemetry import log_bug, loggable

EVENTS_SIZE = 1024 * 1024
"""Bytes of events after which a page of a history ends: it is read on the loop, and other requests wait meanwhile."""

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
        self._db = connect(path)
        self._db.execute("PRAGMA busy_timeout = 0")  # while SQLite waits, the loop does too
        self._file = OpenFile(path)
        self._writes = Writes(self._db, self._file, patience)
        self._lists = Lists(path)

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now. One point read."""
        rows = self._read("SELECT document FROM notices WHERE creditor_institution = ? AND number = ?", _key(address))
        return decode_notice(loads(rows[0][0])) if rows else None

    async def save(self, change: Change) -> None:
        """Save the notice and its new events, with the other writes of this tick. Raises VersionConflict."""
        await self._writes.add(_SaveChange(change))

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        """Return the events that made the versions after `after`, oldest first: at most `limit`, and a few MB."""
        found: list[bytes] = []
        size = 0
        self._file.check()
        try:
            with closing(self._db.execute(_EVENTS_AFTER, (*_key(address), after, limit))) as rows:
                for (document,) in rows:
                    found.append(document)
                    size += len(document)
                    if size >= EVENTS_SIZE:
                        break
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return [decode_event(loads(document)) for document in found]

    async def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        """Yield the events from the one that made `version` back to the first."""
        while version > 0:
            rows = self._read(_EVENTS_BEFORE, (*_key(address), version))
            for (document,) in rows:
                event = decode_event(loads(document))
                yield event
                version = event.version - 1
            if not rows:
                return
            await asyncio.sleep(0)  # a long way back must not hold up the other requests

    async def search(self, search: Search) -> list[Notice]:
        """Return the notices wanted, in the order of the search. One that cannot be decoded is logged and left out."""
        notices: list[Notice] = []
        wanted = search.limit
        of_few = self._is_of_few(search)
        while True:
            self._file.check()
            statement, values = search_statement(search, of_few=of_few)
            rows = await self._lists.select(search.creditor_institution, statement, values)
            for _, number, document in rows:
                notices += _decoded(search.creditor_institution, number, document)
            if len(rows) < search.limit or not (missing := wanted - len(notices)):
                return notices
            # Other notices fill the page: a page that is not full is the last one.
            search = replace(search, limit=missing, after=Cursor(*rows[-1][:2]))

    async def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices whose change by time is not written down, page by page.

        One that cannot be decoded is logged and left out.
        """
        after: tuple[str, ...] = ("", "", "")
        while True:
            self._file.check()
            rows = await self._lists.select("", DUE, (format_instant(now), *after))
            for *_, institution, number, document in rows:
                for notice in _decoded(institution, number, document):
                    yield notice
            if not rows:
                return
            after = rows[-1][:3]

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
        rows = self._read(
            "SELECT number, held_until FROM iuvs WHERE creditor_institution = ? AND iuv = ?", (institution, iuv)
        )
        return IuvClaim(NoticeNumber(rows[0][0]), decode_instant(rows[0][1])) if rows else None

    async def ping(self, now: datetime) -> None:
        """Return if the file can be written."""
        await self._writes.add(_Ping(now))

    async def close(self) -> None:
        """Commit the waiting writes, stop the lists, then close the file."""
        await self._writes.close()
        await self._lists.close()
        self._db.close()

    def _is_of_few(self, search: Search) -> bool:
        """Return whether the granted segregation codes have so few notices that it is best to sort them."""
        if search.order is Order.NUMBER or EVERY in search.segregation_codes:
            return False
        [(count,)] = self._read(*count_statement(search))
        return bool(count <= FEW)

    def _read(self, statement: str, values: Sequence[object]) -> list[Row]:
        """Return the rows of a statement that looks at few, on the loop."""
        self._file.check()
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable from error


def _decoded(institution: str, number: str, document: bytes) -> Iterator[Notice]:
    """Yield the notice of a listed document. Log one that cannot be decoded, so that the others are served."""
    try:
        notice = decode_notice(loads(document))
    except Exception as error:  # noqa: BLE001  however a document is broken, it must not hide the others
        log_bug("document_unreadable", error, **loggable(institution, number))
    else:
        yield notice


class _SaveChange(Write):
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
        event = db.execute(
            "SELECT document FROM events WHERE creditor_institution = ? AND number = ? AND version = ?",
            (*self._key, self._expected + 1),
        ).fetchone()
        notice = db.execute(
            "SELECT document FROM notices WHERE creditor_institution = ? AND number = ?", self._key
        ).fetchone()
        if event and loads(event[0])["writeId"] == self._write_id:
            return None
        return VersionConflict(decode_notice(loads(notice[0])) if notice else None)


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
    return (address.creditor_institution, address.number)
