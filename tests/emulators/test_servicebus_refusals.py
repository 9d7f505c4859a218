"""What the double does not do, asked for through the SDK: each is refused with a sentence, and nothing is changed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from azure.servicebus import ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from emulators.servicebus import Counts, ServiceBusDouble

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENTITIES: dict[str, object] = {"queues": {"q": {}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def double() -> AsyncIterator[ServiceBusDouble]:
    """Yield a double with a queue."""
    async with ServiceBusDouble.started(ENTITIES) as double:
        yield double


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(double: ServiceBusDouble) -> AsyncIterator[ServiceBusClient]:
    """Yield a client that does not repeat."""
    async with ServiceBusClient.from_connection_string(double.connection_string, retry_total=0) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sender(client: ServiceBusClient) -> AsyncIterator[ServiceBusSender]:
    """Yield a sender."""
    async with client.get_queue_sender("q") as sender:
        yield sender


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver(client: ServiceBusClient) -> AsyncIterator[ServiceBusReceiver]:
    """Yield a receiver."""
    async with client.get_queue_receiver("q") as receiver:
        yield receiver


async def test_sessions(client: ServiceBusClient) -> None:
    with pytest.raises(ServiceBusError, match="does not implement sessions"):
        async with client.get_queue_receiver("q", session_id="s"):
            pass


async def test_receiving_and_deleting_at_once(client: ServiceBusClient) -> None:
    with pytest.raises(ServiceBusError, match="does not implement receive and delete"):
        async with client.get_queue_receiver("q", receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE):
            pass


async def test_a_message_for_later_through_management(sender: ServiceBusSender, double: ServiceBusDouble) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)

    with pytest.raises(ServiceBusError, match="does not implement the operation"):
        await sender.schedule_messages(ServiceBusMessage(b"x"), later)

    assert double.counts("q") == Counts(active=0, locked=0)


async def test_a_message_put_off(
    sender: ServiceBusSender, receiver: ServiceBusReceiver, double: ServiceBusDouble
) -> None:
    await sender.send_messages(ServiceBusMessage(b"x"))
    (message,) = await receiver.receive_messages(1, max_wait_time=5)

    with pytest.raises(ServiceBusError, match="does not implement deferred messages"):
        await receiver.defer_message(message)

    assert double.counts("q") == Counts(active=0, locked=1)
    double.advance(61)
    (again,) = await receiver.receive_messages(1, max_wait_time=5)
    await receiver.complete_message(again)


async def test_messages_that_were_put_off(receiver: ServiceBusReceiver) -> None:
    with pytest.raises(ServiceBusError, match="does not implement the operation"):
        await receiver.receive_deferred_messages([1])
