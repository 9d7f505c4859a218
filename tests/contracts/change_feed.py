"""What any ChangeFeed promises. The test of an adapter inherits all of it and says how feed and store are made."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.domain import declarations, facts
from shared.domain.notice import Change
from shared.ports import AnotherReader, ChangeFeed, FeedEvent, FeedPlace, Gap, NoticeStore
from tests.contracts.notice_store import at, published
from tests.support import ADDRESS, HOUR, NOW, a_payment, a_publication, an_act

READER = "a_reader"


class ChangeFeedContract:
    """Every promise of the port, tested. `feed` and `store` are empty at the beginning."""

    @pytest.fixture
    async def store(self) -> AsyncIterator[NoticeStore]:
        """Yield the store whose changes the feed gives."""
        raise NotImplementedError("the test of an adapter says how it is made")
        yield  # noqa: PT022  a fixture of this shape is what adapters put in its place

    @pytest.fixture
    def feed(self, store: NoticeStore) -> ChangeFeed:
        """Return the feed."""
        raise NotImplementedError("the test of an adapter says how it is made")

    async def test_the_feed_of_an_empty_archive_is_empty(self, feed: ChangeFeed) -> None:
        for place in await feed.places(READER):
            page = await feed.read(place)
            assert (page.events, page.is_empty) == ([], True)

    async def test_a_new_reader_gets_every_event_from_the_first_on(self, feed: ChangeFeed, store: NoticeStore) -> None:
        changes = [published(at(serial)) for serial in range(1, 21)]
        for change in changes:
            await store.save(change)

        found = [event.decode() for event in await read_on(feed)]

        assert sorted(found, key=lambda event: event.number) == [change.events[0] for change in changes]

    async def test_the_events_of_a_notice_come_in_the_order_of_their_versions(
        self, feed: ChangeFeed, store: NoticeStore
    ) -> None:
        lives = [a_life(serial) for serial in range(1, 9)]
        for changes in zip(*lives, strict=True):
            for change in changes:
                await store.save(change)

        found = await read_on(feed, limit=2)

        for life in lives:
            events = [event for change in life for event in change.events]
            assert [event.decode() for event in found if event.number == events[0].number] == events

    async def test_the_events_of_one_save_come_in_order(self, feed: ChangeFeed, store: NoticeStore) -> None:
        awaited = [
            facts.record_payment(None, at(serial), a_payment(), an_act(), awaited_until=NOW + HOUR)
            for serial in range(1, 9)
        ]
        for change in awaited:
            await store.save(change)
            address = change.notice.address
            await store.save(declarations.publish(change.notice, a_publication(address), an_act()))

        found = await read_on(feed)

        for change in awaited:
            number = change.notice.address.number
            types = [event.decode().type for event in found if event.number == number]
            assert types == ["awaited", "published", "paid"]

    async def test_an_event_has_the_identity_of_its_document(self, feed: ChangeFeed, store: NoticeStore) -> None:
        await store.save(published())

        (event,) = await read_on(feed)

        identity = (event.creditor_institution, event.number, event.version, event.id)
        assert identity == (*whole(), 1, f"{ADDRESS.creditor_institution}.{ADDRESS.number}.1")

    async def test_a_reader_goes_on_from_the_place_that_it_kept(self, feed: ChangeFeed, store: NoticeStore) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)
        await store.save(published(at(2)))

        assert serials(await read_on(feed)) == [2]

    async def test_what_was_read_and_not_kept_is_read_again(self, feed: ChangeFeed, store: NoticeStore) -> None:
        await store.save(published(at(1)))
        await read_on(feed)

        assert serials(await read_on(feed)) == [1]

    async def test_the_place_after_an_empty_page_can_be_kept(self, feed: ChangeFeed, store: NoticeStore) -> None:
        for place in await feed.places(READER):
            page = await feed.read(place)
            if page.place != place:
                await feed.keep(page.place)
        await store.save(published(at(1)))

        assert serials(await read_on(feed)) == [1]

    async def test_each_reader_has_places_of_its_own(self, feed: ChangeFeed, store: NoticeStore) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)

        assert serials(await read_on(feed, reader="another_reader")) == [1]

    async def test_the_beginning_does_not_depend_on_what_was_kept(self, feed: ChangeFeed, store: NoticeStore) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)

        assert serials(await read_from(feed, await feed.beginning(READER))) == [1]

    async def test_behind_the_end_there_is_nothing_until_something_happens(
        self, feed: ChangeFeed, store: NoticeStore
    ) -> None:
        for serial in (1, 2, 3):
            await store.save(published(at(serial)))

        ends = [await feed.end(place) for place in await feed.places(READER)]

        assert await read_from(feed, ends) == []
        for serial in (4, 5, 6):
            await store.save(published(at(serial)))
        assert serials(await read_from(feed, ends)) == [4, 5, 6]

    async def test_the_end_can_be_kept_over_any_place(self, feed: ChangeFeed, store: NoticeStore) -> None:
        for serial in (1, 2, 3):
            await store.save(published(at(serial)))
        for place in await feed.places(READER):
            await feed.keep((await feed.read(place, 1)).place)

        for place in await feed.places(READER):
            await feed.keep(await feed.end(place))

        assert await read_on(feed) == []

    async def test_the_end_of_an_empty_feed_can_be_kept(self, feed: ChangeFeed, store: NoticeStore) -> None:
        for place in await feed.places(READER):
            await feed.keep(await feed.end(place))
        await store.save(published(at(1)))

        assert serials(await read_on(feed)) == [1]

    async def test_a_reader_that_is_forgotten_begins_at_the_beginning_and_another_stays(
        self, feed: ChangeFeed, store: NoticeStore
    ) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)
        await read_on(feed, f"{READER}-2", keep=True)

        await feed.forget(READER)

        assert serials(await read_on(feed, keep=True)) == [1]
        assert await read_on(feed, f"{READER}-2") == []

    async def test_a_reader_without_a_place_can_be_forgotten(self, feed: ChangeFeed) -> None:
        await feed.forget(READER)

        assert await feed.places(READER) == await feed.beginning(READER)

    async def test_a_turn_that_is_under_way_does_not_bring_a_forgotten_place_back(
        self, feed: ChangeFeed, store: NoticeStore
    ) -> None:
        await store.save(published(at(1)))
        await read_on(feed, keep=True)
        places = await feed.places(READER)
        await store.save(published(at(2)))
        pages = [await feed.read(place) for place in places]

        await feed.forget(READER)

        for page in pages:
            if page.events:
                with pytest.raises(AnotherReader):
                    await feed.keep(page.place)

    async def test_a_reader_that_was_overtaken_cannot_keep_its_place(
        self, feed: ChangeFeed, store: NoticeStore
    ) -> None:
        await store.save(published(at(1)))
        places = [page.place for place in await feed.places(READER) if (page := await feed.read(place)).events]
        await read_on(feed, keep=True)
        await store.save(published(at(2)))
        await read_on(feed, keep=True)

        for place in places:
            with pytest.raises(AnotherReader):
                await feed.keep(place)

        assert await read_on(feed) == []

    async def test_a_place_is_kept_again_and_again(self, feed: ChangeFeed, store: NoticeStore) -> None:
        for serial in range(1, 4):
            await store.save(published(at(serial)))
        for beginning in await feed.places(READER):
            place = beginning
            while not (page := await feed.read(place, 1)).is_empty:
                place = await feed.keep(page.place)
            for _ in range(3):
                place = await feed.keep(
                    page.place if place.stored is None else replace(page.place, stored=place.stored)
                )

        assert await read_on(feed) == []

    async def test_gaps_are_listed_by_their_ids(self, feed: ChangeFeed) -> None:
        gaps = [Gap(*whole(), version, "KeyError", NOW) for version in (2, 1)]
        assert await feed.gaps() == []

        for gap in gaps:
            await feed.keep_gap(gap)

        assert await feed.gaps() == gaps[::-1]

    async def test_a_gap_that_is_found_again_is_one_gap(self, feed: ChangeFeed) -> None:
        gap = Gap(*whole(), 1, "KeyError", NOW)
        await feed.keep_gap(gap)

        await feed.keep_gap(replace(gap, found_at=NOW + HOUR))

        assert await feed.gaps() == [replace(gap, found_at=NOW + HOUR)]


def whole() -> tuple[str, str]:
    """Return institution and number of the notice that most tests are about."""
    return str(ADDRESS.creditor_institution), str(ADDRESS.number)


def a_life(serial: int) -> list[Change]:
    """Return changes of one notice, each on top of the one before."""
    first = published(at(serial))
    second = declarations.cancel(first.notice, an_act())
    third = declarations.restore(second.notice, an_act())
    return [first, second, third, facts.record_payment(third.notice, at(serial), a_payment(), an_act())]


async def read_on(feed: ChangeFeed, reader: str = READER, *, limit: int = 100, keep: bool = False) -> list[FeedEvent]:
    """Return what the reader has not read yet."""
    return await read_from(feed, await feed.places(reader), limit=limit, keep=keep)


async def read_from(
    feed: ChangeFeed, places: list[FeedPlace], *, limit: int = 100, keep: bool = False
) -> list[FeedEvent]:
    """Return what comes after the places."""
    found = []
    for beginning in places:
        place, is_empty = beginning, False
        while not is_empty:
            page = await feed.read(place, limit)
            found += page.events
            place, is_empty = (await feed.keep(page.place) if keep else page.place), page.is_empty
    return found


def serials(events: list[FeedEvent]) -> list[int]:
    """Return the serials of the notices of the events, sorted."""
    return sorted(int(event.number[3:16]) for event in events)
