"""The embedded store keeps the contracts, and what else it promises: durability, order, other processes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_file import connect
from shared.adapters.sqlite_search import DUE, search_statement
from shared.domain import declarations
from shared.errors import StoreUnavailable
from shared.ports import NoticeStore, Search
from tests.contracts.notice_store import NoticeStoreContract, at, published
from tests.support import ADDRESS, INSTITUTION, NOW, an_act, life_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "archive.db"


@pytest.fixture
def other(path: Path, store: NoticeStore) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


class TestSqliteNoticeStore(NoticeStoreContract):
    """NoticeStore on SQLite."""

    @pytest.fixture
    async def store(self, path: Path) -> AsyncIterator[NoticeStore]:
        store = SqliteNoticeStore(path)
        yield store
        await store.close()

    async def test_a_file_opened_again_holds_everything(self, store: NoticeStore, path: Path) -> None:
        change = published()
        await store.save(change)
        await store.close()

        reopened = SqliteNoticeStore(path)

        assert await life_of(reopened) == (change.notice, list(change.events))
        await reopened.close()

    async def test_what_was_accepted_is_kept_by_closing(self, path: Path) -> None:
        store = SqliteNoticeStore(path)
        saves = [asyncio.ensure_future(store.save(published(at(serial)))) for serial in range(3)]
        await asyncio.sleep(0)

        await store.close()

        await asyncio.gather(*saves)
        reopened = SqliteNoticeStore(path)
        assert len(await reopened.search(Search(INSTITUTION, NOW))) == 3
        await reopened.close()

    async def test_events_have_positions_in_the_order_of_the_commits(
        self, store: NoticeStore, other: sqlite3.Connection
    ) -> None:
        first = published()
        for change in (first, published(at(2)), declarations.cancel(first.notice, an_act())):
            await store.save(change)

        rows = other.execute("SELECT position, number, version FROM events ORDER BY position").fetchall()

        numbers = [ADDRESS.number, at(2).number, ADDRESS.number]
        assert rows == [(1, numbers[0], 1), (2, numbers[1], 1), (3, numbers[2], 2)]

    async def test_writes_of_one_tick_are_committed_together(
        self, store: NoticeStore, other: sqlite3.Connection
    ) -> None:
        before = other.execute("PRAGMA data_version").fetchone()
        saves = [asyncio.ensure_future(store.save(published(at(serial)))) for serial in range(50)]

        versions, counts = set(), set()
        while not all(save.done() for save in saves):
            versions.add(other.execute("PRAGMA data_version").fetchone())
            counts.add(other.execute("SELECT count(*) FROM notices").fetchone()[0])
            await asyncio.sleep(0)
        counts.add(other.execute("SELECT count(*) FROM notices").fetchone()[0])

        assert counts == {0, 50}
        assert before in versions

    async def test_a_write_waits_for_another_process_and_reads_do_not(
        self, store: NoticeStore, other: sqlite3.Connection
    ) -> None:
        await store.save(published(at(1)))
        other.execute("BEGIN IMMEDIATE")
        save = asyncio.ensure_future(store.save(published(at(2))))
        await asyncio.sleep(0.2)

        assert await store.load(at(1)) is not None
        assert not save.done()
        other.execute("COMMIT")
        await save
        assert await store.load(at(2)) is not None

    async def test_a_write_is_given_up_when_another_process_does_not_let_go(self, path: Path) -> None:
        store = SqliteNoticeStore(path, patience=timedelta(seconds=0.1))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(StoreUnavailable):
                await store.save(published())

            other.execute("ROLLBACK")
            await store.save(published())
        await store.close()

    async def test_a_caller_that_goes_away_does_not_take_its_write_back(self, store: NoticeStore) -> None:
        save = asyncio.ensure_future(store.save(published()))
        await asyncio.sleep(0)
        save.cancel()
        await asyncio.gather(save, return_exceptions=True)
        await asyncio.sleep(0.01)

        assert await store.load(ADDRESS) is not None

    async def test_a_full_disk_refuses_writes_keeps_what_is_there_and_recovers(self, path: Path) -> None:
        store = SqliteNoticeStore(path)
        await store.save(published(at(1)))
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")

        outcomes = await asyncio.gather(
            *(store.save(published(at(serial))) for serial in range(2, 100)), return_exceptions=True
        )

        assert StoreUnavailable in {type(outcome) for outcome in outcomes}
        assert await store.load(at(1)) is not None
        store._db.execute("PRAGMA max_page_count = 1000000")
        await store.save(published(at(200)))
        await store.close()

    async def test_searches_and_due_changes_are_answered_by_an_index(
        self, store: NoticeStore, other: sqlite3.Connection
    ) -> None:
        plans = {}
        for search in (
            Search(INSTITUTION, NOW),
            Search(INSTITUTION, NOW, due_from=date(2026, 1, 1)),
            Search(INSTITUTION, NOW, updated_from=NOW),
        ):
            statement, values = search_statement(search)
            plans[search.order.value] = _plan(other, statement, values)
        plans["due"] = _plan(other, DUE, ["2026", "", "", ""])

        assert {name: plan.split(" (")[0] for name, plan in plans.items()} == {
            "number": "SEARCH notices USING INDEX notices_by_number",
            "dueDate": "SEARCH notices USING INDEX notices_by_due_date",
            "updatedAt": "SEARCH notices USING INDEX notices_by_update",
            "due": "SEARCH notices USING INDEX notices_due",
        }


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, "another program's"])
def test_a_file_that_is_not_the_archives_is_refused_with_a_sentence(path: Path, content: bytes | str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE something (else_ TEXT)")

    with pytest.raises(ValueError, match=r"archive\.db"):
        SqliteNoticeStore(path)


def test_a_file_that_many_open_at_once_is_made_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{file}.db" for file in range(20) for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        for connection in threads.map(connect, paths):
            connection.close()


def test_a_file_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be opened as the archive's file"):
        connect(tmp_path / "no such folder" / "archive.db")


def _plan(db: sqlite3.Connection, statement: str, values: list[object]) -> str:
    """Return how SQLite answers a statement; a sort or a scan would show as another step."""
    steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    return "; ".join(steps)
