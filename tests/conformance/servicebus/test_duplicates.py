"""A message id counts once within the window, where duplicates are detected."""

import pytest

from tests.conformance.servicebus.support import DEAD_LETTERS, Bus, a_message, bodies

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_id_that_is_sent_again_is_accepted_and_not_stored(bus: Bus) -> None:
    first = a_message()
    await bus.send("deduplicating", first, a_message(message_id=first.message_id))

    assert await bus.empty("deduplicating") == [str(first)]


async def test_an_id_is_remembered_after_its_message_is_gone(bus: Bus) -> None:
    first = a_message()
    await bus.send("deduplicating", first)
    await bus.take_all("deduplicating", 1)

    await bus.send("deduplicating", a_message(message_id=first.message_id))

    assert await bus.empty("deduplicating") == []


async def test_a_batch_is_stored_without_its_duplicates(bus: Bus) -> None:
    first, last = a_message(), a_message()
    twice = [first, a_message(message_id=first.message_id), last]

    await bus.sender("deduplicating").send_messages(twice)
    await bus.sender("deduplicating").send_messages(twice)

    assert await bus.take_all("deduplicating", 2) == bodies([first, last])
    assert await bus.empty("deduplicating") == []


async def test_an_id_is_forgotten_after_the_window(bus: Bus) -> None:
    first = a_message()
    again = a_message(message_id=first.message_id)
    await bus.send("deduplicating", first)

    await bus.pass_time(21)
    await bus.send("deduplicating", again)

    assert await bus.take_all("deduplicating", 2) == bodies([first, again])


async def test_a_queue_without_the_detection_stores_an_id_as_often_as_it_is_sent(bus: Bus) -> None:
    first = a_message()
    again = a_message(message_id=first.message_id)

    await bus.send("plain", first, again)

    assert await bus.take_all("plain", 2) == bodies([first, again])


async def test_a_topic_gives_a_message_id_once_to_each_subscription(bus: Bus) -> None:
    first = a_message(application_properties={"anomaly": "x"})
    again = a_message(message_id=first.message_id, application_properties={"anomaly": "x"})

    await bus.send("events", first, again)

    assert await bus.empty("events/all") == [str(first)]
    assert await bus.empty("events/customer-care") == [str(first)]


async def test_a_dead_letter_can_be_sent_again_with_another_id(bus: Bus) -> None:
    """Its own id would be taken for a duplicate."""
    first = a_message()
    await bus.send("deduplicating", first)
    await (await bus.receiver("deduplicating")).dead_letter_message(await bus.one("deduplicating"))
    dead = await bus.one(f"deduplicating{DEAD_LETTERS}")

    await bus.send("deduplicating", a_message(str(dead), message_id=dead.message_id))
    assert await bus.empty("deduplicating") == []

    await bus.send("deduplicating", a_message(str(dead), message_id=f"{dead.message_id}:r1"))
    assert await bus.take_all("deduplicating", 1) == [str(first)]
    await bus.complete(f"deduplicating{DEAD_LETTERS}", dead)
