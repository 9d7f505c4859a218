"""Every received message is locked until it is settled, and comes again if it is not."""

from datetime import timedelta

import pytest
from azure.servicebus.exceptions import MessageLockLostError

from tests.conformance.servicebus.support import DEAD_LETTERS, Bus, a_message, take

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_that_is_completed_is_gone(bus: Bus) -> None:
    await bus.send("plain", a_message())

    await bus.complete("plain", await bus.one("plain"))

    assert await bus.peek("plain") == []


async def test_a_message_that_is_abandoned_comes_again_with_a_higher_count(bus: Bus) -> None:
    sent = a_message()
    await bus.send("plain", sent)
    receiver = await bus.receiver("plain")

    counts = []
    for _ in range(3):
        message = await bus.one("plain")
        assert message.message_id == sent.message_id
        counts.append(message.delivery_count)
        await receiver.abandon_message(message)

    await bus.take_all("plain", 1)
    assert counts == [0, 1, 2]


async def test_a_message_that_is_abandoned_comes_before_those_behind_it(bus: Bus) -> None:
    first, second = a_message(), a_message()
    await bus.send("plain", first, second)

    await (await bus.receiver("plain")).abandon_message(await bus.one("plain"))

    assert await bus.take_all("plain", 2) == [str(first), str(second)]


async def test_a_locked_message_is_not_given_to_another_receiver(bus: Bus) -> None:
    first, second = a_message(), a_message()
    await bus.send("plain", first, second)
    held = await bus.one("plain")

    async with bus.new_receiver("plain") as other:
        (message,) = await take(other, 1)
        assert message.message_id == second.message_id
        await other.complete_message(message)

    await bus.complete("plain", held)


async def test_a_message_has_the_number_of_its_lock_and_its_end(bus: Bus) -> None:
    await bus.send("plain", a_message())

    message = await bus.one("plain")

    assert message.lock_token is not None
    assert message.locked_until_utc is not None
    assert message.enqueued_time_utc is not None
    assert message.locked_until_utc > message.enqueued_time_utc + timedelta(seconds=50)
    await bus.complete("plain", message)


async def test_a_message_that_was_delivered_too_often_becomes_a_dead_letter(bus: Bus) -> None:
    sent = a_message(application_properties={"type": "a"})
    await bus.send("brief", sent)
    receiver = await bus.receiver("brief")

    for _ in range(3):
        await receiver.abandon_message(await bus.one("brief"))

    dead = await bus.one(f"brief{DEAD_LETTERS}")
    await bus.complete(f"brief{DEAD_LETTERS}", dead)
    assert dead.message_id == sent.message_id
    assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert dead.dead_letter_error_description
    assert (dead.application_properties or {})[b"type"] == b"a"
    assert await bus.peek("brief") == []


async def test_a_dead_letter_has_the_reason_and_the_description_that_it_was_given(bus: Bus) -> None:
    sent = a_message(subject="notice")
    await bus.send("brief", sent)

    await (await bus.receiver("brief")).dead_letter_message(
        await bus.one("brief"), reason="NoticeUnknown", error_description="The notice 1 is not known."
    )

    dead = await bus.one(f"brief{DEAD_LETTERS}")
    await bus.complete(f"brief{DEAD_LETTERS}", dead)
    assert (dead.message_id, dead.subject) == (sent.message_id, "notice")
    assert dead.dead_letter_reason == "NoticeUnknown"
    assert dead.dead_letter_error_description == "The notice 1 is not known."
    properties = dead.application_properties or {}
    assert properties[b"DeadLetterReason"] == b"NoticeUnknown"
    assert properties[b"DeadLetterErrorDescription"] == b"The notice 1 is not known."


async def test_a_dead_letter_is_never_delivered_too_often(bus: Bus) -> None:
    await bus.send("brief", a_message())
    await (await bus.receiver("brief")).dead_letter_message(await bus.one("brief"))
    dead_letters = await bus.receiver(f"brief{DEAD_LETTERS}")

    for _ in range(5):
        await dead_letters.abandon_message(await bus.one(f"brief{DEAD_LETTERS}"))

    assert len(await bus.take_all(f"brief{DEAD_LETTERS}", 1)) == 1


