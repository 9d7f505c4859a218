"""When a timer function of the development host runs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import azure.functions as func
import pytest

from local.functions import Function, NotLoadable
from local.timers import Timer, next_after
from tests.server import PATIENCE

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # A Monday.


@pytest.mark.parametrize(
    ("schedule", "now", "tick"),
    [
        ("*/5 * * * * *", "2026-11-23T12:00:00", "2026-11-23T12:00:05"),
        ("*/5 * * * * *", "2026-11-23T12:00:04.999", "2026-11-23T12:00:05"),
        ("30 */5 * * * *", "2026-11-23T12:00:31", "2026-11-23T12:05:30"),
        ("*/5 * * * *", "2026-11-23T12:00:00", "2026-11-23T12:05:00"),
        ("0 0 2 * * 1-5", "2026-11-27T02:00:00", "2026-11-30T02:00:00"),
        ("0 0 2 * * Sun", "2026-11-23T12:00:00", "2026-11-29T02:00:00"),
        ("0 0 0 1 jan *", "2026-11-23T12:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-23T12:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-11-23T12:00:00", "2027-08-13T00:00:00"),
    ],
)
def test_the_next_tick_is_the_first_after_now(schedule: str, now: str, tick: str) -> None:
    assert next_after(schedule, datetime.fromisoformat(f"{now}Z")) == datetime.fromisoformat(f"{tick}Z")


def test_a_schedule_is_read_in_utc_whatever_the_zone_of_now() -> None:
    now = datetime(2026, 11, 23, 1, 30, tzinfo=timezone(timedelta(hours=1)))

    assert next_after("0 0 1 * * *", now).isoformat() == "2026-11-23T01:00:00+00:00"


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "@hourly",
        "00:00:05",
        "%SCHEDULE%",
        "0 0 0 L * *",
        "0 0 0 31 2 *",
    ],
)
def test_what_is_no_schedule_is_refused_with_the_name_of_its_function(schedule: str) -> None:
    async def tick(timer: object) -> None: ...

    function = Function("tick", tick, {"name": "timer", "schedule": schedule})

    with pytest.raises(NotLoadable, match="tick: "):
        Timer(function)


class Time:
    """A clock that moves when somebody sleeps, and stands still at the end."""

    def __init__(self, seconds: float) -> None:
        self.now = NOON
        self.end = NOON + timedelta(seconds=seconds)
        self.stands = asyncio.Event()

    def read(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self.now + timedelta(seconds=seconds) > self.end:
            self.stands.set()
            await asyncio.Event().wait()
        self.now += timedelta(seconds=seconds)


def timer(
    time: Time,
    handler: Callable[[func.TimerRequest], Awaitable[None]],
    schedule: str = "*/5 * * * * *",
    sleep: Callable[[float], Awaitable[object]] | None = None,
) -> Timer:
    async def tick(timer: func.TimerRequest) -> None:
        await handler(timer)

    function = Function("tick", tick, {"type": "timerTrigger", "name": "timer", "schedule": schedule})
    return Timer(function, time.read, sleep or time.sleep)


async def run(timer: Timer, time: Time) -> None:
    """Run a timer until its clock stands still."""
    running = asyncio.create_task(timer.run())
    async with asyncio.timeout(PATIENCE):
        await time.stands.wait()
    running.cancel()


async def test_a_timer_runs_at_its_ticks() -> None:
    time, ran = Time(16), []

    async def handler(timer: func.TimerRequest) -> None:
        ran.append((time.now - NOON).total_seconds())

    await run(timer(time, handler), time)

    assert ran == [5, 10, 15]


async def test_a_tick_during_a_run_is_skipped() -> None:
    time, ran = Time(25), []

    async def handler(timer: func.TimerRequest) -> None:
        ran.append((time.now - NOON).total_seconds())
        time.now += timedelta(seconds=7)

    await run(timer(time, handler), time)

    assert ran == [5, 15, 25]


async def test_a_failed_run_is_logged_by_its_type_and_the_next_tick_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time, ran = Time(11), []

    async def handler(timer: func.TimerRequest) -> None:
        ran.append((time.now - NOON).total_seconds())
        raise LookupError("RSSMRA80A01H501U")

    with caplog.at_level(logging.ERROR):
        await run(timer(time, handler), time)

    assert ran == [5, 10]
    logged = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(each["event"], each["function"], each["error"]) for each in logged] == [
        ("function_failed", "tick", "LookupError")
    ] * 2
    assert "RSSMRA80A01H501U" not in caplog.text


async def test_a_tick_that_a_suspended_machine_missed_is_late() -> None:
    time, ran = Time(3600), []

    async def handler(timer: func.TimerRequest) -> None:
        ran.append((time.now - NOON).total_seconds())

    async def suspended(seconds: float) -> None:
        await time.sleep(seconds)
        time.now += timedelta(hours=2)

    await run(timer(time, handler, "0 0 13 * * *", sleep=suspended), time)

    assert ran == [7230]
