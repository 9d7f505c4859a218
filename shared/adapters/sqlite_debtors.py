"""The lists of the debtors in the embedded store. An entry without a notice has no place, so no list reads it."""

import sqlite3
from datetime import datetime

from shared.adapters.sqlite_lists import BriefLists
from shared.adapters.sqlite_writes import Write, Writes
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address
from shared.ports import REMOVED_FOR, DebtorEntry, OpenNotice

_COLUMNS = "debtor, creditor_institution, number, version, place, payable_from, payable_until, notice, removed_until"
_UPDATED = ("version", "place", "payable_from", "payable_until", "notice", "removed_until")
_PUT = (
    f"INSERT INTO notices_by_debtor ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (debtor, creditor_institution, number) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _UPDATED)
    + " WHERE version < excluded.version OR (? AND version = excluded.version)"
)
_KEY = "debtor, creditor_institution, number"
_PURGE = (
    f"DELETE FROM notices_by_debtor WHERE ({_KEY}) IN"
    f" (SELECT {_KEY} FROM notices_by_debtor INDEXED BY notices_removed WHERE removed_until <= ? LIMIT 20)"
)
"""Each write removes a few, so that many that end together do not hold up the other requests."""
OPEN = (
    "SELECT place, creditor_institution, number, notice FROM notices_by_debtor INDEXED BY notices_open"
    " WHERE debtor = ? AND place > ? AND (payable_from IS NULL OR payable_from <= ?)"
    " AND (payable_until IS NULL OR payable_until > ?) ORDER BY place LIMIT ?"
)


class SqliteDebtors:
    """DebtorIndex in the file of a SqliteNoticeStore, whose writes and lists it shares."""

    def __init__(self, writes: Writes, lists: BriefLists) -> None:
        self._writes = writes
        self._lists = lists

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry, unless there is one of the same or a later version."""
        await self._writes.add(_PutEntry(entry, now, repair=repair))

    async def open_notices(self, debtor: str, now: datetime, after: str = "", limit: int = 50) -> list[OpenNotice]:
        """Return the notices that a debtor can pay now, from behind a place on."""
        at = format_instant(now)
        rows = await self._lists.select(debtor, OPEN, (debtor, after, at, at, limit))
        return [
            OpenNotice(place, Address(InstitutionCode(institution), NoticeNumber(number)), json)
            for place, institution, number, json in rows
        ]


class _PutEntry(Write):
    def __init__(self, entry: DebtorEntry, now: datetime, *, repair: bool) -> None:
        notice, address = entry.notice, entry.address
        self._now = format_instant(now)
        self._row = (
            entry.debtor,
            str(address.creditor_institution),
            str(address.number),
            entry.version,
            notice.place if notice else None,
            format_instant(entry.payable_from) if entry.payable_from else None,
            format_instant(entry.payable_until) if entry.payable_until else None,
            notice.json if notice else None,
            None if notice else format_instant(now + REMOVED_FOR),
            repair,
        )

    def run(self, db: sqlite3.Connection) -> None:
        db.execute(_PURGE, (self._now,))
        db.execute(_PUT, self._row)
