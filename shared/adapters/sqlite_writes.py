"""Writes of the embedded store: those that come while a commit is in progress are the next one, each with its outcome.

One flush to disk serves them all. Writes keep the order in which they came, also while they wait for another process.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from shared.adapters.sqlite_checkpoints import Checkpoints
from shared.adapters.sqlite_file import OpenFile, is_busy
from shared.errors import StoreUnavailable

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

    def prepare(self, db: sqlite3.Connection) -> bool:
        """Do what needs no transaction. Return whether there is anything to write. Raises VersionConflict.

        It runs before each attempt, and what fails here fails alone.
        """
        return True

    @abstractmethod
    def run(self, db: sqlite3.Connection) -> Exception | None:
        """Write inside the transaction of the group. Return why nothing was written, if another writer came first."""

    def finish(self, outcome: Exception | None) -> None:
        """Give the outcome to the caller, unless it is gone."""
        if not self.done.done():
            self.done.set_result(None) if outcome is None else self.done.set_exception(outcome)


class Writes:
    """Commits writes in groups. To be made and used on one event loop.

    A thread makes the commits, and the loop goes on meanwhile. The writes that come meanwhile are the next group.
    """

    def __init__(self, db: sqlite3.Connection, file: OpenFile, patience: timedelta, checkpoints: Checkpoints) -> None:
        self._db = db
        self._file = file
        self._patience = patience.total_seconds()
        self._checkpoints = checkpoints
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commits")
        self._waiting: list[Write] = []
        self._committing: asyncio.Task[None] | None = None

    async def add(self, write: Write) -> None:
        """Return when the write is committed. Raises StoreUnavailable, and the error that its `run` returns."""
        loop = asyncio.get_running_loop()
        write.done, write.give_up_at = loop.create_future(), loop.time() + self._patience
        self._waiting.append(write)
        if self._committing is None:
            self._committing = loop.create_task(self._commit_all(), name="commits")
        await write.done

    async def close(self) -> None:
        """Commit the waiting writes."""
        if self._committing is not None:
            await self._committing
        self._thread.shutdown()

    async def _commit_all(self) -> None:
        """Commit the writes that wait, and those that come meanwhile, group by group."""
        try:
            while waiting := _still_wanted(self._waiting):
                group, self._waiting = waiting[:GROUP], waiting[GROUP:]
                busy = await self._commit(group)
                self._waiting = busy + self._waiting
                if busy:
                    await asyncio.sleep(_PAUSE)
        finally:
            self._committing = None

    def _prepared(self, group: list[Write]) -> list[Write]:
        """Prepare the writes. Return those that have something to write, and finish the others."""
        left: list[Write] = []
        for write in group:
            try:
                if write.prepare(self._db):
                    left.append(write)
                else:
                    write.finish(None)
            except Exception as error:
                if is_busy(error):
                    raise
                write.finish(_unavailable(error) if isinstance(error, sqlite3.Error) else error)
        return left

    async def _commit(self, group: list[Write]) -> list[Write]:
        """Commit the writes together and finish each. Return those that have to wait for another process."""
        try:
            self._file.check_before_write()
            if not (group := self._prepared(group)):
                return []
            self._db.execute("BEGIN IMMEDIATE")
            changes = self._db.total_changes
            outcomes = [write.run(self._db) for write in group]
            if self._db.total_changes == changes:
                self._db.execute("COMMIT")  # there is nothing to flush
            else:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._db.execute, "COMMIT")
        except Exception as error:  # noqa: BLE001  each caller gets it, of any type
            self._roll_back()
            failure = error
        else:
            for write, outcome in zip(group, outcomes, strict=True):
                write.finish(outcome)
            await self._checkpoints.committed(len(group))
            return []
        if is_busy(failure):
            for write in group:
                write.hindrance = failure
            return group
        if len(group) > 1:
            return await self._commit_each(group)
        group[0].finish(_unavailable(failure) if isinstance(failure, sqlite3.Error) else failure)
        return []

    async def _commit_each(self, group: list[Write]) -> list[Write]:
        """Commit one by one, because a write that fails must not take the others with it."""
        for index, write in enumerate(group):
            if busy := await self._commit([write]):
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
