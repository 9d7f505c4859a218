"""The lists of the debtors in the embedded store. An entry without a notice has no place, so no list reads it."""

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime

from shared.adapters.sqlite_lists import BriefLists
from shared.adapters.sqlite_reads import Row
from shared.adapters.sqlite_writes import Write, Writes
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address
from shared.ports import REMOVED_FOR, DebtorEntry, OpenNotice
from shared.readable import readable

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
    "SELECT place, creditor_institution, number, version, notice FROM notices_by_debtor INDEXED BY notices_open"
    " WHERE debtor = ? AND place > ? AND (payable_from IS NULL OR payable_from <= ?)"
    " AND (payable_until IS NULL OR payable_until > ?)"
    " AND (? IS NULL OR creditor_institution IN (SELECT value FROM json_each(?))) ORDER BY place LIMIT ?"
)


class SqliteDebtors:
    """DebtorIndex in the file of a SqliteNoticeStore, whose writes and lists it shares."""

    def __init__(self, writes: Writes, lists: BriefLists) -> None:
        self._writes = writes
        self._lists = lists

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry, unless there is one of the same or a later version."""
        await self._writes.add(_PutEntry(entry, now, repair=repair))

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Return the notices that a debtor can pay now, from behind a place on."""
        at, wanted = format_instant(now), None if institutions is None else json.dumps(sorted(institutions))
        found: list[OpenNotice] = []
        while True:
            rows = await self._lists.select(debtor, OPEN, (debtor, after, at, at, wanted, wanted, limit))
            found += readable(rows, _open_notice, _address)
            if len(rows) < limit or len(found) >= limit:
                return found[:limit]
            after = rows[-1][0]


def _open_notice(row: Row) -> OpenNotice:
    place, institution, number, version, notice = row
    # It is sent as it is, so its ends are looked at: a list must not be damaged as a whole.
    if not (notice.startswith(b'{"creditorInstitution":"') and notice.endswith(b"}")):
        raise ValueError("the notice of an entry is damaged")
    return OpenNotice(place, Address(InstitutionCode(institution), NoticeNumber(number)), version, notice)


def _address(row: Row) -> tuple[object, object]:
    _, institution, number, *_ = row
    return institution, number


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
