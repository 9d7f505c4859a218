"""The two stores, for tests that run on both: `pytestmark = both_stores`."""

import pytest

from shared.settings import CosmosStore
from tests.emulators.cosmos import CosmosDouble

SQLITE = "SQLite"
COSMOS = "Cosmos DB"

both_stores = pytest.mark.parametrize("kept_in", [SQLITE, COSMOS], indirect=True)


def account_of(double: CosmosDouble) -> CosmosStore:
    """Return the settings of a store in the double."""
    return CosmosStore(double.endpoint, "archive", double.key)
