"""Only a client with the key is served."""

import pytest
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import MessagingEntityNotFoundError, ServiceBusAuthenticationError, ServiceBusError

from tests.conformance.servicebus.support import Bus, a_message

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_client_with_another_key_is_refused(bus: Bus) -> None:
    key = bus.connection_string.partition("SharedAccessKey=")[2].partition(";")[0]
    wrong = bus.connection_string.replace(key, "d3Jvbmc=")
    async with ServiceBusClient.from_connection_string(wrong, retry_total=0) as client:
        with pytest.raises(ServiceBusAuthenticationError):
            async with client.get_queue_sender("plain") as sender:
                await sender.send_messages(a_message())


async def test_receiving_from_a_subscription_that_does_not_exist_is_refused(bus: Bus) -> None:
    with pytest.raises(MessagingEntityNotFoundError):
        async with bus.new_receiver("events/absent") as receiver:
            await receiver.receive_messages(1, max_wait_time=1)


async def test_receiving_from_a_topic_is_refused(bus: Bus) -> None:
    with pytest.raises(ServiceBusError):
        async with bus.new_receiver("events") as receiver:
            await receiver.receive_messages(1, max_wait_time=1)
