"""Whether the store works: asks it at most once a second, and waits for it less than a second."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from shared.errors import StoreUnavailable

INTERVAL = timedelta(seconds=1)
"""Between two questions to the store. In between, every request gets the last answer."""
PATIENCE = 0.8
"""Seconds to wait for the store, so that the answer is there within a second."""


class StoreHealth:
    """The last answer of a store to a ping, or the ping that is on its way."""

    def __init__(self, ping: Callable[[datetime], Awaitable[None]], clock: Callable[[], datetime]) -> None:
        self._ping = ping
        self._clock = clock
        self._asked_at: datetime | None = None
        self._fault: asyncio.Task[Exception | None] | None = None

    async def check(self) -> None:
        """Return if the store reads and writes. Raises StoreUnavailable."""
        now = self._clock()
        # A negative age is a clock that was set back.
        if self._fault is None or self._asked_at is None or not timedelta(0) <= now - self._asked_at < INTERVAL:
            self._asked_at = now
            self._fault = asyncio.create_task(self._ask(now))
        fault = await asyncio.shield(self._fault)
        if fault is not None:
            raise StoreUnavailable from fault

    async def _ask(self, now: datetime) -> Exception | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._ping(now)
        except (StoreUnavailable, TimeoutError) as fault:
            return fault
        return None