async def test_case_does_not_count_in_a_path(bus: Bus) -> None:
    sent = a_message()
    await bus.send("brief", sent)
    await (await bus.receiver("brief")).dead_letter_message(await bus.one("brief"))

    async with bus.client.get_queue_receiver("Brief/$deadletterqueue") as receiver:
        (dead,) = await take(receiver, 1)
        await receiver.complete_message(dead)

    assert dead.message_id == sent.message_id


async def test_a_message_whose_lock_is_over_comes_again_with_a_higher_count(bus: Bus) -> None:
    sent = a_message()
    await bus.send("brief", sent)
    first = await bus.one("brief")

    await bus.pass_time(6)

    second = await bus.one("brief")
    await bus.complete("brief", second)
    assert (first.message_id, second.message_id) == (sent.message_id, sent.message_id)
    assert (first.delivery_count, second.delivery_count) == (0, 1)


async def test_a_message_cannot_be_settled_after_its_lock(bus: Bus) -> None:
    await bus.send("brief", a_message())
    receiver = await bus.receiver("brief")
    for settle in (receiver.complete_message, receiver.abandon_message, receiver.dead_letter_message):
        message = await bus.one("brief")
        await bus.pass_time(6)
        if settle == receiver.dead_letter_message:
            # The third delivery was the last one.
            await bus.take_all(f"brief{DEAD_LETTERS}", 1)

        with pytest.raises(MessageLockLostError):
            await settle(message)

    assert await bus.peek("brief") == []


async def test_a_lock_that_is_renewed_lasts_for_its_whole_time_again(bus: Bus) -> None:
    await bus.send("brief", a_message())
    receiver = await bus.receiver("brief")
    message = await bus.one("brief")
    before = message.locked_until_utc
    assert before is not None

    await bus.pass_time(3)
    until = await receiver.renew_message_lock(message)
    await bus.pass_time(3)

    assert until >= before + timedelta(seconds=2)
    assert message.locked_until_utc == until
    await receiver.complete_message(message)
    assert await bus.peek("brief") == []


async def test_a_lock_that_is_over_cannot_be_renewed(bus: Bus) -> None:
    await bus.send("brief", a_message())
    message = await bus.one("brief")
    await bus.pass_time(6)

    with pytest.raises(MessageLockLostError):
        await (await bus.receiver("brief")).renew_message_lock(message)

    await bus.take_all("brief", 1)


async def test_a_lock_outlives_the_link_of_its_receiver(bus: Bus) -> None:
    await bus.send("brief", a_message())
    async with bus.new_receiver("brief") as other:
        await take(other, 1)

    assert await (await bus.receiver("brief")).receive_messages(1, max_wait_time=bus.silence) == []
    await bus.pass_time(6)

    message = await bus.one("brief")
    await bus.complete("brief", message)
    assert message.delivery_count == 1


async def test_messages_that_were_fetched_and_not_looked_at_come_again_with_the_same_count(bus: Bus) -> None:
    sent = [a_message() for _ in range(5)]
    await bus.send("plain", *sent)
    async with bus.new_receiver("plain", prefetch_count=5) as other:
        (message,) = await take(other, 1)
        await other.complete_message(message)

    received = await bus.receive("plain", 4)

    await bus.complete("plain", *received)
    assert [(message.message_id, message.delivery_count) for message in received] == [
        (message.message_id, 0) for message in sent[1:]
    ]


async def test_a_message_that_is_scheduled_comes_when_its_time_has_come(bus: Bus) -> None:
    later = a_message()
    later.scheduled_enqueue_time_utc = bus.now() + timedelta(seconds=3)
    at_once = a_message()
    await bus.send("plain", later)
    await bus.send("plain", at_once)

    assert await bus.take_all("plain", 1) == [str(at_once)]

    await bus.pass_time(3)
    assert await bus.take_all("plain", 1) == [str(later)]
