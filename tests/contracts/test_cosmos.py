"""What the Cosmos DB store promises: what every store does, against the double, with one and with four partitions."""

from collections.abc import AsyncIterator

import pytest

from emulators.cosmos import CosmosDouble, Fault, charges
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.domain import declarations
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from shared.ports import NoticeStore, Search
from tests.contracts.notice_store import IUV, NoticeStoreContract, a_claim, published
from tests.stores import account_of, an_account
from tests.support import ADDRESS, INSTITUTION, NOW, an_act


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


class TestCosmosNoticeStore(NoticeStoreContract):
    """NoticeStore on Cosmos DB."""

    @pytest.fixture
    def store(self, cosmos: Cosmos) -> NoticeStore:
        return CosmosNoticeStore(cosmos)

    async def test_a_list_may_lag_and_costs_half(self, store: NoticeStore, double: CosmosDouble) -> None:
        await store.save(published())
        double.log.clear()

        assert len(await store.search(Search(INSTITUTION, NOW))) == 1

        (query,) = [request for request in double.log if request.operation == "Query"]
        assert query.charge == charges.query(1, 1)

    async def test_a_history_that_the_service_cuts_goes_on_without_a_gap_while_its_notice_changes(
        self, store: NoticeStore, double: CosmosDouble
    ) -> None:
        first = published()
        second = declarations.cancel(first.notice, an_act())
        third = declarations.restore(second.notice, an_act())
        await store.save(first)
        await store.save(second)
        double.inject(Fault("Query", page=0), Fault("Query", page=1))

        begun = await store.history(ADDRESS)
        await store.save(third)
        rest = await store.history(ADDRESS, after=begun[-1].version)

        assert (begun, rest) == ([*first.events], [*second.events, *third.events])

    async def test_the_claim_of_an_iuv_is_no_notice(self, store: NoticeStore) -> None:
        await store.claim_iuv(INSTITUTION, IUV, a_claim(1))
        claim = Address(INSTITUTION, NoticeNumber(f"iuv:{IUV}"))

        assert await store.load(claim) is None
        assert await store.history(claim) == []
        assert [event async for event in store.latest_events(claim, 1)] == []

    async def test_a_claim_that_a_lagging_replica_does_not_know_is_seen(self) -> None:
        async with an_account(consistency="Session") as lax:
            one, other = (Cosmos(account_of(lax), budget=5) for _ in range(2))
            await CosmosNoticeStore(one).claim_iuv(INSTITUTION, IUV, a_claim(1))
            lax.inject(Fault("Read", stale=True, times=None))

            assert await CosmosNoticeStore(other).claim_iuv(INSTITUTION, IUV, a_claim(2)) == a_claim(1)

            await one.close()
            await other.close()
