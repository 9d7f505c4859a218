"""An account of Cosmos DB for `make run-azure`: a double in this process, its data in a file, or an emulator's."""

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

from shared.settings import CosmosStore

CONTAINERS = Path(__file__).parent.parent / "infra" / "data.json"


def start_double(file: Path) -> str:
    """Run a double until this process ends; return its connection string. Raises ValueError, OSError."""
    started: Future[str] = Future()
    # In a thread with a loop of its own: where it listens is a setting, and settings are read before our loop runs.
    Thread(target=lambda: asyncio.run(_serve(file, started)), name="cosmos-double", daemon=True).start()
    return started.result()


async def make_containers(store: CosmosStore) -> None:
    """Make the containers that are missing in an account on this machine; raise StoreUnavailable."""
    from shared.adapters.cosmos_containers import create_containers

    described: dict[str, Any] = json.loads(CONTAINERS.read_text(encoding="utf-8"))
    await create_containers(store, described["containers"])


async def _serve(file: Path, started: Future[str]) -> None:
    # Not imported before it is wanted: the double is part of the tests.
    from tests.emulators.cosmos import CosmosDouble

    try:
        async with CosmosDouble.started(file, consistency="BoundedStaleness") as double:
            started.set_result(double.connection_string)
            await asyncio.Event().wait()
    except (OSError, ValueError) as error:
        started.set_exception(error)
