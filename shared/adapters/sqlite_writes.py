"""Writes of the embedded store: those of one tick of the event loop are committed together, each with its outcome.

One flush to disk serves them all. Writes keep the order in which they came, also while they wait for another process.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import timedelta

from shared.adapters.sqlite_file import OpenFile, is_busy
from shared.errors import StoreUnavailable
from shared.ports import VersionConflict

GROUP = 512
"""Writes in one transaction, at most."""

_PAUSE = 0.01
"""Seconds until the next attempt while another process writes."""


class Write(ABC):
    """One write of a group."""

    done: asyncio.Future[None]
    give_up_at: float
    hindrance: Exception | None = None
    """Why the last attempt has to wait."""

    @abstractmethod
    def run(self, db: sqlite3.Connection) -> VersionConflict | None:
        """Write inside the transaction of the group. Return why nothing was written, if another writer came first."""

    def finish(self, outcome: Exception | None) -> None:
        """Give the outcome to the caller, unless it is gone."""
        if not self.done.done():
            self.done.set_result(None) if outcome is None else self.done.set_exception(outcome)


class Writes:
    """Commits writes in groups. To be made and used on one event loop."""

    def __init__(self, db: sqlite3.Connection, file: OpenFile, patience: timedelta) -> None:
        self._db = db
        self._file = file
        self._patience = patience.total_seconds()
        self._waiting: list[Write] = []
        self._is_scheduled = False

    async def add(self, write: Write) -> None:
        """Return when the write is committed. Raises VersionConflict, StoreUnavailable."""
        loop = asyncio.get_running_loop()
        write.done, write.give_up_at = loop.create_future(), loop.time() + self._patience
        self._waiting.append(write)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._commit_next)
        await write.done

    async def close(self) -> None:
        """Commit the waiting writes."""
        while self._waiting:
            self._commit_next()
            await asyncio.sleep(_PAUSE if self._waiting else 0)

    def _commit_next(self) -> None:
        self._waiting = _still_wanted(self._waiting)
        group, later = self._waiting[:GROUP], self._waiting[GROUP:]
        busy = self._commit(group) if group else []
        self._waiting = busy + later
        self._is_scheduled = bool(self._waiting)
        loop = asyncio.get_running_loop()
        if busy:
            loop.call_later(_PAUSE, self._commit_next)
        elif later:
            loop.call_soon(self._commit_next)

    def _commit(self, group: list[Write]) -> list[Write]:
        """Commit the writes together and finish each. Return those that have to wait for another process."""
        try:
            self._file.check_before_write()
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [write.run(self._db) for write in group]
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  each caller gets it, of any type
            self._roll_back()
            failure = error
        else:
            for write, outcome in zip(group, outcomes, strict=True):
                write.finish(outcome)
            return []
        if is_busy(failure):
            for write in group:
                write.hindrance = failure
            return group
        if len(group) > 1:
            return self._commit_each(group)
        group[0].finish(_unavailable(failure) if isinstance(failure, sqlite3.Error) else failure)
        return []

    def _commit_each(self, group: list[Write]) -> list[Write]:
        """Commit one by one, because a write that fails must not take the others with it."""
        for index, write in enumerate(group):
            if busy := self._commit([write]):
                return busy + group[index + 1 :]
        return []

    def _roll_back(self) -> None:
        # SQLite has done it already after some errors, and what broke the commit may break this too.
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _still_wanted(waiting: list[Write]) -> list[Write]:
    """Leave out writes whose caller is gone, and give up those whose time is over: the process may have been stopped.

    Their callers may repeat them, or others may have taken their place, so nothing of them may be written now.
    """
    now = asyncio.get_running_loop().time()
    for write in waiting:
        if write.give_up_at <= now:
            write.finish(_unavailable(write.hindrance))
    return [write for write in waiting if not write.done.done()]


def _unavailable(error: Exception | None) -> StoreUnavailable:
    unavailable = StoreUnavailable()
    unavailable.__cause__ = error
    return unavailable
