"""What any Bus promises. The test of an adapter inherits all of it, and says how the bus is made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import pytest

from shared.messages import (
    DEAD_LETTERS,
    INBOUND_EVENTS,
    INBOUND_REJECTED,
    Delivery,
    Message,
    Property,
    QueuedMessage,
    entities,
    subscription,
    subscriptions,
)
from shared.ports import Bus, LockLost

EVERY = sorted(subscriptions())
DEAD = f"{INBOUND_EVENTS}{DEAD_LETTERS}"
PAID = "it.pagopa.notice.paid.v1"
MOST = int(entities()["queues"][INBOUND_EVENTS]["maxDeliveryCount"])


Later = Callable[[timedelta], Awaitable[None]]


class BusContract:
    """Every promise of the port, tested. The queues are empty at the beginning."""

    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]:
        """Yield the bus."""
        raise NotImplementedError("the test of an adapter says how it is made")
        yield  # noqa: PT022  a fixture of this shape is what adapters put in its place

    @pytest.fixture
    def later(self) -> Later:
        """Return what lets the time of the bus pass."""

        async def wait(time: timedelta) -> None:
            await asyncio.sleep(time.total_seconds())

        return wait

    async def test_an_empty_queue_has_nothing(self, bus: Bus) -> None:
        for queue in (INBOUND_EVENTS, INBOUND_REJECTED, DEAD, *map(subscription, EVERY)):
            assert await peeked(bus, queue) == []
        assert await bus.receive(INBOUND_EVENTS, 1) == []

    async def test_a_message_is_received_as_it_was_sent(self, bus: Bus) -> None:
        sent = a_message("one", properties={"type": PAID, "standIn": True, "count": 3})
        await bus.send(sent)

        received = (await received_from(bus)).queued

        assert (received.message, received.delivery_count) == (sent, 1)

    async def test_a_message_that_is_completed_is_gone(self, bus: Bus) -> None:
        await bus.send(a_message("one"))
        await bus.complete(await received_from(bus))

        assert await bus.receive(INBOUND_EVENTS, 1) == []
        assert await peeked(bus, INBOUND_EVENTS) == []

    async def test_a_message_that_is_locked_is_not_received_by_another(self, bus: Bus) -> None:
        await bus.send(a_message("one"))
        await received_from(bus)

        assert await bus.receive(INBOUND_EVENTS, 1) == []

    async def test_a_message_that_is_abandoned_comes_again_until_it_is_a_dead_letter(self, bus: Bus) -> None:
        await bus.send(a_message("one"))

        for count in range(1, MOST + 1):
            received = await received_from(bus)
            assert received.queued.delivery_count == count
            await bus.abandon(received)

        assert await bus.receive(INBOUND_EVENTS, 1) == []
        (dead,) = await peeked(bus, DEAD)
        assert (dead.message.id, dead.reason) == ("one", "MaxDeliveryCountExceeded")
        assert dead.description

    async def test_a_message_for_later_is_delivered_later(self, bus: Bus, later: Later) -> None:
        await bus.send(a_message("one"), timedelta(seconds=2))
        await bus.send(a_message("two"))

        assert (await received_from(bus)).queued.message.id == "two"
        assert await bus.receive(INBOUND_EVENTS, 1) == []
        await later(timedelta(seconds=2))

        assert (await received_from(bus)).queued.message.id == "one"

    async def test_messages_come_in_the_order_in_which_they_were_sent(self, bus: Bus) -> None:
        for n in range(5):
            await bus.send(a_message(str(n)))

        found = [await received_from(bus) for _ in range(5)]

        assert [each.queued.message.id for each in found] == ["0", "1", "2", "3", "4"]

    async def test_an_id_that_was_sent_already_is_sent_once(self, bus: Bus) -> None:
        await bus.send(a_message("one"))
        await bus.send(a_message("one", b"other"))
        await bus.publish([a_message("one"), a_message("one")])
        await bus.publish([a_message("one")])

        assert ids(await peeked(bus, INBOUND_EVENTS)) == ["one"]
        assert ids(await peeked(bus, subscription("all"))) == ["one"]

    async def test_an_id_is_remembered_when_its_message_is_gone(self, bus: Bus) -> None:
        await bus.send(a_message("one"))
        await bus.complete(await received_from(bus))

        await bus.send(a_message("one"))

        assert await peeked(bus, INBOUND_EVENTS) == []

    async def test_a_rejected_message_is_copied_with_the_reason(self, bus: Bus) -> None:
        await bus.reject(a_message("one", properties={"type": PAID}), "malformed", "The body is empty")

        (rejected,) = await peeked(bus, INBOUND_REJECTED)
        properties = {"type": PAID, "reason": "malformed", "description": "The body is empty"}
        assert rejected.message == a_message("one", properties=properties)

    async def test_rejections_do_not_depend_on_earlier_ones(self, bus: Bus) -> None:
        for _ in range(2):
            await bus.reject(a_message("one"), "malformed", "The body is empty")

        assert ids(await peeked(bus, INBOUND_REJECTED)) == ["one", "one"]

    async def test_each_subscription_gets_its_own_copy(self, bus: Bus) -> None:
        await bus.publish([a_message("one", properties={"type": PAID, "anomaly": "paid_twice"})])

        await bus.complete(await received_from(bus, subscription("all")))

        found = {name: ids(await peeked(bus, subscription(name))) for name in EVERY}
        assert found == {"all": [], "customer-care": ["one"], "stand-in": ["one"]}

    @pytest.mark.parametrize(
        ("properties", "names"),
        [
            ({"type": PAID}, ["all", "stand-in"]),
            ({"type": PAID, "anomaly": "paid_twice"}, ["all", "customer-care", "stand-in"]),
            ({"type": "it.pagopa.notice.uncommunicated.v1"}, ["all", "customer-care", "stand-in"]),
            ({"type": PAID, "replayFor": "all"}, ["all"]),
            ({"type": PAID, "replayFor": "customer-care"}, []),
            ({"type": PAID, "anomaly": "paid_twice", "replayFor": "customer-care"}, ["customer-care"]),
            ({"type": PAID, "replayFor": "stand-in", "standIn": False}, ["stand-in"]),
            ({"type": PAID, "replayFor": "another"}, []),
            ({}, ["all", "stand-in"]),
        ],
    )
    async def test_a_subscription_gets_what_its_filter_admits(
        self, bus: Bus, properties: dict[str, str | bool], names: list[str]
    ) -> None:
        await bus.publish([a_message("one", properties=properties)])

        assert [name for name in EVERY if await peeked(bus, subscription(name))] == names

    async def test_published_messages_keep_their_order(self, bus: Bus) -> None:
        await bus.publish([a_message(f"first {n}") for n in range(50)])
        await bus.publish([a_message(f"second {n}") for n in range(50)])

        found = ids(await peeked(bus, subscription("all")))
        assert found == [*(f"first {n}" for n in range(50)), *(f"second {n}" for n in range(50))]

    async def test_nothing_may_be_published(self, bus: Bus) -> None:
        await bus.publish([])

        assert await peeked(bus, subscription("all")) == []

    async def test_a_peek_goes_on_after_a_position_and_takes_nothing(self, bus: Bus) -> None:
        await bus.publish([a_message(str(n)) for n in range(250)])
        every = await peeked(bus, subscription("all"))

        rest = [each async for each in bus.peek(subscription("all"), every[199].position)]

        assert ids(every) == [str(n) for n in range(250)]
        assert rest == every[200:] == (await peeked(bus, subscription("all")))[200:]

    async def test_a_message_that_is_taken_is_removed_when_the_next_one_is_asked_for(self, bus: Bus) -> None:
        for n in range(4):
            await bury(bus, str(n))
        dead = await peeked(bus, DEAD)

        taken = bus.take(DEAD, [each.position for each in dead[1:3]])
        first = await anext(taken)
        during = ids(await peeked(bus, DEAD))
        second = await anext(taken)
        after = ids(await peeked(bus, DEAD))
        with pytest.raises(StopAsyncIteration):
            await anext(taken)

        assert (first.message.id, second.message.id) == ("1", "2")
        assert (during, after) == (["0", "1", "2", "3"], ["0", "2", "3"])
        assert ids(await peeked(bus, DEAD)) == ["0", "3"]

    async def test_a_message_that_is_gone_is_left_out_when_it_is_taken(self, bus: Bus) -> None:
        await bury(bus, "one")
        (dead,) = await peeked(bus, DEAD)
        assert [each async for each in bus.take(DEAD, [dead.position])] != []

        assert [each async for each in bus.take(DEAD, [dead.position, 10**6])] == []

    async def test_messages_that_are_not_wanted_can_be_taken_afterwards(self, bus: Bus) -> None:
        for name in ("one", "two"):
            await bus.reject(a_message(name), "malformed", "")
        one, two = [each.position for each in await peeked(bus, INBOUND_REJECTED)]

        taken = [[each.message.id async for each in bus.take(INBOUND_REJECTED, [wanted])] for wanted in (two, one)]

        assert taken == [["two"], ["one"]]

    async def test_a_message_is_settled_once(self, bus: Bus) -> None:
        await bus.send(a_message("one"))
        delivery = await received_from(bus)
        await bus.complete(delivery)

        with pytest.raises(LockLost):
            await bus.complete(delivery)

    async def test_a_message_whose_work_failed_is_not_removed(self, bus: Bus) -> None:
        await bury(bus, "one")
        (dead,) = await peeked(bus, DEAD)

        async def work() -> None:
            async for _ in bus.take(DEAD, [dead.position]):
                raise ConnectionError

        with pytest.raises(ConnectionError):
            await work()

        assert ids(await peeked(bus, DEAD)) == ["one"]

    async def test_many_send_and_receive_at_once_and_each_message_is_received_once(self, bus: Bus) -> None:
        await asyncio.gather(*(bus.send(a_message(str(n))) for n in range(40)))

        found: list[str] = []

        async def work() -> None:
            while received := await bus.receive(INBOUND_EVENTS, 1):
                found.append(received[0].queued.message.id)
                await bus.complete(received[0])

        await asyncio.gather(*(work() for _ in range(4)))

        assert sorted(found, key=int) == [str(n) for n in range(40)]


def a_message(message_id: str, body: bytes = b"{}", properties: Mapping[str, Property] | None = None) -> Message:
    """Return a message."""
    return Message(message_id, body, properties or {}, session_id="15376371009.347000000000000124")


def ids(messages: list[QueuedMessage]) -> list[str]:
    """Return the ids of messages."""
    return [each.message.id for each in messages]


async def peeked(bus: Bus, queue: str) -> list[QueuedMessage]:
    """Return all that a queue holds."""
    return [each async for each in bus.peek(queue)]


async def received_from(bus: Bus, queue: str = INBOUND_EVENTS) -> Delivery:
    """Return the next message, which must be there."""
    [received] = await bus.receive(queue, 1)
    return received


async def bury(bus: Bus, message_id: str) -> None:
    """Make a message a dead letter."""
    await bus.send(a_message(message_id))
    for _ in range(MOST):
        await bus.abandon(await received_from(bus))
