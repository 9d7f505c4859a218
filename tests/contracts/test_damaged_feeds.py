"""Documents that were damaged by hand do not stop the feed of Cosmos DB."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_feed import CosmosFeed
from shared.errors import StoreUnavailable
from shared.feed_reader import FeedReader, waiting_since
from shared.ports import FeedEvent
from tests.contracts.change_feed import READER
from tests.contracts.notice_store import at, published
from tests.stores import account_of, an_account
from tests.support import NOW


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=1) as double:
        yield double


@pytest.fixture
async def cosmos(double: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it."""
    cosmos = Cosmos(account_of(double), budget=5)
    yield cosmos
    await cosmos.close()


@pytest.mark.parametrize(
    "document",
    [
        {"id": "event-abc", "creditorInstitution": "15376371009", "noticeNumber": "347000000000000124"},
        {"id": "event-00000002", "creditorInstitution": "15376371009", "noticeNumber": 7},
    ],
    ids=["id", "number"],
)
async def test_a_document_without_the_identity_of_an_event_does_not_stop_its_range(
    cosmos: Cosmos, double: CosmosDouble, document: dict[str, object]
) -> None:
    store, feed = CosmosNoticeStore(cosmos), CosmosFeed(cosmos)
    await store.save(published(at(1)))
    async with CosmosClient(double.endpoint, double.key) as client:
        container = client.get_database_client("archive").get_container_client("notices")
        await container.upsert_item(document)
    await store.save(published(at(2)))
    sent: list[str] = []

    async def work(events: list[FeedEvent]) -> None:
        sent.extend(event.number for event in events)

    reader = FeedReader(READER, feed, work, lambda: NOW)
    await reader.run(NOW + timedelta(minutes=1))
    turn = await reader.run(NOW + timedelta(minutes=1))

    assert (turn.failure, at(2).number in sent) == (None, True)


@pytest.mark.parametrize("missing", ["token", "range"])
async def test_a_damaged_checkpoint_is_a_store_that_does_not_answer(
    cosmos: Cosmos, double: CosmosDouble, missing: str
) -> None:
    feed = CosmosFeed(cosmos)
    [place] = await feed.places(READER)
    await feed.keep((await feed.read(place)).place)
    async with CosmosClient(double.endpoint, double.key) as client:
        container = client.get_database_client("archive").get_container_client("checkpoints")
        [document] = [each async for each in container.read_all_items() if each["id"].startswith(READER)]
        del document[missing]
        await container.upsert_item(document)

    with pytest.raises(StoreUnavailable):
        await waiting_since(READER, feed)
