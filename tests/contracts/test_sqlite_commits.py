"""Commits of the embedded store run in a thread: what is acknowledged is committed, and the loop goes on meanwhile."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_checkpoints import Checkpoints
from shared.adapters.sqlite_file import OpenFile, connect
from shared.adapters.sqlite_writes import Write, Writes
from shared.errors import StoreUnavailable
from shared.telemetry import error_chain
from tests.contracts.notice_store import at, published
from tests.process import run_python

PATIENCE = timedelta(seconds=20)
PAGE = 4096 + 24
"""Bytes of a page in the log, with its header."""


class HeldConnection(sqlite3.Connection):
    """A connection whose commits wait for `go_on`, as if the disk were slow. With `fault` they fail."""

    reached, go_on = Event(), Event()
    fault: sqlite3.Error | None = None

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement, a COMMIT only when it may go on."""
        if statement == "COMMIT":
            self.reached.set()
            assert self.go_on.wait(20)
            if self.fault is not None:
                raise self.fault
        return super().execute(statement, *values)


class Insert(Write):
    """A write of one row."""

    def __init__(self, key: str) -> None:
        self._key = key

    def run(self, db: sqlite3.Connection) -> None:
        """Insert the row."""
        db.execute("INSERT INTO checkpoints VALUES (?, x'7b7d')", (self._key,))


@pytest.fixture
def held(path: Path) -> HeldConnection:
    """Return a connection that holds its commits."""
    connect(path).close()
    held = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=HeldConnection)
    held.reached, held.go_on = Event(), Event()
    return held


@pytest.fixture
async def writes(path: Path, held: HeldConnection) -> AsyncIterator[Writes]:
    """Yield writes on that connection."""
    checkpoints = Checkpoints(path)
    held.execute("PRAGMA user_version").fetchone()  # opens the log, which must be there
    writes = Writes(held, OpenFile(path), PATIENCE, checkpoints)
    yield writes
    held.go_on.set()
    await writes.close()
    await checkpoints.close()
    held.close()


def rows(path: Path) -> list[str]:
    """Return the rows that another process sees."""
    with closing(sqlite3.connect(path)) as db:
        return [key for (key,) in db.execute("SELECT id FROM checkpoints ORDER BY id")]


def size_of(path: Path) -> int:
    """Return how many bytes a file has."""
    return path.stat().st_size


async def until_held(held: HeldConnection) -> None:
    """Return once a commit has begun. The loop goes on."""
    assert await asyncio.to_thread(held.reached.wait, 20)


async def test_a_write_is_acknowledged_after_its_commit_and_the_loop_goes_on_meanwhile(
    path: Path, held: HeldConnection, writes: Writes
) -> None:
    write = asyncio.ensure_future(writes.add(Insert("a")))
    await until_held(held)
    await asyncio.sleep(0.01)

    assert not write.done()
    assert rows(path) == []
    held.go_on.set()
    await write
    assert rows(path) == ["a"]


async def test_writes_that_come_during_a_commit_are_committed_together_after_it(
    path: Path, held: HeldConnection, writes: Writes
) -> None:
    first = asyncio.ensure_future(writes.add(Insert("a")))
    await until_held(held)
    later = [asyncio.ensure_future(writes.add(Insert(key))) for key in "bcd"]
    await asyncio.sleep(0.01)

    assert not any(write.done() for write in (first, *later))
    held.go_on.set()
    await asyncio.gather(first, *later)
    assert rows(path) == ["a", "b", "c", "d"]


