"""The two stores, for tests that run on both: `pytestmark = both_stores`; accounts of Cosmos DB."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble
from local.cosmos import make_containers, start_double
from shared.settings import CosmosStore

SQLITE = "SQLite"
COSMOS = "Cosmos DB"

AZURE = "Cosmos DB and Service Bus"
"""What an archive in Azure stands on."""

both_stores = pytest.mark.parametrize("kept_in", [SQLITE, COSMOS], indirect=True)


def account_of(double: CosmosDouble) -> CosmosStore:
    """Return the settings of a store in the double."""
    return CosmosStore(double.endpoint, "archive", double.key)


@asynccontextmanager
async def an_account(**options: Any) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's: with its containers and, unless the options say otherwise, its consistency."""
    async with CosmosDouble.started(**{"consistency": "BoundedStaleness", **options}) as double:
        await make_containers(account_of(double))
        yield double


def account_for(store: str, folder: Path) -> str | None:
    """Return the connection string of an account for a server that is to keep its data in one, else None."""
    return start_double(folder / "cosmos.db") if store == COSMOS else None
