"""The bus on Service Bus keeps the contract, against the double that the unmodified SDK speaks with."""

import gc
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.servicebus import ServiceBusDouble
from shared.adapters.service_bus import ServiceBus
from shared.bootstrap import utc_now
from shared.messages import entities
from shared.ports import Bus
from shared.settings import ServiceBusNamespace
from tests.conformance.servicebus.support import leaves_sockets_open
from tests.contracts.bus import BusContract

pytestmark = [pytest.mark.asyncio(loop_scope="module"), *leaves_sockets_open]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def namespace() -> AsyncIterator[tuple[ServiceBusDouble, ServiceBus]]:
    """Yield a double with the entities of the archive, and one bus: to open a link takes half a second."""
    async with ServiceBusDouble.started(entities()) as double:
        bus = ServiceBus(ServiceBusNamespace(connection_string=double.connection_string), utc_now, wait=0.1)
        yield double, bus
        await bus.close()
        # Else what the SDK left open would be found in the test of another module.
        gc.collect()


class TestServiceBus(BusContract):
    """Bus on Service Bus."""

    @pytest.fixture
    def bus(self, namespace: tuple[ServiceBusDouble, ServiceBus]) -> Bus:
        double, bus = namespace
        double.clear()
        return bus
