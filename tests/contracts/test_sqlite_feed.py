"""The feed of the embedded store keeps the contract, and gives events in the order of their commits."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_feed import PAGE_SIZE, SqliteFeed
from shared.errors import StoreUnavailable
from shared.ports import ChangeFeed, NoticeStore
from tests.contracts.change_feed import ChangeFeedContract, read_on, serials
from tests.contracts.notice_store import at, published


class TestSqliteFeed(ChangeFeedContract):
    """ChangeFeed on SQLite."""

    @pytest.fixture
    async def store(self, path: Path) -> AsyncIterator[NoticeStore]:
        store = SqliteNoticeStore(path)
        yield store
        await store.close()

    @pytest.fixture
    def feed(self, store: NoticeStore) -> ChangeFeed:
        assert isinstance(store, SqliteNoticeStore)
        return SqliteFeed(store.writes, store.reads)

    async def test_events_come_in_the_order_of_their_commits(self, feed: ChangeFeed, store: NoticeStore) -> None:
        for serial in (3, 1, 2):
            await store.save(published(at(serial)))

        assert [event.number for event in await read_on(feed)] == [at(serial).number for serial in (3, 1, 2)]

    async def test_a_place_is_there_when_the_file_is_opened_again(
        self, feed: ChangeFeed, store: NoticeStore, path: Path
    ) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)
        await store.close()

        reopened = SqliteNoticeStore(path)

        assert await read_on(SqliteFeed(reopened.writes, reopened.reads)) == []
        await reopened.close()

    async def test_what_another_process_saves_comes_too(self, feed: ChangeFeed, store: NoticeStore, path: Path) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)
        another = SqliteNoticeStore(path)

        await another.save(published(at(2)))

        assert serials(await read_on(feed)) == [2]
        await another.close()

    async def test_a_page_that_ends_because_it_is_large_is_not_the_end(
        self, feed: ChangeFeed, store: NoticeStore, other: sqlite3.Connection
    ) -> None:
        for serial in (1, 2, 3):
            await store.save(published(at(serial)))
        other.execute("UPDATE events SET document = json_set(document, '$.added', hex(zeroblob(?)))", (PAGE_SIZE // 2,))
        [place] = await feed.places("a_reader")

        page = await feed.read(place)

        assert (serials(page.events), page.is_empty) == ([1], False)
        assert serials(await read_on(feed)) == [1, 2, 3]

    @pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"{}", b'{"changed": {}}'])
    async def test_a_damaged_document_is_an_event_that_cannot_be_decoded(
        self, feed: ChangeFeed, store: NoticeStore, other: sqlite3.Connection, damage: bytes
    ) -> None:
        for serial in (1, 2):
            await store.save(published(at(serial)))
        other.execute("UPDATE events SET document = ? WHERE number = ?", (damage, at(1).number))

        damaged, sound = await read_on(feed)

        assert (damaged.number, damaged.version) == (at(1).number, 1)
        with pytest.raises(Exception):  # noqa: B017, PT011  any error
            damaged.decode()
        assert sound.decode().number == at(2).number

    async def test_a_store_that_fails_is_unavailable(self, feed: ChangeFeed, other: sqlite3.Connection) -> None:
        [place] = await feed.places("a_reader")
        other.execute("ALTER TABLE events RENAME TO gone")

        with pytest.raises(StoreUnavailable):
            await feed.read(place)
