"""What misleads or stops the relay, the queue and health, though the store and the bus work."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from azure.functions import meta
from azure.functions.servicebus import ServiceBusMessage, ServiceBusMessageInConverter
from azure.functions.timer import TimerRequest

from local.functions import load
from local.queues import QueueTrigger
from shared.adapters.sqlite_bus import SqliteBus
from shared.bootstrap import Application
from shared.dead_letters import Filter, find, take
from shared.inbound import Outcome, consume
from shared.messages import Message
from tests.conftest import ROOT
from tests.functions.client import path_of, publish
from tests.functions.inbound import an_event, deliver
from tests.support import SECOND, StillClock, a_body, a_number

Tick = Callable[[], Awaitable[object]]


@pytest.fixture
def tick(http: httpx.AsyncClient) -> Tick:
    """Return what the platform does every two seconds."""
    [function] = [function for function in load(ROOT) if function.name == "relay_events"]
    return lambda: function.call(TimerRequest(past_due=False))


@pytest.mark.parametrize(
    "document",
    [b"{}", b"not json", b'{"id": "relay_events:all", "schema": 1, "range": "all", "token": "abc"}'],
    ids=["no token", "no json", "no number"],
)
async def test_a_damaged_checkpoint_does_not_break_health(
    http: httpx.AsyncClient, file: sqlite3.Connection, document: bytes
) -> None:
    await publish(http)
    file.execute("INSERT OR REPLACE INTO checkpoints VALUES ('relay_events:all', ?)", (document,))

    answer = await http.get("/health")

    assert answer.status_code == 200
    assert answer.json()["relay"]["oldestUnsentSeconds"] is None


async def test_an_oldest_event_that_is_damaged_does_not_hide_how_long_the_others_wait(
    http: httpx.AsyncClient, file: sqlite3.Connection, clock: StillClock
) -> None:
    await publish(http)
    await publish(http, path_of(a_number(9)))
    file.execute("UPDATE events SET document = '{}' WHERE position = (SELECT min(position) FROM events)")
    clock.advance(30 * SECOND)

    answer = await http.get("/health")

    assert answer.json()["relay"]["oldestUnsentSeconds"] != 0


async def test_a_message_without_an_id_that_can_never_succeed_is_rejected(http: httpx.AsyncClient) -> None:
    metadata = {"DeliveryCount": meta.Datum(1, "int"), "UserProperties": meta.Datum("{}", "json")}
    converted = ServiceBusMessageInConverter.decode(meta.Datum(b"no json", "bytes"), trigger_metadata=metadata)
    assert isinstance(converted, ServiceBusMessage)

    assert await consume(converted) is Outcome.REJECTED


async def test_a_receipt_with_a_wrong_iuv_does_not_keep_its_institution_from_publishing(
    http: httpx.AsyncClient,
) -> None:
    await deliver(an_event("paid", {"iuv": "99999999999999999"}))

    answer = await http.put("/creditor-institutions/15376371009/notices/347000000000000124", json=a_body())

    assert (answer.status_code, answer.json().get("iuv")) == (201, "47000000000000124")


async def test_an_operator_who_was_paused_and_overtaken_gets_no_traceback(
    application: Application, clock: StillClock
) -> None:
    bus = application.bus
    assert isinstance(bus, SqliteBus)
    await bus.reject(Message("a", b""), "malformed", "")
    await bus.reject(Message("b", b""), "malformed", "")
    found = [letter async for letter in find(bus, Filter())]
    done = []
    async for letter in take(bus, found):
        done.append(letter.queued.message.id)
        if letter.queued.message.id == "a":
            clock.advance(timedelta(minutes=2))
            _ = [each async for each in take(bus, found[:1])]

    assert done == ["a", "b"]


async def test_a_damaged_message_does_not_end_the_queue(
    http: httpx.AsyncClient, application: Application, file: sqlite3.Connection
) -> None:
    bus = application.bus
    assert isinstance(bus, SqliteBus)
    await bus.send(Message("a", b""))
    await bus.send(Message("b", json.dumps(an_event("paid")).encode()))
    file.execute("UPDATE messages SET properties = 'damaged' WHERE id = 'a'")
    [function] = [function for function in load(ROOT) if function.name == "consume_events"]

    running = asyncio.create_task(QueueTrigger(function).run(bus))
    await asyncio.sleep(1)

    assert not running.done(), "the queue has ended, and nothing says so"
    running.cancel()
    await asyncio.wait([running])
