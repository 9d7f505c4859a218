"""An instant gateway of Cosmos DB: for the unmodified SDK, with the data in memory, as fast as Python can answer.

The double (`emulators/cosmos`) is exact and answers about 2,000 requests a second, so it would be what a measurement
measures. This gateway does the least that the SDK needs and the archive uses: no signatures, one physical partition,
charges that are always 1. A test compares its answers with those of the double.
"""

from bench.gateway.server import KEY, Gateway, running_gateway

__all__ = ["KEY", "Gateway", "running_gateway"]
