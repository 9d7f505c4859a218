"""What the timer writes down when it runs twice, after days without it, and when one notice makes trouble."""

import asyncio
import json
import sqlite3
from datetime import date, timedelta

import httpx
import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared.archive import Archive
from shared.bootstrap import Application
from shared.domain.identifiers import InstitutionCode
from shared.domain.lifecycle import EventType
from shared.domain.notice import Address
from shared.registry import CachedRegistry
from tests.functions.client import Tick, history, path_of, pay, publish, types
from tests.stores import COSMOS, both_stores
from tests.support import ADDRESS, DAY, INSTITUTION, StillClock, a_number, an_act

on_cosmos = pytest.mark.parametrize("kept_in", [COSMOS], indirect=True)
MANY = 40
OTHERS = [path_of(a_number(serial)) for serial in range(2, MANY)]
"""Notices beside the one that makes trouble. They fall due after it."""


async def publish_others(http: httpx.AsyncClient) -> None:
    """Publish them."""
    for path in OTHERS:
        await publish(http, path, switchToExpired=True, dueDate="2026-12-17")


def failures(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return the records of notices that failed, without the stack."""
    records = [json.loads(record.getMessage()) for record in caplog.records]
    failed = [record for record in records if record["event"] == "due_change_failed"]
    return [{name: value for name, value in record.items() if name in ("institution", "number")} for record in failed]


async def expired(http: httpx.AsyncClient) -> int:
    """Return how many of the others are written down as expired, each once."""
    return [await types(http, path) for path in OTHERS].count(["published", "expired"])


@both_stores
async def test_two_runs_at_once_write_each_change_once_and_count_it_once(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "archive")
    await publish_others(http)
    clock.advance(30 * DAY)

    await asyncio.gather(tick(), tick())

    assert await expired(http) == len(OTHERS)
    counted = [json.loads(record.getMessage())["notices"] for record in caplog.records]
    assert sum(counted) == len(OTHERS)


@both_stores
async def test_after_days_without_a_run_each_change_has_the_instant_at_which_it_became_true(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    first = date(2026, 11, 24)
    for serial in range(5):
        begins, ends = first + timedelta(serial), first + timedelta(serial + 2)
        await publish(http, path_of(a_number(serial)), validFrom=f"{begins}", dueDate=f"{ends}", switchToExpired=True)
    clock.advance(5 * DAY)  # 28 November

    await tick()

    happened = {
        serial: [(item["type"], item["occurredAt"]) for item in (await history(http, path_of(a_number(serial))))[1:]]
        for serial in range(5)
    }
    assert happened == {
        0: [("activated", "2026-11-23T23:00:00.000Z"), ("expired", "2026-11-26T23:00:00.000Z")],
        1: [("activated", "2026-11-24T23:00:00.000Z"), ("expired", "2026-11-27T23:00:00.000Z")],
        2: [("activated", "2026-11-25T23:00:00.000Z")],
        3: [("activated", "2026-11-26T23:00:00.000Z")],
        4: [("activated", "2026-11-27T23:00:00.000Z")],
    }


@on_cosmos
async def test_a_notice_that_another_process_changes_meanwhile_has_each_change_once(
    http: httpx.AsyncClient, application: Application, cosmos: CosmosDouble, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    await publish_others(http)
    clock.advance(30 * DAY)
    # Its first write is late, so that the other process is first.
    cosmos.inject(Fault("Batch", key=(INSTITUTION, ADDRESS.number), delay=0.3))
    another = Archive(application.archive.store, CachedRegistry(application.registry, clock), clock)
    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0.1)

    await another.declare(ADDRESS, EventType.CANCELLED, an_act(clock()))
    await ticking

    assert await types(http) == ["published", "expired", "cancelled"]
    assert await expired(http) == len(OTHERS)


@on_cosmos
async def test_a_notice_that_cannot_be_saved_does_not_stop_the_others_and_is_tried_again(
    http: httpx.AsyncClient, cosmos: CosmosDouble, clock: StillClock, tick: Tick, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(http, switchToExpired=True)
    await publish_others(http)
    clock.advance(30 * DAY)
    cosmos.inject(Fault("Batch", key=(INSTITUTION, ADDRESS.number), status=412, times=None))

    await tick()

    assert await types(http) == ["published"]
    assert await expired(http) == len(OTHERS)
    assert failures(caplog) == [{"institution": INSTITUTION, "number": ADDRESS.number}]
    cosmos.faults.clear()
    await tick()
    assert await types(http) == ["published", "expired"]


async def test_an_event_in_the_way_of_one_notice_does_not_stop_the_others(
    http: httpx.AsyncClient,
    file: sqlite3.Connection,
    clock: StillClock,
    tick: Tick,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await publish(http, switchToExpired=True)
    await publish_others(http)
    file.execute(
        "INSERT INTO events (creditor_institution, number, version, document)"
        " SELECT creditor_institution, number, 2, document FROM events WHERE number = ?",
        (ADDRESS.number,),
    )
    clock.advance(30 * DAY)

    await tick()

    assert await expired(http) == len(OTHERS)
    assert failures(caplog) == [{"institution": INSTITUTION, "number": ADDRESS.number}]


async def test_an_institution_that_cannot_be_read_does_not_stop_the_notices_of_others(
    http: httpx.AsyncClient,
    application: Application,
    file: sqlite3.Connection,
    clock: StillClock,
    tick: Tick,
    caplog: pytest.LogCaptureFixture,
) -> None:
    code = InstitutionCode("77777777777")
    await pay(application, Address(code, ADDRESS.number))
    await publish_others(http)
    file.execute("UPDATE registry SET document = CAST('{}' AS BLOB) WHERE id LIKE ?", (f"%{code}",))
    clock.advance(30 * DAY)

    await tick()

    assert await expired(http) == len(OTHERS)
    assert failures(caplog) == [{"institution": code, "number": ADDRESS.number}]
