"""Queues the writers of one notice, so that each of them decides on the version that the one before it left.

Without a queue the writers that lose a race load and decide again together, and most of them lose again. A queue is
for one process only. Between processes the store decides (ADR 8).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from shared.domain.notice import Address
from shared.errors import TryAgain

SHARE_OF_WAITING = 0.8
"""Of the time of a request. The rest is for the save, so that a request that gives up waiting has written nothing."""


class Turns:
    """A fair queue for each notice that is being written. `longest_request` is the time that a request has."""

    def __init__(self, longest_request: timedelta) -> None:
        self._patience = longest_request.total_seconds() * SHARE_OF_WAITING
        # A lock lives as long as a writer holds it or waits for it.
        self._locks: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, address: Address) -> AsyncIterator[None]:
        """Let the writer of a notice in, after those that came before; raise TryAgain if that takes too long."""
        lock = self._locks.get(address)
        if lock is None:
            self._locks[address] = lock = asyncio.Lock()
            await lock.acquire()
        else:
            # It may be unlocked and still belong to a writer that was just woken.
            await self._wait_for(lock)
        try:
            yield
        finally:
            lock.release()

    async def _wait_for(self, lock: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise TryAgain from error
