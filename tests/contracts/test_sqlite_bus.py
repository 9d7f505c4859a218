"""The bus of the embedded store keeps the contract. Locks and times to live follow its clock."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_bus import LOCKED_FOR, SqliteBus
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, subscription
from shared.ports import Bus, BusUnavailable, LockLost
from tests.contracts.bus import DEAD, EVERY, MOST, BusContract, Later, a_message, bury, ids, peeked, received_from
from tests.support import DAY, HOUR, SECOND, StillClock


@pytest.fixture
def bus(store: SqliteNoticeStore, clock: StillClock) -> SqliteBus:
    """Return the bus in the file of the store."""
    return SqliteBus(store.writes, store.reads, clock)


class TestSqliteBus(BusContract):
    """Bus on SQLite."""

    @pytest.fixture
    def bus(self, store: SqliteNoticeStore, clock: StillClock) -> Bus:
        return SqliteBus(store.writes, store.reads, clock)

    @pytest.fixture
    def later(self, clock: StillClock) -> Later:
        async def advance(time: timedelta) -> None:
            clock.advance(time)

        return advance


async def test_a_lock_that_is_over_is_a_delivery_that_failed(bus: SqliteBus, clock: StillClock) -> None:
    await bus.send(a_message("one"))

    for count in range(1, MOST + 1):
        assert (await received_from(bus)).queued.delivery_count == count
        clock.advance(LOCKED_FOR)

    assert await bus.receive(INBOUND_EVENTS, 1) == []
    (dead,) = await peeked(bus, DEAD)
    assert dead.reason == "MaxDeliveryCountExceeded"


async def test_a_lock_that_is_renewed_goes_on(bus: SqliteBus, clock: StillClock) -> None:
    await bus.send(a_message("one"))
    [delivery] = await bus.receive(INBOUND_EVENTS, 10)

    for _ in range(5):
        clock.advance(LOCKED_FOR - SECOND)
        await bus.renew(delivery)
        assert await bus.receive(INBOUND_EVENTS, 10) == []
    await bus.complete(delivery)

    assert await peeked(bus, INBOUND_EVENTS) == []


async def test_a_message_whose_lock_was_lost_cannot_be_settled(bus: SqliteBus, clock: StillClock) -> None:
    await bus.send(a_message("one"))
    [first] = await bus.receive(INBOUND_EVENTS, 1)
    clock.advance(LOCKED_FOR)
    [second] = await bus.receive(INBOUND_EVENTS, 1)

    for settle in (bus.complete, bus.abandon, bus.renew):
        with pytest.raises(LockLost):
            await settle(first)

    await bus.complete(second)
    with pytest.raises(LockLost):
        await bus.complete(second)


async def test_as_many_messages_are_delivered_as_are_asked_for(bus: SqliteBus) -> None:
    for n in range(5):
        await bus.send(a_message(str(n)))

    assert [ids([each.queued for each in await bus.receive(INBOUND_EVENTS, 2)]) for _ in range(4)] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
        [],
    ]


async def test_an_event_that_no_subscriber_takes_in_fourteen_days_is_a_dead_letter(
    bus: SqliteBus, clock: StillClock
) -> None:
    await bus.publish([a_message(str(n)) for n in range(3)])
    clock.advance(14 * DAY)
    await bus.publish([a_message("new")])

    assert ids(await peeked(bus, subscription("all"))) == ["new"]
    dead = await peeked(bus, f"{subscription('all')}/$deadletterqueue")
    assert [(each.message.id, each.reason) for each in dead] == [(str(n), "TTLExpiredException") for n in range(3)]


async def test_a_rejected_message_is_kept_for_ninety_days(bus: SqliteBus, clock: StillClock) -> None:
    await bus.reject(a_message("old"), "malformed", "The body is empty")
    clock.advance(90 * DAY - SECOND)
    await bus.reject(a_message("middle"), "malformed", "The body is empty")
    assert ids(await peeked(bus, INBOUND_REJECTED)) == ["old", "middle"]

    clock.advance(SECOND)
    await bus.reject(a_message("new"), "malformed", "The body is empty")

    assert ids(await peeked(bus, INBOUND_REJECTED)) == ["middle", "new"]


async def test_an_id_is_forgotten_after_an_hour(bus: SqliteBus, clock: StillClock) -> None:
    await bus.send(a_message("one"))
    clock.advance(HOUR - timedelta(milliseconds=1))
    await bus.send(a_message("one"))
    assert ids(await peeked(bus, INBOUND_EVENTS)) == ["one"]

    clock.advance(timedelta(milliseconds=1))
    await bus.send(a_message("one"))

    assert ids(await peeked(bus, INBOUND_EVENTS)) == ["one", "one"]


async def test_a_message_is_stored_once_and_is_gone_with_its_last_copy(
    bus: SqliteBus, other: sqlite3.Connection
) -> None:
    await bus.publish([a_message("one", properties={"anomaly": "paid_twice"})])
    count = "SELECT count(*) FROM messages"
    assert other.execute(count).fetchone() == (1,)

    for name in EVERY:
        assert other.execute(count).fetchone() == (1,)
        await bus.complete(await received_from(bus, subscription(name)))

    assert other.execute(count).fetchone() == (0,)


async def test_a_message_whose_time_is_over_leaves_nothing_behind(
    bus: SqliteBus, clock: StillClock, other: sqlite3.Connection
) -> None:
    """The body of a rejected event can hold the data of a debtor."""
    await bus.reject(a_message("old"), "malformed", "The body is empty")
    clock.advance(90 * DAY)
    await bus.reject(a_message("new"), "malformed", "The body is empty")

    assert other.execute("SELECT id FROM messages").fetchall() == [("new",)]


async def test_what_was_sent_is_there_when_the_file_is_opened_again(
    bus: SqliteBus, store: SqliteNoticeStore, path: Path, clock: StillClock
) -> None:
    await bus.send(a_message("one"))
    await bus.send(a_message("two"))
    assert len(await bus.receive(INBOUND_EVENTS, 1)) == 1
    await store.close()

    reopened = SqliteNoticeStore(path)
    again = SqliteBus(reopened.writes, reopened.reads, clock)
    assert ids([each.queued for each in await again.receive(INBOUND_EVENTS, 10)]) == ["two"]
    clock.advance(LOCKED_FOR)
    first, second = await again.receive(INBOUND_EVENTS, 10)

    assert (first.queued.message.id, first.queued.delivery_count) == ("one", 2)
    assert (second.queued.message.id, second.queued.delivery_count) == ("two", 2)
    await reopened.close()


async def test_a_dead_letter_that_another_operator_holds_is_left_out(bus: SqliteBus, clock: StillClock) -> None:
    await bury(bus, "one")
    (dead,) = await peeked(bus, DEAD)
    first = bus.take(DEAD, [dead.position])
    await anext(first)

    assert [each async for each in bus.take(DEAD, [dead.position])] == []

    await first.aclose()
    clock.advance(timedelta(minutes=1))
    assert len([each async for each in bus.take(DEAD, [dead.position])]) == 1


async def test_a_dead_letter_that_was_held_before_the_clock_was_set_back_is_taken(
    bus: SqliteBus, clock: StillClock
) -> None:
    await bury(bus, "one")
    (dead,) = await peeked(bus, DEAD)
    clock.advance(timedelta(hours=1))
    killed = bus.take(DEAD, [dead.position])
    await anext(killed)
    clock.advance(timedelta(hours=-1))

    assert len([each async for each in bus.take(DEAD, [dead.position])]) == 1
    await killed.aclose()


async def test_an_operator_who_is_slow_does_not_hinder_the_next_one(bus: SqliteBus, clock: StillClock) -> None:
    await bury(bus, "one")
    (dead,) = await peeked(bus, DEAD)
    slow = bus.take(DEAD, [dead.position])
    await anext(slow)
    clock.advance(timedelta(minutes=1))
    assert len([each async for each in bus.take(DEAD, [dead.position])]) == 1

    with pytest.raises(StopAsyncIteration):
        await anext(slow)


async def test_a_bus_whose_file_fails_is_unavailable(bus: SqliteBus, other: sqlite3.Connection) -> None:
    other.execute("ALTER TABLE deliveries RENAME TO gone")

    with pytest.raises(BusUnavailable):
        await bus.send(a_message("one"))
    with pytest.raises(BusUnavailable):
        await bus.publish([a_message("one")])
    with pytest.raises(BusUnavailable):
        await bus.receive(INBOUND_EVENTS, 1)
    with pytest.raises(BusUnavailable):
        await peeked(bus, INBOUND_EVENTS)
