"""When a timer function runs: its NCRONTAB schedule, in UTC, one run of a function at a time.

A tick that comes while the function is still running is skipped, as on the platform; a failed run does not
hinder the next one.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from azure.functions.timer import TimerRequest
from croniter import croniter

from local.functions import Function, NotLoadable
from shared.telemetry import log_bug

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[object]]

# Figures, names of three letters and * / , - are NCRONTAB; croniter would take more than the platform does.
_FIELD = re.compile(r"(?:[0-9*/,-]|[A-Za-z]{3})+")
_LATE = timedelta(seconds=1)
_LONGEST_SLEEP = 30.0  # A machine that was suspended looks at its clock again.


def next_after(schedule: str, now: datetime) -> datetime:
    """Return the first moment of a schedule after now, in UTC; raises ValueError if there is none.

    Five fields, or six with the seconds first. Where a day of the month and a day of the week are given, both
    must hold: unlike cron, NCRONTAB reads it so.
    """
    fields = schedule.split()
    if len(fields) not in (5, 6) or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError(f"{schedule!r} is no NCRONTAB schedule")
    ticks = croniter(schedule, now.astimezone(UTC), ret_type=datetime, day_or=False, second_at_beginning=True)
    tick: datetime = ticks.get_next()
    return tick


class Timer:
    """A timer function and its schedule."""

    def __init__(self, function: Function, clock: Clock, sleep: Sleep) -> None:
        self._function, self._clock, self._sleep = function, clock, sleep
        self._schedule = str(function.trigger["schedule"])
        self._on_startup = bool(function.trigger.get("runOnStartup", False))
        try:
            next_after(self._schedule, clock())
        except ValueError as error:
            raise NotLoadable(f"{function.name}: {error}") from error

    async def run(self) -> None:
        """Run the function at every tick, and at once if it asks for that, until cancelled."""
        if self._on_startup:
            await self._fire(past_due=False)
        while True:
            due = next_after(self._schedule, self._clock())
            while (wait := (due - self._clock()).total_seconds()) > 0:
                await self._sleep(min(wait, _LONGEST_SLEEP))
            await self._fire(past_due=self._clock() - due > _LATE)

    async def _fire(self, *, past_due: bool) -> None:
        try:
            await self._function.call(TimerRequest(past_due=past_due))
        except Exception as error:  # noqa: BLE001  The next tick comes whatever this one did.
            log_bug("function_failed", error, function=self._function.name)
