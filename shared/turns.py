"""Queues the writers of one notice, so that each of them decides on the version that the one before it left.

Without a queue the writers that lose a race load and decide again together, and most of them lose again. A queue is
for one process only. Between processes the store decides (ADR 8).
"""

import asyncio
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import timedelta
from weakref import WeakValueDictionary

from shared.domain.notice import Address
from shared.errors import NotDoneInTime

request_ends_at: ContextVar[float | None] = ContextVar("request_ends_at", default=None)
"""When the time of the current request is over, by the clock of the event loop. None outside of requests."""

SHARE_OF_SAVING = 0.2
"""Of the time of a request. A turn that comes later is not begun: a request that gives up has then written nothing."""


class Turns:
    """A fair queue for each notice that is being written. `longest_request` is the time that a request has."""

    def __init__(self, longest_request: timedelta) -> None:
        self._longest = longest_request.total_seconds()
        # A lock lives as long as a writer holds it or waits for it.
        self._locks: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    def of(self, address: Address) -> "Turn":
        """Return the turn of a writer of the notice, which `async with` waits for."""
        ends_at = request_ends_at.get() or asyncio.get_running_loop().time() + self._longest
        return Turn(self._locks, address, ends_at - self._longest * SHARE_OF_SAVING)


class Turn:
    """The turn of one writer, after those that came before."""

    def __init__(self, locks: MutableMapping[Address, asyncio.Lock], address: Address, begin_before: float) -> None:
        self._locks = locks
        self._address = address
        self._begin_before = begin_before

    async def __aenter__(self) -> None:
        """Wait for the turn. Raises NotDoneInTime if that takes too long."""
        lock = self._locks.get(self._address)
        if lock is None:
            lock = self._locks[self._address] = asyncio.Lock()
            await lock.acquire()
        else:
            # It may be unlocked and still belong to a writer that was just woken.
            await self._wait_for(lock)
        self._lock = lock
        if asyncio.get_running_loop().time() > self._begin_before:
            lock.release()
            raise NotDoneInTime

    async def __aexit__(self, *_: object) -> None:
        """End the turn."""
        self._lock.release()

    async def _wait_for(self, lock: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout_at(self._begin_before):
                await lock.acquire()
        except TimeoutError as error:
            raise NotDoneInTime from error
