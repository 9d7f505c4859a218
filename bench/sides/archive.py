"""The archive: `python -m local` on its embedded store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.sides import Process, Side
from tests.server import running


@contextmanager
def _start(folder: Path) -> Iterator[Process]:
    with running(folder) as server:
        yield Process(server.port, server.process.pid)


ARCHIVE = Side("archive", "the archive in its development host, on its embedded store", _start)
