"""The debtors' lists of the embedded store keep the contract, and a list reads no more than its page."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_debtors import OPEN, SqliteDebtors
from shared.ports import REMOVED_FOR, DebtorIndex
from tests.contracts.debtor_index import DEBTOR, DebtorIndexContract, an_entry, at, gone
from tests.support import NOW, SECOND, a_number


class TestSqliteDebtors(DebtorIndexContract):
    """DebtorIndex on SQLite."""

    @pytest.fixture
    def index(self, store: SqliteNoticeStore) -> DebtorIndex:
        return SqliteDebtors(store.writes, store.lists)

    async def test_an_entry_without_a_notice_is_removed_in_the_end(
        self, index: DebtorIndex, other: sqlite3.Connection
    ) -> None:
        await index.put(gone(1), NOW)

        await index.put(an_entry(2), NOW + REMOVED_FOR - SECOND)
        assert other.execute("SELECT count(*) FROM notices_by_debtor").fetchone() == (2,)
        await index.put(an_entry(3), NOW + REMOVED_FOR)

        assert other.execute("SELECT count(*) FROM notices_by_debtor").fetchone() == (2,)

    async def test_many_entries_without_a_notice_are_removed_bit_by_bit(
        self, index: DebtorIndex, other: sqlite3.Connection
    ) -> None:
        await asyncio.gather(*(index.put(gone(serial), NOW) for serial in range(1, 101)))
        left = [100]

        while left[-1]:
            await index.put(an_entry(200), NOW + REMOVED_FOR)
            left += other.execute("SELECT count(*) FROM notices_by_debtor WHERE place IS NULL").fetchone()

        assert left == [100, 80, 60, 40, 20, 0]

    @pytest.mark.parametrize("damage", ["NULL", "'a text'", "x'7b'", "1"])
    async def test_a_damaged_entry_is_logged_and_hides_no_other(
        self, index: DebtorIndex, other: sqlite3.Connection, damage: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for serial in range(1, 8):
            await index.put(an_entry(serial), NOW)
        other.execute(
            f"UPDATE notices_by_debtor SET notice = {damage} WHERE number IN (?,?)", (a_number(2), a_number(3))
        )

        found = await index.open_notices(DEBTOR, NOW, limit=3)

        assert [notice.address for notice in found] == [at(1), at(4), at(5)]
        assert caplog.text.count("document_unreadable") == 2
        assert len(await index.open_notices(DEBTOR, NOW)) == 5

    async def test_a_file_opened_again_holds_the_lists(self, index: DebtorIndex, path: Path) -> None:
        await index.put(an_entry(), NOW)

        reopened = SqliteNoticeStore(path)

        assert await SqliteDebtors(reopened.writes, reopened.lists).open_notices(DEBTOR, NOW) == [an_entry().notice]
        await reopened.close()

    async def test_a_list_seeks_its_place_in_an_index(self, index: DebtorIndex, other: sqlite3.Connection) -> None:
        await index.put(an_entry(), NOW)

        plan = " ".join(
            row[-1] for row in other.execute(f"EXPLAIN QUERY PLAN {OPEN}", (DEBTOR, "", "", "", None, None, 10))
        )

        assert "notices_open (debtor=? AND place>?)" in plan
        assert "TEMP B-TREE" not in plan
