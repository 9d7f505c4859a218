"""A double of Azure Cosmos DB for NoSQL, on loopback: real HTTP, for the unmodified SDK.

What it promises is in docs/testing.md and is tested by tests/conformance/cosmos; whatever else is asked of it, it
answers with 501.
"""

from emulators.cosmos.double import KEY, CosmosDouble
from emulators.cosmos.faults import Fault

__all__ = ["KEY", "CosmosDouble", "Fault"]
