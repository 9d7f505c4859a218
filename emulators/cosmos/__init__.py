"""A double of Azure Cosmos DB for NoSQL: a server on loopback, for the unmodified SDK.

Its promises are in docs/testing.md, and tests/conformance/cosmos tests them. It answers everything else with 501.
"""

from emulators.cosmos.double import KEY, CosmosDouble
from emulators.cosmos.faults import Fault

__all__ = ["KEY", "CosmosDouble", "Fault"]
