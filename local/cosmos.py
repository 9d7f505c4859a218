"""Cosmos DB for `make run-azure`: starts a double in this process, and makes the containers of an emulator."""

import asyncio
import atexit
import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

from shared.settings import CosmosStore

_PATIENCE = 2
"""Seconds that the double has to stop."""
CONTAINERS = Path(__file__).parent.parent / "infra" / "data.json"


def start_double(file: Path) -> str:
    """Run a double until this process ends, and return its connection string. Raises ValueError, OSError."""
    started: Future[tuple[str, Callable[[], object]]] = Future()
    # In a thread with a loop of its own: where it listens is a setting, and settings are read before our loop runs.
    thread = Thread(target=lambda: asyncio.run(_serve(file, started)), name="cosmos-double", daemon=True)
    thread.start()
    connection_string, stop = started.result()

    def end() -> None:
        stop()
        thread.join(_PATIENCE)

    # The double writes its log into its file when it stops.
    atexit.register(end)
    return connection_string


async def make_containers(store: CosmosStore) -> None:
    """Make the missing containers of an account on this machine. Raises StoreUnavailable."""
    from shared.adapters.cosmos_containers import create_containers

    described: dict[str, Any] = json.loads(CONTAINERS.read_text(encoding="utf-8"))
    await create_containers(store, described["containers"])


async def _serve(file: Path, started: Future[tuple[str, Callable[[], object]]]) -> None:
    """Serve until the stop. `started` gets the connection string and the function that stops."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    try:
        # A host on an account needs no double.
        from emulators.cosmos import CosmosDouble

        async with CosmosDouble.started(file, consistency="BoundedStaleness") as double:
            started.set_result((double.connection_string, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()
    except BaseException as error:  # noqa: BLE001  the caller gets any error of the start
        if not started.done():
            started.set_exception(error)
