"""A reader of the feed of Cosmos DB: pages without events, and several ranges."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_feed import CosmosFeed
from shared.domain.identifiers import InstitutionCode, Iuv
from shared.errors import StoreUnavailable
from shared.feed_reader import PAGE, FeedReader, skip_to_end, waiting_since
from shared.ports import FeedEvent, FeedPlace
from shared.resend import Resend, resend
from tests.contracts.change_feed import READER, read_on, serials
from tests.contracts.notice_store import a_claim, at, published
from tests.stores import account_of, an_account
from tests.support import INSTITUTION, NOW, SECOND

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[1, 4], ids=["one partition", "four partitions"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=request.param) as double:
        yield double


@pytest.fixture
async def cosmos(double: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it."""
    cosmos = Cosmos(account_of(double), budget=30)
    yield cosmos
    await cosmos.close()


@pytest.fixture
async def after_claims(cosmos: Cosmos) -> CosmosFeed:
    """Return the feed of an archive in which many claims of IUVs come before the first event."""
    store = CosmosNoticeStore(cosmos)
    for serial in range(PAGE):
        await store.claim_iuv(INSTITUTION, Iuv(f"IUV{serial}"), a_claim(serial))
    await store.save(published(at(1)))
    return CosmosFeed(cosmos)


async def test_a_turn_goes_on_behind_a_page_without_events(after_claims: CosmosFeed) -> None:
    done: list[FeedEvent] = []

    async def work(events: list[FeedEvent]) -> None:
        done.extend(events)

    turn = await FeedReader(READER, after_claims, work, lambda: NOW).run(NOW + MINUTE)

    assert (turn.events, serials(done)) == (1, [1])


async def test_a_turn_that_reads_everything_says_so(after_claims: CosmosFeed) -> None:
    turn = await FeedReader(READER, after_claims, no_work, lambda: NOW).run(NOW + MINUTE)

    assert turn.is_drained


async def test_a_turn_whose_time_is_over_says_that_there_may_be_more_also_behind_a_page_without_events(
    after_claims: CosmosFeed,
) -> None:
    turn = await FeedReader(READER, after_claims, no_work, lambda: NOW).run(NOW)

    assert (turn.is_drained, turn.failure) == (False, None)


async def test_a_turn_that_another_run_overtook_says_that_there_may_be_more(cosmos: Cosmos) -> None:
    store, feed = CosmosNoticeStore(cosmos), CosmosFeed(cosmos)
    await store.save(published(at(1)))

    async def overtaken(events: list[FeedEvent]) -> None:
        # Some of these are in the same range.
        for serial in range(2, 30):
            await store.save(published(at(serial)))
        await FeedReader(READER, feed, no_work, lambda: NOW).run(NOW + MINUTE)

    turn = await FeedReader(READER, feed, overtaken, lambda: NOW).run(NOW + MINUTE)

    assert (turn.is_drained, turn.failure) == (False, None)


async def test_a_turn_may_end_with_the_events_of_a_moment(cosmos: Cosmos) -> None:
    store, done = CosmosNoticeStore(cosmos), list[FeedEvent]()
    for serial in range(1, 2 * PAGE):
        await store.save(published(at(serial), NOW + serial * SECOND))

    async def work(events: list[FeedEvent]) -> None:
        done.extend(events)

    turn = await FeedReader(READER, CosmosFeed(cosmos), work, lambda: NOW).run(NOW + MINUTE, NOW + 2 * SECOND)

    assert (turn.is_drained, turn.failure, turn.waiting_since) == (True, None, None)
    assert {1, 2} <= {*serials(done)}
    assert len(done) < 2 * PAGE - 1


async def test_a_reader_that_works_meanwhile_is_moved_to_the_end_too(cosmos: Cosmos) -> None:
    store = CosmosNoticeStore(cosmos)
    await store.save(published(at(1)))

    class BesideTheReader(CosmosFeed):
        is_first = True

        async def end(self, place: FeedPlace) -> FeedPlace:
            if self.is_first:
                self.is_first = False
                await FeedReader(READER, CosmosFeed(cosmos), no_work, lambda: NOW).run(NOW + MINUTE)
                for serial in range(2, 30):  # some of these are in each range
                    await store.save(published(at(serial)))
            return await super().end(place)

    await skip_to_end(READER, BesideTheReader(cosmos))

    assert await read_on(CosmosFeed(cosmos)) == []


@pytest.mark.parametrize("ranges", [["-FF"], ["-55", "55-FF"], []], ids=["one", "two", "none"])
async def test_a_reader_is_brought_to_the_end_whatever_ranges_it_has_read(cosmos: Cosmos, ranges: list[str]) -> None:
    store, feed = CosmosNoticeStore(cosmos), CosmosFeed(cosmos)
    for serial in range(1, 10):
        await store.save(published(at(serial)))
    for name in ranges:
        page = await feed.read(FeedPlace(READER, name), 1)
        with suppress(StoreUnavailable):  # a range of several partitions cannot be stored after one page
            await feed.keep(page.place)

    await skip_to_end(READER, feed)

    assert await read_on(feed) == []
    await store.save(published(at(10)))
    assert serials(await read_on(feed)) == [10]


async def test_an_event_behind_a_page_without_events_waits(after_claims: CosmosFeed) -> None:
    assert await waiting_since(READER, after_claims) == NOW


async def test_the_oldest_event_of_all_ranges_is_the_one_that_waits(cosmos: Cosmos) -> None:
    store = CosmosNoticeStore(cosmos)
    # The events of one institution are in one range.
    for serial in range(1, 21):
        await store.save(published(at(serial, InstitutionCode(f"{serial:011}")), NOW + serial * SECOND))

    assert await waiting_since(READER, CosmosFeed(cosmos)) == NOW + SECOND


async def test_a_reader_that_skips_to_the_end_reads_nothing_but_what_comes_later(after_claims: CosmosFeed) -> None:
    await skip_to_end(READER, after_claims)

    assert await waiting_since(READER, after_claims) is None


async def no_work(events: list[FeedEvent]) -> None:
    """Do nothing with the events."""


async def test_a_turn_that_fails_says_when_the_oldest_event_of_all_ranges_was_recorded(cosmos: Cosmos) -> None:
    store = CosmosNoticeStore(cosmos)
    # The events of one institution are in one range.
    for serial in range(1, 21):
        await store.save(published(at(serial, InstitutionCode(f"{serial:011}")), NOW + serial * SECOND))

    async def work(events: list[FeedEvent]) -> None:
        raise OSError

    turn = await FeedReader(READER, CosmosFeed(cosmos), work, lambda: NOW).run(NOW + MINUTE)

    assert turn.waiting_since == NOW + SECOND
    assert not turn.is_drained


async def test_a_resend_goes_on_behind_empty_answers(cosmos: Cosmos, double: CosmosDouble) -> None:
    store = CosmosNoticeStore(cosmos)
    for serial in (1, 2, 3):
        await store.save(published(at(serial)))
    double.inject(Fault("ChangeFeed", page=0, times=2))

    counts = [sent async for sent, _ in resend(CosmosFeed(cosmos), None, Resend(NOW, NOW + MINUTE, 1, NOW))]

    assert counts[-1] == 3
