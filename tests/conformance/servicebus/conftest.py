"""Where the conformance tests go: to a double of each module's own, or to the service that the environment names."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.servicebus import ServiceBusDouble
from tests.conformance.servicebus.support import ENTITIES, Bus

CONNECTION_STRING = os.environ.get("CONFORMANCE_SERVICEBUS")
"""Of Microsoft's emulator or of a namespace; without it, the double."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bus() -> AsyncIterator[Bus]:
    """Yield a client of the target."""
    if CONNECTION_STRING is None:
        async with ServiceBusDouble.started(ENTITIES) as double:
            bus = Bus(double.connection_string, double)
            yield bus
            await bus.close()
    else:
        bus = Bus(CONNECTION_STRING, None)
        yield bus
        await bus.close()


@pytest.fixture
def double(bus: Bus) -> ServiceBusDouble:
    """Return the double, for a test that makes it fail or looks behind it."""
    if bus.double is None:
        pytest.skip("A service does not fail on command.")
    return bus.double
