"""Writes of the embedded store: together, in order, whole or not at all; durable, whatever happens to their callers."""

import asyncio
import gc
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_file import is_busy
from shared.adapters.sqlite_writes import GROUP, Write
from shared.domain import declarations
from shared.errors import StoreUnavailable
from shared.ports import Search, VersionConflict
from shared.telemetry import error_chain
from tests.contracts.notice_store import at, published
from tests.process import run_python
from tests.support import ADDRESS, INSTITUTION, NOW, an_act


async def test_writes_of_one_tick_are_committed_together(store: SqliteNoticeStore, other: sqlite3.Connection) -> None:
    before = other.execute("PRAGMA data_version").fetchone()
    saves = saving(store, range(50))

    versions, counts = set(), set()
    while not all(save.done() for save in saves):
        versions.add(other.execute("PRAGMA data_version").fetchone())
        counts.add(number_of_notices(other))
        await asyncio.sleep(0)
    counts.add(number_of_notices(other))

    assert counts == {0, 50}
    assert before in versions


async def test_writes_beside_one_that_is_refused_are_still_committed_together(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    await store.save(published(at(0), amount=1))
    saves, counts = saving(store, range(50)), set()

    while not all(save.done() for save in saves):
        counts.add(number_of_notices(other))
        await asyncio.sleep(0)
    counts.add(number_of_notices(other))

    assert counts == {1, 50}
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [VersionConflict, *[type(None)] * 49]


async def test_events_have_positions_in_the_order_of_the_commits(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    first = published()
    for change in (first, published(at(2)), declarations.cancel(first.notice, an_act())):
        await store.save(change)

    rows = other.execute("SELECT position, number, version FROM events ORDER BY position").fetchall()

    numbers = [ADDRESS.number, at(2).number, ADDRESS.number]
    assert rows == [(1, numbers[0], 1), (2, numbers[1], 1), (3, numbers[2], 2)]


async def test_a_save_that_is_repeated_returns_what_another_writer_has_stored_since(store: SqliteNoticeStore) -> None:
    first = published()
    amended = declarations.amend(first.notice, {"description": "b"}, None, an_act())
    cancelled = declarations.cancel(amended.notice, an_act())
    for change in (first, amended, cancelled):
        await store.save(change)

    repeated = [await store.save(change) for change in (first, amended)]

    assert [stored.decode() for stored in repeated] == [cancelled.notice] * 2


async def test_a_write_waits_for_another_process_and_reads_do_not(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    await store.save(published(at(1)))
    other.execute("BEGIN IMMEDIATE")
    save = await attempted(store, [2])

    assert await store.load(at(1)) is not None
    assert not save[0].done()
    other.execute("COMMIT")
    await save[0]
    assert await store.load(at(2)) is not None


async def test_writes_that_wait_for_another_process_keep_their_order_and_all_get_their_turn(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    serials = range(GROUP + 300)
    other.execute("BEGIN IMMEDIATE")
    saves = await attempted(store, serials)
    other.execute("COMMIT")

    await asyncio.gather(*saves)

    rows = other.execute("SELECT number FROM events ORDER BY position").fetchall()
    assert rows == [(at(serial).number,) for serial in serials]


async def test_a_write_that_comes_while_others_wait_comes_after_them(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    saves = [*await attempted(store, [3, 1]), *await attempted(store, [2])]
    other.execute("COMMIT")

    await asyncio.gather(*saves)

    rows = other.execute("SELECT number FROM events ORDER BY position").fetchall()
    assert rows == [(at(serial).number,) for serial in (3, 1, 2)]


async def test_the_loop_does_not_stand_still_while_another_process_writes(store: SqliteNoticeStore) -> None:
    # In a wait of SQLite's own no other request would be served.
    assert store._db.execute("PRAGMA busy_timeout").fetchone() == (0,)


async def test_a_write_is_given_up_when_another_process_does_not_let_go(path: Path) -> None:
    store = SqliteNoticeStore(path, patience=timedelta(seconds=0.1))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable) as refused:
            await store.save(published())

        assert error_chain(refused.value) == "StoreUnavailable caused by OperationalError(SQLITE_BUSY)"
        other.execute("ROLLBACK")
        await store.save(published())
    await store.close()


async def test_every_way_in_which_another_process_hinders_is_waited_for(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM notices").fetchone()
    await store.save(published())

    with pytest.raises(sqlite3.OperationalError) as refused:
        other.execute("DELETE FROM notices")

    assert refused.value.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT
    assert is_busy(refused.value)


async def test_a_write_whose_caller_went_away_before_it_was_begun_is_not_written(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    abandoned, kept = await attempted(store, [1, 2])
    abandoned.cancel()
    other.execute("COMMIT")
    await kept

    assert abandoned.cancelled()
    assert await store.load(at(1)) is None


async def test_a_write_whose_time_is_over_before_it_is_begun_is_refused_and_not_written(tmp_path: Path) -> None:
    # As after a process that was stopped goes on: meanwhile another one may have taken its place.
    store = SqliteNoticeStore(tmp_path / "late.db", timedelta(0))

    with pytest.raises(StoreUnavailable):
        await store.save(published(at(1)))

    assert await store.load(at(1)) is None
    await store.close()


async def test_a_write_that_fails_after_its_caller_went_away_is_no_unhandled_error(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    other.execute("BEGIN IMMEDIATE")
    abandoned, kept = await attempted(store, [1, 2])
    abandoned.cancel()
    other.execute("ALTER TABLE events RENAME TO gone")
    other.execute("COMMIT")
    with pytest.raises(StoreUnavailable):
        await kept
    del abandoned, kept
    await asyncio.sleep(0)  # until the loop has let go of the futures too
    gc.collect()

    assert unhandled == []


async def test_what_was_accepted_is_kept_by_closing(path: Path) -> None:
    store = SqliteNoticeStore(path)
    saves = saving(store, range(GROUP + 1))
    await asyncio.sleep(0)

    await store.close()

    await asyncio.gather(*saves)
    reopened = SqliteNoticeStore(path)
    assert len(await reopened.search(Search(INSTITUTION, NOW, limit=1000))) == GROUP + 1
    await reopened.close()


async def test_a_write_that_is_refused_for_a_reason_of_its_own_takes_no_other_with_it_and_leaves_nothing(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    other.execute(
        f"CREATE TRIGGER refuses BEFORE INSERT ON events WHEN NEW.number = '{at(2).number}'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )

    outcomes = await asyncio.gather(*saving(store, [1, 2, 3]), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailable, type(None)]
    assert isinstance(outcomes[1], StoreUnavailable)
    assert error_chain(outcomes[1]) == "StoreUnavailable caused by IntegrityError(SQLITE_CONSTRAINT_TRIGGER)"
    assert [await store.load(at(serial)) is not None for serial in (1, 2, 3)] == [True, False, True]


async def test_writes_that_are_tried_one_by_one_wait_for_another_process_too(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    class Refused(Write):
        """A write that fails, after which another process writes."""

        def run(self, db: sqlite3.Connection) -> None:
            raise sqlite3.IntegrityError

        def finish(self, outcome: Exception | None) -> None:
            other.execute("BEGIN IMMEDIATE")
            super().finish(outcome)

    refused = asyncio.ensure_future(store._writes.add(Refused()))
    saves = saving(store, [1, 2, 3])
    with pytest.raises(StoreUnavailable):
        await refused
    other.execute("COMMIT")

    await asyncio.gather(*saves)

    rows = other.execute("SELECT number FROM events ORDER BY position").fetchall()
    assert rows == [(at(serial).number,) for serial in (1, 2, 3)]


async def test_a_stored_document_that_cannot_be_decoded_fails_the_write_that_meets_it_and_no_other(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    await store.save(published(at(1)))
    other.execute("UPDATE notices SET shown = CAST('{}' AS BLOB)")

    outcomes = await asyncio.gather(*saving(store, [1, 2]), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ValueError, type(None)]


async def test_on_a_full_disk_each_write_is_there_or_refused_and_once_there_is_room_all_are_taken(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    await store.save(published(at(0)))
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + 8}")
    serials = range(1, 200)

    outcomes = await asyncio.gather(*saving(store, serials), return_exceptions=True)

    refused = [outcome for outcome in outcomes if outcome is not None]
    assert 0 < len(refused) < len(serials)
    assert {error_chain(error) for error in refused} == {"StoreUnavailable caused by OperationalError(SQLITE_FULL)"}
    are_there = [await store.load(at(serial)) is not None for serial in serials]
    assert are_there == [outcome is None for outcome in outcomes]
    assert number_of_notices(other) == other.execute("SELECT count(*) FROM events").fetchone()[0]

    store._db.execute("PRAGMA max_page_count = 1000000")
    missing = [serial for serial, is_there in zip(serials, are_there, strict=True) if not is_there]
    await asyncio.gather(*saving(store, missing))
    assert number_of_notices(other) == 200


def test_a_commit_that_the_disk_refuses_leaves_nothing_and_the_next_one_succeeds(path: Path) -> None:
    # A limit on the size of files is the fault of a disk that any process may bring about, for itself alone.
    run_python(
        """
        import asyncio, resource, sys
        from pathlib import Path
        from shared.adapters.sqlite import SqliteNoticeStore
        from shared.errors import StoreUnavailable
        from shared.telemetry import error_chain
        from tests.contracts.notice_store import at, published

        async def main():
            path = Path(sys.argv[1])
            store = SqliteNoticeStore(path)
            await store.save(published(at(1)))
            size = Path(f"{path}-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            outcomes = await asyncio.gather(
                *(store.save(published(at(serial))) for serial in (2, 3)), return_exceptions=True
            )
            causes = {error_chain(outcome) for outcome in outcomes}
            assert causes == {"StoreUnavailable caused by OperationalError(SQLITE_IOERR_WRITE)"}, causes
            assert await store.load(at(1)) is not None
            assert [await store.load(at(serial)) for serial in (2, 3)] == [None, None]
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await store.save(published(at(2)))
            await store.close()
            store = SqliteNoticeStore(path)
            assert [await store.load(at(serial)) is not None for serial in (1, 2, 3)] == [True, True, False]
            await store.close()

        asyncio.run(main())
        """,
        path,
    )


def saving(store: SqliteNoticeStore, serials: Iterable[int]) -> list[asyncio.Task[None]]:
    """Begin to publish the notices with these serials, each by a caller of its own."""

    async def save(serial: int) -> None:
        await store.save(published(at(serial)))

    return [asyncio.ensure_future(save(serial)) for serial in serials]


async def attempted(store: SqliteNoticeStore, serials: Iterable[int]) -> list[asyncio.Task[None]]:
    """Begin to publish, and return once the store has tried to commit: one turn of the loop for each step."""
    saves = saving(store, serials)
    for _ in range(3):
        await asyncio.sleep(0)
    return saves


def number_of_notices(db: sqlite3.Connection) -> int:
    """Return how many notices the file holds."""
    count: int = db.execute("SELECT count(*) FROM notices").fetchone()[0]
    return count
