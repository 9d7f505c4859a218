"""The embedded store keeps the contracts, and what it writes is there when the file is opened again."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.ports import NoticeStore, Registry
from tests.contracts.notice_store import NoticeStoreContract, published
from tests.contracts.registry import RegistryContract
from tests.support import INSTITUTION, a_caller, an_institution, life_of


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


class TestSqliteRegistry(RegistryContract):
    """Registry on SQLite."""

    @pytest.fixture
    async def registry(self, path: Path) -> AsyncIterator[Registry]:
        registry = SqliteRegistry(path)
        yield registry
        await registry.close()

    async def test_what_another_process_registers_is_seen(self, registry: Registry, path: Path) -> None:
        another = SqliteRegistry(path)
        await another.save_institution(an_institution())
        await another.save_caller(a_caller())
        await another.close()

        assert await registry.institution(INSTITUTION) == an_institution()
        assert await registry.caller("a-hash") == a_caller()

    async def test_a_write_waits_for_another_process(self, registry: Registry, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            release = Timer(0.2, other.execute, ["COMMIT"])
            release.start()

            await registry.save_institution(an_institution())

            release.join()
        assert await registry.institution(INSTITUTION) == an_institution()
