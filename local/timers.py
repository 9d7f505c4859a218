"""Run a timer function on its NCRONTAB schedule, in UTC.

As in Azure, a tick during a run is skipped, and a failed run does not stop the timer.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from azure.functions.timer import TimerRequest
from croniter import croniter

from local.functions import Function, NotLoadable
from shared.bootstrap import utc_now
from shared.telemetry import log_bug

# NCRONTAB has numbers, names of three letters and * / , - only. croniter accepts more.
_FIELD = re.compile(r"(?:[0-9*/,-]|[A-Za-z]{3})+")
_LONGEST_SLEEP = 30.0  # So that a machine that was suspended checks its clock.


def next_after(schedule: str, now: datetime) -> datetime:
    """Return the first tick of a schedule after now, in UTC. Raises ValueError if there is none.

    A schedule has five fields, or six with the seconds first. Unlike in cron, a tick must match both the day of the
    month and the day of the week.
    """
    fields = schedule.split()
    if len(fields) not in (5, 6) or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError(f"{schedule!r} is not an NCRONTAB schedule")
    ticks = croniter(schedule, now.astimezone(UTC), ret_type=datetime, day_or=False, second_at_beginning=True)
    tick: datetime = ticks.get_next()
    return tick


class Timer:
    """A timer function and its schedule."""

    def __init__(
        self,
        function: Function,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._function, self._clock, self._sleep = function, clock, sleep
        self._schedule = str(function.trigger["schedule"])
        try:
            next_after(self._schedule, clock())
        except ValueError as error:
            raise NotLoadable(f"{function.name}: {error}") from error

    async def run(self) -> None:
        """Call the function at every tick, until cancelled."""
        while True:
            tick = next_after(self._schedule, self._clock())
            while (wait := (tick - self._clock()).total_seconds()) > 0:
                await self._sleep(min(wait, _LONGEST_SLEEP))
                # If the clock was set back, an earlier tick has come near.
                tick = min(tick, next_after(self._schedule, self._clock()))
            try:
                await self._function.call(TimerRequest())
            except Exception as error:  # noqa: BLE001  The next run is independent of this one.
                log_bug("function_failed", error, function=self._function.name)
