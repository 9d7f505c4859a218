"""The embedded store keeps the contracts, and what it writes is there when the file is opened again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.ports import NoticeStore
from tests.contracts.notice_store import NoticeStoreContract, published
from tests.support import life_of


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
