"""Queues the writers of one notice, so that each of them decides on the version that the one before it left.

Without a queue the writers that lose a race load and decide again together, and most of them lose again. A queue is
for one process only. Between processes the store decides (ADR 8).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from weakref import WeakValueDictionary

from shared.domain.notice import Address
from shared.errors import TryAgain

SHARE_OF_SAVING = 0.2
"""Of the time of a request. A turn that comes later is not begun: a request that gives up has then written nothing."""

request_ends_at: ContextVar[float | None] = ContextVar("request_ends_at", default=None)
"""When the time of the current request is over, by the clock of the event loop; None outside of requests."""


class Turns:
    """A fair queue for each notice that is being written. `longest_request` is the time that a request has."""

    def __init__(self, longest_request: timedelta) -> None:
        self._longest = longest_request.total_seconds()
        # A lock lives as long as a writer holds it or waits for it.
        self._locks: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, address: Address) -> AsyncIterator[None]:
        """Let the writer of a notice in, after those that came before; raise TryAgain if that takes too long."""
        loop = asyncio.get_running_loop()
        begin_before = (request_ends_at.get() or loop.time() + self._longest) - self._longest * SHARE_OF_SAVING
        lock = self._locks.get(address)
        if lock is None:
            self._locks[address] = lock = asyncio.Lock()
            await lock.acquire()
        else:
            # It may be unlocked and still belong to a writer that was just woken.
            await _wait_for(lock, begin_before)
        try:
            if loop.time() > begin_before:
                raise TryAgain
            yield
        finally:
            lock.release()


async def _wait_for(lock: asyncio.Lock, until: float) -> None:
    try:
        async with asyncio.timeout_at(until):
            await lock.acquire()
    except TimeoutError as error:
        raise TryAgain from error
