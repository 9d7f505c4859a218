"""Two first runs with a split between them do not read the same keys twice for ever. Cosmos DB."""

from collections.abc import AsyncIterator

import pytest

from emulators.cosmos import CosmosDouble
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_feed import CosmosFeed
from tests.contracts.change_feed import READER, read_on, serials
from tests.contracts.notice_store import at, published
from tests.stores import account_of, an_account


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=1) as double:
        yield double


async def test_two_first_runs_with_a_split_between_them_do_not_read_twice_for_ever(double: CosmosDouble) -> None:
    one, other = Cosmos(account_of(double), budget=60), Cosmos(account_of(double), budget=60)
    store, feed, feed_of_other = CosmosNoticeStore(one), CosmosFeed(one), CosmosFeed(other)
    [whole] = await feed.places(READER)
    page = await feed.read(whole)
    double.split("archive", "notices", at=[at(1).creditor_institution, at(1).number])
    await read_on(feed_of_other, keep=True)
    await feed.keep(page.place)

    for serial in range(1, 21):
        await store.save(published(at(serial)))
    first = await read_on(feed, keep=True)
    await one.close()
    await other.close()

    assert serials(first) == [*range(1, 21)]
