"""Checkpoints of the embedded store: they move what was committed from the write-ahead log into the file.

SQLite would make them inside the commit that fills the log, and the writes would wait. Here a thread makes them beside
the commits.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from shared.adapters.sqlite_file import connect

WRITES = 2000
"""Writes after which a checkpoint is made. Few pages are moved more than once then, and the log stays small."""
LONG = 65_536
"""Pages of a long log, a quarter of a gigabyte. It is moved to its end, so that it begins anew."""


class Checkpoints:
    """Makes the checkpoints of one file. To be used on one event loop."""

    def __init__(self, path: Path, writes: int = WRITES, long: int = LONG) -> None:
        self._db = connect(path)
        self._due_after = writes
        self._long = long
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._writes = 0
        self._pages = 0
        self._running: asyncio.Future[None] | None = None

    async def committed(self, writes: int) -> None:
        """Count the writes, and begin a checkpoint if it is time. Return when the next commit may begin."""
        self._writes += writes
        if self._running is not None and not self._running.done():
            return
        if self._pages >= self._long:
            # Most pages were moved just now, beside the commits. The rest is moved without a commit beside it.
            await self._begin()
            self._pages = 0
        elif self._writes >= self._due_after:
            self._begin()

    async def close(self) -> None:
        """Wait for the checkpoint that is running, and close the connection."""
        if self._running is not None:
            await self._running
        self._thread.shutdown()
        self._db.close()

    def _begin(self) -> asyncio.Future[None]:
        self._writes = 0
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoint)
        return self._running

    def _checkpoint(self) -> None:
        with suppress(sqlite3.Error):  # reads find the rest in the log, and the next checkpoint moves it
            _, self._pages, _ = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
