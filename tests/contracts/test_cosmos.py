"""What the Cosmos DB store promises: what every store does, against the double, with one and with four partitions."""

from collections.abc import AsyncIterator

import pytest

from local.cosmos import make_containers
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_registry import CosmosRegistry
from shared.ports import NoticeStore, Registry
from tests.contracts.notice_store import NoticeStoreContract
from tests.contracts.registry import RegistryContract
from tests.emulators.cosmos import CosmosDouble
from tests.stores import account_of


@pytest.fixture(params=[1, 4], ids=["one partition", "four partitions"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's: with bounded staleness, and with its containers."""
    async with CosmosDouble.started(ranges=request.param, consistency="BoundedStaleness") as double:
        await make_containers(account_of(double))
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


class TestCosmosRegistry(RegistryContract):
    """Registry on Cosmos DB."""

    @pytest.fixture
    def registry(self, cosmos: Cosmos) -> Registry:
        return CosmosRegistry(cosmos)
