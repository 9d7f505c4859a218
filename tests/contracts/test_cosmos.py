"""What the Cosmos DB store promises: what every store does, against the double, with one and with four partitions."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_registry import CosmosRegistry
from shared.ports import ChangedMeanwhile, NoticeStore, Registry, Search
from tests.contracts.notice_store import IUV, NoticeStoreContract, a_claim, published
from tests.contracts.registry import RegistryContract
from tests.emulators.cosmos import CosmosDouble, Fault, charges
from tests.stores import account_of, an_account
from tests.support import INSTITUTION, NOW, a_caller


@pytest.fixture(params=[1, 4], ids=["one partition", "four partitions"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=request.param) as double:
        yield double


@pytest.fixture
async def cosmos(double: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it."""
    cosmos = Cosmos(account_of(double), budget=5)
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

    async def test_a_claim_that_a_lagging_replica_does_not_know_is_seen(self) -> None:
        async with an_account(consistency="Session") as lax:
            one, other = (Cosmos(account_of(lax), budget=5) for _ in range(2))
            await CosmosNoticeStore(one).claim_iuv(INSTITUTION, IUV, a_claim(1))
            lax.inject(Fault("Read", stale=True, times=None))

            assert await CosmosNoticeStore(other).claim_iuv(INSTITUTION, IUV, a_claim(2)) == a_claim(1)

            await one.close()
            await other.close()


class TestCosmosRegistry(RegistryContract):
    """Registry on Cosmos DB."""

    async def test_a_refused_change_leaves_the_keys_of_others_alone(self, registry: Registry) -> None:
        one, other = a_caller(), replace(a_caller(), name="another")
        await registry.save_caller(one)

        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(other)

        assert await registry.caller("a-hash") == one
        assert await registry.caller_named("another") is None

    async def test_a_change_is_made_although_its_old_keys_cannot_be_cleared_away(
        self, registry: Registry, double: CosmosDouble
    ) -> None:
        caller = a_caller()
        await registry.save_caller(caller)
        double.inject(Fault("Delete", status=403, times=None))

        await registry.save_caller(replace(caller, keys=()), before=caller)

        assert await registry.caller("a-hash") is None
        assert await registry.caller_named(caller.name) == replace(caller, keys=())

    @pytest.fixture
    def registry(self, cosmos: Cosmos) -> Registry:
        return CosmosRegistry(cosmos)
