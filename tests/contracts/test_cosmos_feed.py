"""The feed of Cosmos DB keeps the contract, with one and with four partitions. No failure makes it lose an event."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_feed import CosmosFeed
from shared.domain.notice import Address
from shared.errors import StoreUnavailable
from shared.ports import AnotherReader, ChangeFeed, FeedEvent, FeedPlace, NoticeStore
from shared.telemetry import error_chain
from tests.contracts.change_feed import READER, ChangeFeedContract, a_life, read_on, serials
from tests.contracts.notice_store import IUV, a_claim, at, published
from tests.stores import account_of, an_account
from tests.support import INSTITUTION

SERIALS = range(1, 41)
CHARGED = {"content-type": "application/json", "x-ms-request-charge": "1"}
"""Headers of the service, without the place in the feed."""


@pytest.fixture(params=[1, 4], ids=["one partition", "four partitions"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=request.param) as double:
        yield double


@pytest.fixture
async def cosmos(double: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it."""
    cosmos = Cosmos(account_of(double), budget=60)
    yield cosmos
    await cosmos.close()


class TestCosmosFeed(ChangeFeedContract):
    """ChangeFeed on Cosmos DB."""

    @pytest.fixture
    def store(self, cosmos: Cosmos) -> NoticeStore:
        return CosmosNoticeStore(cosmos)

    @pytest.fixture
    def feed(self, cosmos: Cosmos) -> ChangeFeed:
        return CosmosFeed(cosmos)


@pytest.fixture
def store(cosmos: Cosmos) -> CosmosNoticeStore:
    """Return the store."""
    return CosmosNoticeStore(cosmos)


@pytest.fixture
def feed(cosmos: Cosmos) -> CosmosFeed:
    """Return the feed."""
    return CosmosFeed(cosmos)


async def test_only_events_come_and_no_claims_of_iuvs(feed: CosmosFeed, store: CosmosNoticeStore) -> None:
    await store.claim_iuv(INSTITUTION, IUV, a_claim(1))
    await store.save(published(at(1)))

    assert len(await read_on(feed)) == 1


async def test_a_checkpoint_is_kept_for_each_partition_from_the_first_turn_on(
    feed: CosmosFeed, double: CosmosDouble
) -> None:
    ranges = len(await feed.beginning(READER))

    await read_on(feed, keep=True)

    places = await feed.places(READER)
    assert len(places) == ranges
    assert all(place.token and place.stored for place in places)


async def test_ranges_whose_first_checkpoint_was_not_kept_begin_again_and_the_others_go_on(
    feed: CosmosFeed, store: CosmosNoticeStore
) -> None:
    for serial in SERIALS:
        await store.save(published(at(serial)))
    first, *_ = await feed.places(READER)
    done = await read_all_of(feed, first)

    rest = await read_on(feed)

    assert sorted(serials(done) + serials(rest)) == [*SERIALS]


