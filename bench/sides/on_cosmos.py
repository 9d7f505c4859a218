"""The sides on Cosmos DB, each on an instant gateway of its own: the archive, and FastAPI with azure-cosmos.

As a module it is the process of the latter: `python -m bench.sides.on_cosmos <connection string> <registry>`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.sides import Process, Side


@contextmanager
def _archive(folder: Path) -> Iterator[Process]:
    from bench.gateway import running_gateway
    from tests.server import running

    with running_gateway() as (connection_string, gateway), running(folder, connection_string) as server:
        yield Process(server.port, server.process.pid, (gateway,))


@contextmanager
def _fastapi(folder: Path) -> Iterator[Process]:
    # The process itself needs nothing of the archive.
    from bench.gateway import running_gateway
    from bench.sides.processes import started
    from bench.sides.registry import registry

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "registry.json"
    file.write_bytes(registry())
    with (
        running_gateway() as (connection_string, gateway),
        started("bench.sides.on_cosmos", connection_string, file) as process,
    ):
        yield replace(process, needed=(gateway,))


ARCHIVE_ON_COSMOS = Side(
    "archive-cosmos", "the archive in its development host, with its adapter of Cosmos DB", _archive
)
FASTAPI_ON_COSMOS = Side("fastapi-cosmos", "FastAPI, pydantic and azure-cosmos as it comes, on uvicorn", _fastapi)


def main() -> None:
    """Serve the data of an account."""
    from bench.peer.app import create_app
    from bench.peer.cosmos import CosmosStore
    from bench.sides.serving import serve

    connection_string, registry = sys.argv[1:]
    registered = Path(registry).read_bytes()
    serve(create_app(lambda: CosmosStore.opened(connection_string, registered)))


if __name__ == "__main__":
    main()
