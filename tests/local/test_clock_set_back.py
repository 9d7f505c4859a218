"""A clock that is set back by a day does not stop the timers for a day."""

import asyncio
from datetime import timedelta

from azure.functions.timer import TimerRequest

from local.functions import Function
from local.timers import Timer
from tests.support import DAY, StillClock


async def test_a_clock_that_was_set_back_does_not_stop_a_timer() -> None:
    clock, calls = StillClock(), []

    async def function(timer: TimerRequest) -> None:
        calls.append(clock.now)

    async def sleep(seconds: float) -> None:
        if len(slept) == 3:
            clock.advance(-DAY)
        slept.append(seconds)
        clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    slept: list[float] = []
    trigger = {"type": "timerTrigger", "name": "timer", "schedule": "*/2 * * * * *"}
    running = asyncio.create_task(Timer(Function("relay", function, trigger), clock, sleep).run())
    while sum(slept) < 300:  # noqa: ASYNC110
        await asyncio.sleep(0)
    running.cancel()

    assert len(calls) > 20, f"{len(calls)} calls in five minutes"
