"""How the development host feeds a Service Bus function from the embedded queue."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from azure.functions.servicebus import ServiceBusMessage

from local.functions import Function
from local.queues import STOP_SECONDS, QueueTrigger, service_bus_message
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_bus import LOCKED_FOR, SqliteBus
from shared.bootstrap import utc_now
from shared.messages import DEAD_LETTERS, INBOUND_EVENTS, Delivery, QueuedMessage
from shared.ports import BusUnavailable
from tests.contracts.bus import MOST, a_message, ids, peeked, received_from
from tests.server import PATIENCE
from tests.support import NOW, StillClock

Handler = Callable[[ServiceBusMessage], Awaitable[None]]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[SqliteBus]:
    """Yield an embedded bus."""
    store = SqliteNoticeStore(tmp_path / "archive.db")
    yield SqliteBus(store.writes, store.reads, utc_now)
    await store.close()


@asynccontextmanager
async def fed(bus: SqliteBus, handler: Handler, at_once: int = 16) -> AsyncIterator[None]:
    """Feed a handler from the queue of inbound events meanwhile."""
    trigger = {"type": "serviceBusTrigger", "name": "message", "queueName": INBOUND_EVENTS}
    queue = QueueTrigger(Function("consume", handler, trigger), at_once)
    task = asyncio.create_task(queue.run(bus))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  it looks into a file
            await asyncio.sleep(0.01)


async def is_empty(bus: SqliteBus) -> bool:
    """Return whether the queue holds nothing."""
    return await peeked(bus, INBOUND_EVENTS) == []


async def test_a_message_is_completed_when_the_function_returns(bus: SqliteBus) -> None:
    received: list[ServiceBusMessage] = []

    async def handle(message: ServiceBusMessage) -> None:
        received.append(message)

    async with fed(bus, handle):
        await bus.send(a_message("one", b"body", {"type": "paid", "standIn": True}))
        await until(lambda: is_empty(bus))

    [message] = received
    assert (message.message_id, message.get_body(), message.delivery_count) == ("one", b"body", 1)
    assert (message.session_id, message.content_type) == (a_message("one").session_id, a_message("one").content_type)
    assert message.application_properties == {"type": "paid", "standIn": True}


async def test_a_message_comes_again_when_the_function_raises_and_is_a_dead_letter_in_the_end(
    bus: SqliteBus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counts: list[int | None] = []

    async def handle(message: ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        raise ValueError("Mario Rossi")

    async with fed(bus, handle):
        await bus.send(a_message("one"))
        await until(lambda: is_empty(bus))

    assert counts == [*range(1, MOST + 1)]
    assert ids(await peeked(bus, f"{INBOUND_EVENTS}{DEAD_LETTERS}")) == ["one"]
    assert "Rossi" not in caplog.text


async def test_a_message_that_fails_does_not_hold_up_the_others(bus: SqliteBus) -> None:
    done: list[str] = []

    async def handle(message: ServiceBusMessage) -> None:
        if message.message_id == "bad":
            raise ValueError
        done.append(message.message_id)

    async with fed(bus, handle):
        await bus.send(a_message("bad"))
        for n in range(20):
            await bus.send(a_message(str(n)))
        await until(lambda: is_empty(bus))

    assert sorted(done, key=int) == [str(n) for n in range(20)]


async def test_so_many_messages_are_in_work_at_once_and_no_more(bus: SqliteBus) -> None:
    in_work, most, release = 0, 0, asyncio.Event()

    async def handle(message: ServiceBusMessage) -> None:
        nonlocal in_work, most
        in_work += 1
        most = max(most, in_work)
        await release.wait()
        in_work -= 1

    for n in range(12):
        await bus.send(a_message(str(n)))
    async with fed(bus, handle, at_once=4):

        async def are_four() -> bool:
            return in_work == 4

        await until(are_four)
        await asyncio.sleep(0.5)
        assert most == 4
        release.set()
        await until(lambda: is_empty(bus))

    assert most == 4


async def test_the_lock_of_a_message_is_renewed_while_the_function_works(bus: SqliteBus) -> None:
    counts: list[int | None] = []

    async def handle(message: ServiceBusMessage) -> None:
        counts.append(message.delivery_count)
        await asyncio.sleep(LOCKED_FOR.total_seconds() + 1)

    async with fed(bus, handle):
        await bus.send(a_message("one"))
        await until(lambda: is_empty(bus))

    assert counts == [1]


class HinderedBus(SqliteBus):
    """A bus that fails at the first renewal of a lock. No lock is ever over."""

    renewals = 0

    async def renew(self, delivery: Delivery) -> None:
        """Fail, or renew the lock."""
        self.renewals += 1
        if self.renewals == 1:
            raise BusUnavailable
        await super().renew(delivery)


async def test_a_lock_whose_renewal_failed_is_renewed_later(tmp_path: Path) -> None:
    store = SqliteNoticeStore(tmp_path / "archive.db")
    bus = HinderedBus(store.writes, store.reads, StillClock())

    async def is_renewed() -> bool:
        return bus.renewals == 2

    async def handle(message: ServiceBusMessage) -> None:
        await until(is_renewed)

    async with fed(bus, handle):
        await bus.send(a_message("one"))
        await until(is_renewed)
        await until(lambda: is_empty(bus))

    await store.close()


async def test_what_is_in_work_when_the_host_stops_is_finished(bus: SqliteBus) -> None:
    started, done = asyncio.Event(), asyncio.Event()

    async def handle(message: ServiceBusMessage) -> None:
        started.set()
        await asyncio.sleep(0.3)
        done.set()

    async with fed(bus, handle):
        await bus.send(a_message("one"))
        await asyncio.wait_for(started.wait(), PATIENCE)

    assert done.is_set()
    assert await is_empty(bus)
    assert STOP_SECONDS > 0.3


class SlowBus(SqliteBus):
    """A bus that locks messages a moment before it hands them over."""

    def __init__(self, store: SqliteNoticeStore) -> None:
        super().__init__(store.writes, store.reads, utc_now)
        self.has_locked = asyncio.Event()

    async def receive(self, queue: str, limit: int) -> list[Delivery]:
        """Deliver some messages and lock them."""
        found = await super().receive(queue, limit)
        if found:
            self.has_locked.set()
            await asyncio.sleep(0.3)
        return found


async def test_a_message_that_is_received_while_the_host_stops_comes_again_at_once(tmp_path: Path) -> None:
    store = SqliteNoticeStore(tmp_path / "archive.db")
    bus = SlowBus(store)
    called: list[str] = []

    async def handle(message: ServiceBusMessage) -> None:
        called.append(message.message_id)

    await bus.send(a_message("one"))
    async with fed(bus, handle):
        await asyncio.wait_for(bus.has_locked.wait(), PATIENCE)

    again = await received_from(bus)
    assert (called, again.queued.message.id, again.queued.delivery_count) == ([], "one", 2)
    await store.close()


async def test_a_queue_that_cannot_be_read_is_read_again_later(
    bus: SqliteBus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()

    async def handle(message: ServiceBusMessage) -> None:
        done.set()

    await bus.send(a_message("one"))
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as other:
        other.execute("ALTER TABLE deliveries RENAME TO gone")
        async with fed(bus, handle):

            async def is_logged() -> bool:
                return "queue_not_read" in caplog.text

            await until(is_logged)
            assert not done.is_set()
            other.execute("ALTER TABLE gone RENAME TO deliveries")
            await until(lambda: is_empty(bus))

    assert done.is_set()


def test_a_message_without_properties_or_session_is_handed_over() -> None:
    message = a_message("one")
    bare = type(message)(message.id, b"\xff\x00", {}, None)

    handed = service_bus_message(QueuedMessage(INBOUND_EVENTS, 7, bare, NOW, 3))

    assert (handed.get_body(), handed.session_id, handed.application_properties) == (b"\xff\x00", None, {})
    assert (handed.delivery_count, handed.sequence_number) == (3, 7)
