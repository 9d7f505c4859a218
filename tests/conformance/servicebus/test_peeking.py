"""Messages can be looked at without being received."""

from datetime import timedelta

import pytest
from azure.servicebus import ServiceBusMessageState

from tests.conformance.servicebus.support import DEAD_LETTERS, Bus, a_message, bodies

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_that_is_peeked_at_stays_and_is_not_counted(bus: Bus) -> None:
    sent = [a_message() for _ in range(3)]
    await bus.send("plain", *sent)

    for _ in range(2):
        assert bodies(await bus.peek("plain")) == bodies(sent)

    received = await bus.receive("plain", 3)
    await bus.complete("plain", *received)
    assert [message.delivery_count for message in received] == [0, 0, 0]


async def test_peeking_begins_at_a_sequence_number(bus: Bus) -> None:
    sent = [a_message() for _ in range(3)]
    await bus.send("plain", *sent)
    _, second, _ = await bus.peek("plain")
    assert second.sequence_number is not None

    later = await bus.peek("plain", second.sequence_number)

    assert bodies(later) == bodies(sent[1:])
    await bus.take_all("plain", 3)


async def test_a_locked_message_can_be_peeked_at(bus: Bus) -> None:
    await bus.send("plain", a_message())
    message = await bus.one("plain")

    (peeked,) = await bus.peek("plain")

    assert peeked.message_id == message.message_id
    await bus.complete("plain", message)


async def test_a_message_that_is_scheduled_can_be_peeked_at(bus: Bus) -> None:
    later, at_once = a_message(), a_message()
    later.scheduled_enqueue_time_utc = bus.now() + timedelta(seconds=3)
    await bus.send("plain", later, at_once)

    states = {str(message): message.state for message in await bus.peek("plain")}

    assert states == {
        str(later): ServiceBusMessageState.SCHEDULED,
        str(at_once): ServiceBusMessageState.ACTIVE,
    }
    await bus.pass_time(3)
    await bus.take_all("plain", 2)


async def test_no_more_messages_than_asked_for_are_peeked_at(bus: Bus) -> None:
    await bus.send("plain", *(a_message() for _ in range(3)))

    assert len(await (await bus.receiver("plain")).peek_messages(2, sequence_number=1)) == 2

    await bus.take_all("plain", 3)


async def test_an_empty_queue_has_nothing_to_peek_at(bus: Bus) -> None:
    assert await bus.peek("plain") == []


async def test_dead_letters_can_be_peeked_at(bus: Bus) -> None:
    sent = a_message()
    await bus.send("plain", sent)
    await (await bus.receiver("plain")).dead_letter_message(await bus.one("plain"), reason="r")

    (dead,) = await bus.peek(f"plain{DEAD_LETTERS}")

    assert (dead.message_id, dead.dead_letter_reason) == (sent.message_id, "r")
    await bus.take_all(f"plain{DEAD_LETTERS}", 1)
