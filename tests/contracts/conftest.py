"""The embedded store as its tests use it: in a file of its own, beside a connection of another program."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "archive.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteNoticeStore]:
    """Yield an embedded store; the test of another adapter makes one of its own."""
    store = SqliteNoticeStore(path)
    yield store
    await store.close()


@pytest.fixture
def other(path: Path, store: SqliteNoticeStore) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program to the file of the store."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
