"""Whether the store works, and how far behind the relay is. Each is asked at most once a second, and briefly."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.errors import StoreUnavailable
from shared.telemetry import log_bug

INTERVAL = timedelta(seconds=1)
"""Between two questions. In between, every request gets the last answer."""
PATIENCE = 0.8
"""Seconds to wait for the store, so that the answer is there within a second."""

Answer = TypeVar("Answer")
Clock = Callable[[], datetime]


class StoreHealth:
    """Whether the store reads and writes. `ping` asks it."""

    def __init__(self, ping: Callable[[datetime], Awaitable[None]], clock: Clock) -> None:
        self._ping = ping
        self._question = _Question(self._ask, clock)

    async def check(self) -> None:
        """Return if the store reads and writes. Raises StoreUnavailable."""
        fault = await self._question.answer()
        if fault is not None:
            raise StoreUnavailable from fault

    async def _ask(self, now: datetime) -> Exception | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._ping(now)
        except (StoreUnavailable, TimeoutError) as fault:
            return fault
        return None


class RelayHealth:
    """How long the oldest event waits to be sent. `waiting_since` returns when that event was recorded."""

    def __init__(self, waiting_since: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._waiting_since = waiting_since
        self._question = _Question(self._ask, clock)

    async def oldest_unsent_seconds(self) -> float | None:
        """Return the age of the oldest event that is not sent yet. 0 if all are sent, None if it is not known now."""
        return await self._question.answer()

    async def _ask(self, now: datetime) -> float | None:
        try:
            async with asyncio.timeout(PATIENCE):
                since = await self._waiting_since()
        except (StoreUnavailable, TimeoutError):
            return None
        except Exception as error:  # noqa: BLE001  the store works, whatever is wrong with a checkpoint
            log_bug("relay_health_failed", error)
            return None
        return 0.0 if since is None else max(0.0, (now - since).total_seconds())


class _Question(Generic[Answer]):
    """The last answer to a question, or the question that is on its way."""

    def __init__(self, ask: Callable[[datetime], Awaitable[Answer]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._asked_at: datetime | None = None
        self._task: asyncio.Task[Answer] | None = None

    async def answer(self) -> Answer:
        """Return an answer that is not older than the interval."""
        now = self._clock()
        # A negative age is a clock that was set back.
        if self._task is None or self._asked_at is None or not timedelta(0) <= now - self._asked_at < INTERVAL:
            self._asked_at = now
            self._task = asyncio.create_task(_awaited(self._ask(now)))
        return await asyncio.shield(self._task)


async def _awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer
