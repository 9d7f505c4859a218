"""Long lists of the embedded store: they look at many rows, so each runs in a thread on a connection to read.

A few run at once. The next one is of the institution that has the fewest running, and an institution leaves as many
connections free as it uses: its slow lists do not hold up the lists of another. A list is interrupted when its caller
does not wait any more.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from shared.adapters.sqlite_file import connect_to_read
from shared.adapters.sqlite_reads import Reads, Row
from shared.errors import StoreUnavailable

AT_ONCE = 4
"""Lists that run at the same time, at most."""


class Lists:
    """Runs statements in threads, a few at once, in fair turns. To be made and used on one event loop."""

    def __init__(self, path: Path) -> None:
        self._free = [connect_to_read(path) for _ in range(AT_ONCE)]
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lists")
        self._waiting: list[_List] = []
        self._running: dict[_List, sqlite3.Connection] = {}
        self._is_closed = False

    async def select(self, institution: str, statement: str, values: Sequence[object]) -> list[Row]:
        """Return all rows of the statement, once it is the turn of the institution. Raises StoreUnavailable."""
        if self._is_closed:
            raise StoreUnavailable
        wanted = _List(institution, statement, values, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        self._start()
        try:
            return await wanted.rows
        except asyncio.CancelledError:
            self._abandon(wanted)
            raise
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    @property
    def are_idle(self) -> bool:
        """Return whether no list runs. Then none waits either."""
        return not self._running

    async def close(self) -> None:
        """Interrupt all lists, wait for their threads, then close the connections.

        The order matters: SQLite crashes when a connection is closed while a thread uses it.
        """
        self._is_closed = True
        for wanted in self._waiting:
            wanted.fail(StoreUnavailable())
        self._waiting.clear()
        for wanted in self._running:
            self._abandon(wanted)
        await asyncio.gather(*(wanted.has_stopped.wait() for wanted in self._running))
        while self._free:
            self._free.pop().close()
        self._threads.shutdown()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while self._free and (wanted := self._next()):
            self._waiting.remove(wanted)
            self._running[wanted] = connection = self._free.pop()
            thread = loop.run_in_executor(self._threads, wanted.run, connection)
            thread.add_done_callback(partial(self._stopped, wanted))

    def _next(self) -> "_List | None":
        """Return the list whose turn it is, if it may take one of the free connections."""
        running = Counter(each.institution for each in self._running)
        first = min(self._waiting, key=lambda each: running[each.institution], default=None)
        return first if first and running[first.institution] < len(self._free) else None

    def _stopped(self, wanted: "_List", thread: "asyncio.Future[list[Row]]") -> None:
        self._free.append(self._running.pop(wanted))
        wanted.has_stopped.set()
        if error := thread.exception():
            wanted.fail(error)
        elif not wanted.rows.done():
            wanted.rows.set_result(thread.result())
        if not self._is_closed:
            self._start()

    def _abandon(self, wanted: "_List") -> None:
        """Stop the list. Its connection is free again once its thread has ended."""
        if wanted in self._waiting:
            self._waiting.remove(wanted)
        elif connection := self._running.get(wanted):
            connection.interrupt()
            # The thread may not have begun its statement, and then there was nothing to interrupt.
            asyncio.get_running_loop().call_later(0.01, self._abandon, wanted)


class BriefLists:
    """Runs a list on the event loop, and in a thread if it turns out to be long. Most lists are brief."""

    def __init__(self, reads: Reads, lists: Lists) -> None:
        self._reads = reads
        self._lists = lists

    async def select(self, institution: str, statement: str, values: Sequence[object]) -> list[Row]:
        """Return all rows of the statement. Raises StoreUnavailable."""
        rows = self.select_briefly(statement, values)
        return await self._lists.select(institution, statement, values) if rows is None else rows

    def select_briefly(self, statement: str, values: Sequence[object]) -> list[Row] | None:
        """Return the rows, None if the list is not brief, or a long one is running. Raises StoreUnavailable."""
        self._reads.check_file()
        # Of many long lists at once, only the first one takes time of the loop.
        return self._reads.select_if_brief(statement, values) if self._lists.are_idle else None


@dataclass(eq=False)
class _List:
    """One statement, and the rows that its caller waits for, unless the caller is gone."""

    institution: str
    statement: str
    values: Sequence[object]
    rows: "asyncio.Future[list[Row]]"
    has_stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def run(self, connection: sqlite3.Connection) -> list[Row]:
        """Return the rows. In a thread."""
        with closing(connection.execute(self.statement, self.values)) as rows:
            return rows.fetchall()

    def fail(self, error: BaseException) -> None:
        """Give the error to the caller, unless it is gone."""
        if not self.rows.done():
            self.rows.set_exception(error)