async def test_after_a_split_the_parts_are_read_under_the_checkpoint_of_the_whole(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    for serial in SERIALS[:20]:
        await store.save(published(at(serial)))
    before = await read_on(feed, keep=True)
    count = len(await feed.places(READER))

    split(double, at(1))
    for serial in SERIALS[20:]:
        await store.save(published(at(serial)))
    after = await read_on(feed, keep=True)

    assert serials(before) == [*SERIALS[:20]]
    assert serials(after) == [*SERIALS[20:]]
    assert len(await feed.places(READER)) == count


async def test_a_split_between_the_first_checkpoints_loses_nothing_and_repeats_only_pages(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    for serial in SERIALS:
        await store.save(published(at(serial)))
    first, *_ = await feed.places(READER)
    done = await read_all_of(feed, first)

    for serial in SERIALS[::8]:
        split(double, at(serial))
    rest = await read_on(feed, keep=True)

    assert sorted(serials(done) + serials(rest)) == [*SERIALS]
    assert await read_on(feed) == []


async def test_a_split_between_the_list_of_the_ranges_and_the_first_read_is_not_kept(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    """The SDK then makes a token that it cannot read itself."""
    for serial in SERIALS:
        await store.save(published(at(serial)))
    places = await feed.places(READER)
    for serial in SERIALS[::8]:
        split(double, at(serial))
    await feed.beginning(READER)  # the client learns of the splits

    pages = [await feed.read(place, 1) for place in places]
    refused = [page.place for page in pages if None in parts(page.place.token)]
    assert refused != []
    for place in refused:
        with pytest.raises(StoreUnavailable):
            await feed.keep(place)

    assert serials(await read_on(feed, keep=True)) == [*SERIALS]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("ChangeFeed", page=0, times=3),
        Fault("ChangeFeed", page=1, times=None),
        Fault("ChangeFeed", page=3, times=7),
        Fault("ChangeFeed", status=429, retry_after=0.001, times=5),
        Fault("ChangeFeed", status=410, substatus=1002, times=2),
        Fault("ChangeFeed", status=503, times=3),
        Fault("ChangeFeed", drop="after", times=3),
        Fault("ChangeFeed", status=200, body="<html>", times=2),
        Fault("ChangeFeed", status=200, body="{}", times=2),
        Fault("ChangeFeed", status=200, body='{"Documents": []}', headers=CHARGED, skip=1, times=2),
        Fault("ChangeFeed", status=304, body="", headers=CHARGED, skip=1, times=2),
        Fault("ChangeFeed", probability=0.3, drop="after", times=None),
    ],
    ids=lambda fault: f"page {fault.page}" if fault.page is not None else str(fault.status or fault.drop),
)
async def test_whatever_the_service_answers_each_event_comes_and_in_order(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble, fault: Fault
) -> None:
    lives = [a_life(serial) for serial in range(1, 13)]
    for changes in zip(*lives, strict=True):
        for change in changes:
            await store.save(change)
    double.inject(replace(fault))

    found: list[FeedEvent] = []
    for _ in range(10):  # an empty answer does not mean that nothing is left
        with suppress(StoreUnavailable):
            found += await read_on(feed, keep=True, limit=5)

    for life in lives:
        versions = [event.version for event in found if event.number == life[0].notice.address.number]
        assert list(dict.fromkeys(versions)) == [1, 2, 3, 4]


async def test_replicas_that_are_behind_delay_events_and_lose_none() -> None:
    async with an_account(ranges=2, consistency="Session") as double:
        writer, reader = (Cosmos(account_of(double), budget=60) for _ in range(2))
        store, feed = CosmosNoticeStore(writer), CosmosFeed(reader)
        double.inject(Fault("ChangeFeed", stale=3, times=30))

        found: list[FeedEvent] = []
        for life in [a_life(serial) for serial in range(1, 7)]:
            for change in life:
                await store.save(change)
                found += await read_on(feed, keep=True)
        double.faults.clear()
        found += await read_on(feed, keep=True)

        for serial in range(1, 7):
            assert [event.version for event in found if event.number == at(serial).number] == [1, 2, 3, 4]
        await writer.close()
        await reader.close()


# The SDK leaves the connection of its last request open when it runs out of stack.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("substatus", [1002, 1007])
async def test_a_range_that_stays_gone_is_a_failure_in_time_with_its_name(double: CosmosDouble, substatus: int) -> None:
    cosmos = Cosmos(account_of(double), budget=10)
    feed = CosmosFeed(cosmos)
    [place, *_] = await feed.places(READER)
    await feed.read(place)
    double.inject(Fault("ChangeFeed", status=410, substatus=substatus, times=None))

    with pytest.raises(StoreUnavailable) as raised:
        await feed.read(place)

    assert error_chain(raised.value).startswith("StoreUnavailable caused by RecursionError")
    await cosmos.close()


async def test_a_token_that_the_sdk_cannot_read_is_a_failure_with_its_name(feed: CosmosFeed) -> None:
    [place, *_] = await feed.places(READER)

    with pytest.raises(StoreUnavailable) as raised:
        await feed.read(replace(place, token="no token"))

    assert "Error" in error_chain(raised.value).split(" caused by ")[1]


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_checkpoint_whose_answer_is_lost_is_kept_once(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble, lost: str
) -> None:
    await store.save(published(at(1)))
    await read_on(feed, keep=True)
    await store.save(published(at(2)))

    double.inject(Fault("Replace", container="checkpoints", drop=lost))  # type: ignore[arg-type]
    double.inject(Fault("Create", container="checkpoints", drop=lost))  # type: ignore[arg-type]

    assert serials(await read_on(feed, keep=True)) == [2]
    assert await read_on(feed) == []


async def test_of_two_runs_at_once_one_keeps_each_place(feed: CosmosFeed, store: CosmosNoticeStore) -> None:
    for serial in SERIALS:
        await store.save(published(at(serial)))

    async def run() -> list[FeedEvent]:
        found: list[FeedEvent] = []
        for beginning in await feed.places(READER):
            place, is_empty = beginning, False
            with suppress(AnotherReader):
                while not is_empty:
                    page = await feed.read(place, 4)
                    found += page.events
                    place, is_empty = await feed.keep(page.place), page.is_empty
        return found

    one, other = await asyncio.gather(run(), run())

    assert {*serials(one), *serials(other)} == {*SERIALS}
    assert await read_on(feed) == []


async def test_a_damaged_document_is_an_event_that_cannot_be_decoded(
    feed: CosmosFeed, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    await store.save(published(at(1)))
    async with CosmosClient(double.endpoint, double.key) as client:
        container = client.get_database_client("archive").get_container_client("notices")
        key = [at(1).creditor_institution, at(1).number]
        await container.upsert_item(
            {"id": "event-00000001", "creditorInstitution": key[0], "noticeNumber": key[1], "changed": 7}
        )

    (event,) = await read_on(feed)

    assert (event.number, event.version) == (at(1).number, 1)
    with pytest.raises(Exception):  # noqa: B017, PT011  any error
        event.decode()


def split(double: CosmosDouble, address: Address) -> None:
    """Split the physical partition of a notice there."""
    double.split("archive", "notices", at=[address.creditor_institution, address.number])


async def read_all_of(feed: CosmosFeed, place: FeedPlace) -> list[FeedEvent]:
    """Read one range to its end, and keep its place."""
    found: list[FeedEvent] = []
    is_empty = False
    while not is_empty:
        page = await feed.read(place)
        found += page.events
        place, is_empty = await feed.keep(page.place), page.is_empty
    return found


def parts(token: str | None) -> list[str | None]:
    """Return what a token holds for each physical partition."""
    state = json.loads(base64.b64decode(token or ""))["continuation"]
    entries = state if isinstance(state, list) else state["continuation"]
    return [entry["token"] for entry in entries]
