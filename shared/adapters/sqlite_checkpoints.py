"""Checkpoints of the embedded store: they move what was committed from the write-ahead log into the file.

SQLite would make them inside the commit that fills the log, and the writes would wait. Here a thread makes them beside
the commits.
"""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from shared.adapters.sqlite_file import connect

WRITES = 2000
"""Writes after which a checkpoint is made. Few pages are moved more than once then, and the log stays small."""
GROWTH = 16 * 1024 * 1024
"""Bytes that the log grows until a checkpoint is made, if the writes are large."""
LONG = 32_768
"""Pages of a long log, 128 MiB. It is moved to its end, so that it begins anew."""


class Checkpoints:
    """Makes the checkpoints of one file. To be used on one event loop."""

    def __init__(self, path: Path) -> None:
        # Values of the instance, so that tests need not fill a log.
        self._due_after, self._growth, self._long = WRITES, GROWTH, LONG
        self._db = connect(path)
        self._log = f"{path.absolute()}-wal"
        self._size = 0
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
            await self._begin("RESTART")
            self._pages = 0
        elif self._writes >= self._due_after or self._log_size() >= self._size + self._growth:
            self._size = self._log_size()
            self._begin("PASSIVE")

    async def close(self) -> None:
        """Wait for the checkpoint that is running, and close the connection."""
        if self._running is not None:
            await self._running
        self._thread.shutdown()
        self._db.close()

    def _begin(self, mode: str) -> asyncio.Future[None]:
        self._writes = 0
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoint, mode)
        return self._running

    def _checkpoint(self, mode: str) -> None:
        with suppress(sqlite3.Error):  # reads find the rest in the log, and the next checkpoint moves it
            _, self._pages, _ = self._db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()

    def _log_size(self) -> int:
        with suppress(OSError):  # the next write sees that the file is gone
            return os.stat(self._log).st_size  # noqa: PTH116  a Path costs as much again
        return 0
