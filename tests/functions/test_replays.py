"""A dead letter that is sent again arrives, whatever other messages with the same id were sent in the last hour."""

import re

from shared.adapters.sqlite_bus import SqliteBus
from shared.bootstrap import Application
from shared.dead_letters import Filter, find, send_again, take
from shared.messages import INBOUND_EVENTS, Message, id_of_repetition, subscription
from tests.support import HOUR, StillClock

EVENT_TYPE = "it.pagopa.notice.published.v1"


def bus_of(application: Application) -> SqliteBus:
    """Return the bus."""
    assert isinstance(application.bus, SqliteBus)
    return application.bus


async def replay_all(bus: SqliteBus) -> int:
    """Replay as `ops dead-letters replay --all` does. Return how many it says."""
    found = [letter async for letter in find(bus, Filter())]
    done = 0
    async for letter in take(bus, found):
        await send_again(bus, letter)
        done += 1
    return done


async def bury_in(bus: SqliteBus, queue: str) -> None:
    """Let the messages of a queue fail until they are dead letters."""
    while deliveries := await bus.receive(queue, 100):
        for each in deliveries:
            await bus.abandon(each)


async def bodies(bus: SqliteBus, queue: str) -> list[bytes]:
    """Return the bodies in a queue."""
    return [each.message.body async for each in bus.peek(queue)]


async def test_an_event_that_failed_at_two_subscribers_is_sent_again_to_both(application: Application) -> None:
    bus = bus_of(application)
    await bus.publish([Message("15376371009.347.1", b"{}", {"type": EVENT_TYPE})])
    await bury_in(bus, subscription("all"))
    await bury_in(bus, subscription("stand-in"))

    assert await replay_all(bus) == 2

    assert len(await bodies(bus, subscription("all"))) == 1
    assert len(await bodies(bus, subscription("stand-in"))) == 1


async def test_of_two_subscribers_each_keeps_the_dead_letters_that_are_not_chosen(application: Application) -> None:
    bus = bus_of(application)
    chosen = {"all": "one", "customer-care": "two"}
    for message_id in ("one", "two"):
        await bus.publish([Message(message_id, b"", {"type": EVENT_TYPE, "anomaly": "paid_twice"})])
    for name in chosen:
        await bury_in(bus, subscription(name))
    letters = [letter async for letter in find(bus, Filter())]

    taken = [each async for each in take(bus, [one for one in letters if chosen[one.source] == one.queued.message.id])]

    assert {each.source: each.queued.message.id for each in taken} == chosen
    left = [(each.source, each.queued.message.id) async for each in find(bus, Filter())]
    assert left == [("all", "two"), ("customer-care", "one")]


async def test_two_rejected_messages_with_one_id_are_both_sent_again(
    application: Application, clock: StillClock
) -> None:
    bus = bus_of(application)
    await bus.reject(Message("rt-1", b'{"first": 1}'), "malformed", "")
    await bus.reject(Message("rt-1", b'{"second": 2}'), "malformed", "")

    assert await replay_all(bus) == 2

    assert await bodies(bus, INBOUND_EVENTS) == [b'{"first": 1}', b'{"second": 2}']


async def test_a_message_whose_id_is_that_of_a_replay_does_not_swallow_the_replay(application: Application) -> None:
    bus = bus_of(application)
    await bus.send(Message("rt-1:r1", b'{"another": 1}'))
    await bus.reject(Message("rt-1", b'{"first": 1}'), "malformed", "")

    assert await replay_all(bus) == 1

    assert b'{"first": 1}' in await bodies(bus, INBOUND_EVENTS)


async def test_a_message_that_was_rejected_and_replayed_and_sent_and_rejected_again_is_replayed_again(
    application: Application, clock: StillClock
) -> None:
    """The producer sends it again after the hour in which its id is remembered, an operator replays both."""
    bus = bus_of(application)
    await bus.reject(Message("rt-1", b'{"first": 1}'), "unknown_institution", "")
    assert await replay_all(bus) == 1
    clock.advance(HOUR / 2)
    await bus.reject(Message("rt-1", b'{"corrected": 1}'), "unknown_institution", "")

    assert await replay_all(bus) == 1

    assert b'{"corrected": 1}' in await bodies(bus, INBOUND_EVENTS)


async def test_the_reason_of_a_dead_letter_is_that_of_the_bus_and_not_a_property_of_its_producer(
    application: Application,
) -> None:
    bus = bus_of(application)
    await bus.send(Message("rt-1", b"{}", {"reason": "\x1b[2Jmine", "description": "mine"}))
    await bury_in(bus, INBOUND_EVENTS)

    [letter] = [letter async for letter in find(bus, Filter())]

    assert letter.reason == "MaxDeliveryCountExceeded"
    assert letter.replayed().properties == {"reason": "\x1b[2Jmine", "description": "mine"}


def test_the_id_of_a_message_does_not_grow_however_often_it_is_repeated() -> None:
    """The bus takes ids of 128 characters at most."""
    message_id = "message-1"
    for attempt in range(100):
        message_id = id_of_repetition(message_id, "orw"[attempt % 3], attempt)

        assert re.fullmatch(r"message-1:[orw][0-9]{1,6}", message_id)
