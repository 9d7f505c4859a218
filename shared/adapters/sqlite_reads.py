"""Reads of the embedded store on the event loop: those that look at few rows, because a thread costs more than they do.

Other requests wait meanwhile. So a list is interrupted when it turns out to be long.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

from shared.adapters.sqlite_file import OpenFile, connect_to_read
from shared.errors import StoreUnavailable

BRIEF = 0.003
"""Seconds that a list may take on the loop."""
_STEPS = 1000
"""Steps of SQLite between two looks at the clock: some fifty microseconds."""

Row = tuple[Any, ...]


class Reads:
    """The connection of the event loop."""

    def __init__(self, path: Path, file: OpenFile) -> None:
        self._db = connect_to_read(path)
        self._file = file
        self._ends_at = inf
        self._db.set_progress_handler(lambda: monotonic() > self._ends_at, _STEPS)

    def check_file(self) -> None:
        """Raise StoreUnavailable if the path does not lead to the open file any more."""
        self._file.check()

    def select(self, statement: str, values: Sequence[object]) -> list[Row]:
        """Return the rows of a statement that looks at few. Raises StoreUnavailable."""
        self._file.check()
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    def select_if_brief(self, statement: str, values: Sequence[object]) -> list[Row] | None:
        """Return the rows of a statement, None if it takes too long for the loop. Raises StoreUnavailable."""
        self._ends_at = monotonic() + BRIEF
        try:
            return self.select(statement, values)
        except StoreUnavailable as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                raise
            return None
        finally:
            self._ends_at = inf

    @contextmanager
    def rows(self, statement: str, values: Sequence[object]) -> Iterator[sqlite3.Cursor]:
        """Yield the rows of a statement one by one. Raises StoreUnavailable."""
        self._file.check()
        try:
            yield self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    def close(self) -> None:
        """Close the connection."""
        self._db.close()
