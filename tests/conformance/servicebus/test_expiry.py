"""A message lives as long as its own time and that of its queue allow."""

import pytest

from tests.conformance.servicebus.support import DEAD_LETTERS, Bus, a_message

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_that_has_expired_is_not_received(bus: Bus) -> None:
    lasting = a_message()
    await bus.send("plain", a_message(time_to_live=1), lasting)

    await bus.pass_time(2)

    assert await bus.empty("plain") == [str(lasting)]


async def test_a_message_that_has_expired_becomes_a_dead_letter_where_the_queue_says_so(bus: Bus) -> None:
    sent = a_message(time_to_live=1)
    await bus.send("burying", sent)

    await bus.pass_time(2)

    assert await bus.empty("burying") == []
    dead = await bus.one(f"burying{DEAD_LETTERS}")
    await bus.complete(f"burying{DEAD_LETTERS}", dead)
    assert (dead.message_id, dead.dead_letter_reason) == (sent.message_id, "TTLExpiredException")


async def test_a_message_that_is_locked_does_not_expire(bus: Bus) -> None:
    await bus.send("burying", a_message(time_to_live=2))
    message = await bus.one("burying")

    await bus.pass_time(3)

    await bus.complete("burying", message)
    assert await bus.empty("burying") == []
    assert await bus.peek(f"burying{DEAD_LETTERS}") == []


async def test_a_message_that_expired_while_it_was_locked_is_not_received_again(bus: Bus) -> None:
    sent = a_message(time_to_live=2)
    await bus.send("burying", sent)
    message = await bus.one("burying")
    await bus.pass_time(3)

    await (await bus.receiver("burying")).abandon_message(message)

    assert await bus.empty("burying") == []
    assert await bus.take_all(f"burying{DEAD_LETTERS}", 1) == [str(sent)]


async def test_a_dead_letter_does_not_expire(bus: Bus) -> None:
    sent = a_message(time_to_live=1)
    await bus.send("plain", sent)
    await (await bus.receiver("plain")).dead_letter_message(await bus.one("plain"))

    await bus.pass_time(2)

    assert await bus.take_all(f"plain{DEAD_LETTERS}", 1) == [str(sent)]
