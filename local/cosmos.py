"""Cosmos DB for `make run-azure`: starts a double in this process, and makes the containers of an emulator."""

import json
from pathlib import Path
from typing import Any

from local import doubles
from shared.settings import CosmosStore

CONTAINERS = Path(__file__).parent.parent / "infra" / "data.json"


def start_double(file: Path) -> str:
    """Run a double until this process ends, and return its connection string. Raises ValueError, OSError."""
    # A host on an account needs no double.
    from emulators.cosmos import CosmosDouble

    return doubles.start("cosmos", file, lambda: CosmosDouble.started(file, consistency="BoundedStaleness"))


async def make_containers(store: CosmosStore) -> None:
    """Make the missing containers of an account on this machine. Raises StoreUnavailable."""
    from shared.adapters.cosmos_containers import create_containers

    described: dict[str, Any] = json.loads(CONTAINERS.read_text(encoding="utf-8"))
    await create_containers(store, described["containers"])
