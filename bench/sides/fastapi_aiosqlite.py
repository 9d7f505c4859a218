"""FastAPI, pydantic and aiosqlite on uvicorn: the peer on SQLite, in WAL mode with a flush before each answer.

As a module it is the process: `python -m bench.sides.fastapi_aiosqlite <folder>`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.sides import Process, Side

REGISTRY = "registry.json"
"""The institutions and callers, in the folder of the side."""


@contextmanager
def _start(folder: Path) -> Iterator[Process]:
    # The process itself needs nothing of the archive.
    from bench.sides.processes import started
    from bench.sides.registry import registry

    folder.mkdir(parents=True, exist_ok=True)
    (folder / REGISTRY).write_bytes(registry())
    with started("bench.sides.fastapi_aiosqlite", folder) as process:
        yield process


FASTAPI_AIOSQLITE = Side("fastapi", "FastAPI, pydantic and aiosqlite on uvicorn", _start)


def main() -> None:
    """Serve the data of a folder."""
    from bench.peer.app import create_app
    from bench.peer.sqlite import SqliteStore
    from bench.sides.serving import serve

    folder = Path(sys.argv[1])
    registered = (folder / REGISTRY).read_bytes()
    serve(create_app(lambda: SqliteStore.opened(folder / "peer.db", registered)))


if __name__ == "__main__":
    main()