async def test_a_commit_that_fails_refuses_its_writes_and_leaves_nothing_of_them(
    path: Path, held: HeldConnection, writes: Writes
) -> None:
    held.fault = sqlite3.OperationalError("disk I/O error")
    held.go_on.set()

    outcomes = await asyncio.gather(*(writes.add(Insert(key)) for key in "ab"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable, StoreUnavailable]
    assert {error_chain(error) for error in outcomes if error} == {"StoreUnavailable caused by OperationalError"}
    assert rows(path) == []
    held.fault = None
    await writes.add(Insert("c"))
    assert rows(path) == ["c"]


async def test_a_caller_that_goes_away_during_a_commit_takes_nothing_back(
    path: Path, held: HeldConnection, writes: Writes
) -> None:
    abandoned, kept = (asyncio.ensure_future(writes.add(Insert(key))) for key in "ab")
    await until_held(held)
    abandoned.cancel()
    await asyncio.sleep(0)
    held.go_on.set()

    await kept

    assert abandoned.cancelled()
    assert rows(path) == ["a", "b"]


async def test_closing_waits_for_the_commit_that_is_under_way(path: Path, held: HeldConnection, writes: Writes) -> None:
    write = asyncio.ensure_future(writes.add(Insert("a")))
    await until_held(held)
    closing = asyncio.ensure_future(writes.close())
    await asyncio.sleep(0.01)

    assert not closing.done()
    held.go_on.set()
    await asyncio.gather(closing, write)
    assert rows(path) == ["a"]


def test_a_process_that_ends_before_its_commit_has_acknowledged_nothing(path: Path, tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    run_python(
        """
        import asyncio, os, sqlite3, sys
        from pathlib import Path
        from shared.adapters.sqlite_checkpoints import Checkpoints
        from shared.adapters.sqlite_file import OpenFile, connect
        from shared.adapters.sqlite_writes import Writes
        from tests.contracts.test_sqlite_commits import PATIENCE, Insert

        class Crashing(sqlite3.Connection):
            commits = 0

            def execute(self, statement, *values):
                if statement == "COMMIT":
                    self.commits += 1
                    if self.commits == 3:
                        os._exit(0)
                return super().execute(statement, *values)

        async def main():
            path, acknowledged = Path(sys.argv[1]), Path(sys.argv[2])
            connect(path).close()
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Crashing)
            checkpoints = Checkpoints(path)
            db.execute("PRAGMA synchronous = FULL")
            writes = Writes(db, OpenFile(path), PATIENCE, checkpoints)
            with acknowledged.open("a", buffering=1) as file:
                for key in "abcdef":
                    await writes.add(Insert(key))
                    file.write(f"{key}\\n")

        asyncio.run(main())
        """,
        path,
        acknowledged,
    )

    assert rows(path) == ["a", "b"] == acknowledged.read_text().split()


# Checkpoints


async def test_a_checkpoint_moves_what_was_committed_into_the_file_while_the_store_is_open(path: Path) -> None:
    store = SqliteNoticeStore(path)
    store._checkpoints._due_after = 50
    size = size_of(path)

    for first in range(0, 200, 20):
        await asyncio.gather(*(store.save(published(at(serial))) for serial in range(first, first + 20)))
    assert store._checkpoints._running is not None
    await store._checkpoints._running

    assert size_of(path) > size
    assert [await store.load(at(serial)) is not None for serial in (0, 199)] == [True, True]
    await store.close()


async def test_large_writes_bring_a_checkpoint_sooner(path: Path) -> None:
    store = SqliteNoticeStore(path)
    store._checkpoints._growth = 100 * PAGE
    size = size_of(path)

    for first in range(0, 200, 20):
        await asyncio.gather(*(store.save(published(at(serial))) for serial in range(first, first + 20)))
    assert store._checkpoints._running is not None
    await store._checkpoints._running

    assert size_of(path) > size
    await store.close()


async def test_the_log_does_not_grow_for_ever_under_writes_without_a_pause(path: Path) -> None:
    store = SqliteNoticeStore(path)
    store._checkpoints._due_after, store._checkpoints._long = 20, 30
    sizes = []

    for first in range(0, 1600, 20):
        await asyncio.gather(*(store.save(published(at(serial))) for serial in range(first, first + 20)))
        sizes.append(size_of(Path(f"{path}-wal")))

    assert max(sizes) < 400 * PAGE, "all writes together fill thousands of pages"
    await store.close()


async def test_a_checkpoint_that_fails_loses_nothing(path: Path) -> None:
    store = SqliteNoticeStore(path)
    store._checkpoints._due_after = 1
    store._checkpoints._db.close()  # each checkpoint fails now

    for serial in range(5):
        await store.save(published(at(serial)))

    assert [await store.load(at(serial)) is not None for serial in range(5)] == [True] * 5
    await store.close()
    reopened = SqliteNoticeStore(path)
    assert await reopened.load(at(4)) is not None
    await reopened.close()
