"""What is sent arrives, whole and in order, or is refused."""

from datetime import timedelta

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import MessageSizeExceededError, MessagingEntityNotFoundError

from tests.conformance.servicebus.support import Bus, a_message, bodies

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 262_144
"""Bytes of a message of the Standard tier, and of a batch."""


async def test_a_message_arrives_with_its_body_and_properties(bus: Bus) -> None:
    properties = {"type": "it.pagopa.notice.paid.v1", "amount": 12050, "standIn": True, "share": 0.5}
    sent = a_message(
        b'{"id": "1"}',
        application_properties=properties,
        content_type="application/cloudevents+json",
        subject="notice",
        correlation_id="c-1",
        session_id="77777777777.1",
        to="somewhere",
        reply_to="elsewhere",
    )

    await bus.send("plain", sent)

    received = await bus.one("plain")
    await bus.complete("plain", received)
    assert b"".join(received.body) == b'{"id": "1"}'
    assert received.message_id == sent.message_id
    assert received.content_type == "application/cloudevents+json"
    assert (received.subject, received.correlation_id, received.session_id) == ("notice", "c-1", "77777777777.1")
    assert (received.to, received.reply_to) == ("somewhere", "elsewhere")
    # The SDK gives texts in application properties as bytes.
    assert received.application_properties == {
        b"type": b"it.pagopa.notice.paid.v1",
        b"amount": 12050,
        b"standIn": True,
        b"share": 0.5,
    }


async def test_messages_arrive_in_the_order_in_which_they_were_sent(bus: Bus) -> None:
    sent = [a_message() for _ in range(20)]
    await bus.send("plain", *sent)

    received = await bus.receive("plain", 20)

    await bus.complete("plain", *received)
    assert bodies(received) == bodies(sent)
    numbers = [message.sequence_number or 0 for message in received]
    assert numbers == sorted(set(numbers))
    assert all(message.enqueued_sequence_number == message.sequence_number for message in received)


async def test_a_batch_arrives_whole_and_in_its_order(bus: Bus) -> None:
    batch = await bus.sender("plain").create_message_batch()
    sent = [a_message() for _ in range(50)]
    for message in sent:
        batch.add_message(message)

    await bus.sender("plain").send_messages(batch)

    assert await bus.take_all("plain", 50) == bodies(sent)


async def test_the_messages_of_a_batch_keep_their_own_properties(bus: Bus) -> None:
    sent = [a_message(subject=f"s-{n}", application_properties={"n": n}) for n in range(3)]

    await bus.sender("plain").send_messages(sent)

    received = await bus.receive("plain", 3)
    await bus.complete("plain", *received)
    assert [(message.message_id, message.subject) for message in received] == [
        (message.message_id, message.subject) for message in sent
    ]
    assert [message.application_properties for message in received] == [{b"n": n} for n in range(3)]


async def test_a_batch_has_as_much_room_as_the_service_says(bus: Bus) -> None:
    batch = await bus.sender("plain").create_message_batch()

    assert batch.max_size_in_bytes == LIMIT
    batch.add_message(ServiceBusMessage(b"x" * 200_000))
    with pytest.raises(MessageSizeExceededError):
        batch.add_message(ServiceBusMessage(b"x" * 100_000))


async def test_a_message_of_several_frames_arrives(bus: Bus) -> None:
    body = bytes(range(256)) * 1000
    await bus.send("plain", a_message(body))

    received = await bus.one("plain")

    await bus.complete("plain", received)
    assert b"".join(received.body) == body


async def test_a_message_that_is_too_large_is_refused_and_the_next_one_is_not(bus: Bus) -> None:
    with pytest.raises(MessageSizeExceededError):
        await bus.send("plain", a_message(b"x" * LIMIT))

    following = a_message()
    await bus.send("plain", following)

    assert await bus.take_all("plain", 1) == [str(following)]


async def test_a_batch_that_is_too_large_is_refused_as_a_whole(bus: Bus) -> None:
    with pytest.raises(MessageSizeExceededError):
        await bus.sender("plain").send_messages([a_message(b"x" * 100_000) for _ in range(3)])

    assert await bus.empty("plain") == []


async def test_a_message_without_a_time_to_live_has_that_of_its_queue(bus: Bus) -> None:
    await bus.send("plain", a_message(), a_message(time_to_live=timedelta(days=2)), a_message(time_to_live=90))

    received = await bus.receive("plain", 3)

    await bus.complete("plain", *received)
    hour = timedelta(hours=1)
    assert [message.time_to_live for message in received] == [hour, hour, timedelta(seconds=90)]


async def test_sending_to_a_queue_that_does_not_exist_is_refused(bus: Bus) -> None:
    with pytest.raises(MessagingEntityNotFoundError):
        async with bus.client.get_queue_sender("absent") as sender:
            await sender.send_messages(a_message())
