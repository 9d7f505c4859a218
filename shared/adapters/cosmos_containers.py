"""Makes the containers of the archive in an emulator. In Azure, infra makes them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from shared.errors import StoreUnavailable
from shared.settings import CosmosStore


async def create_containers(store: CosmosStore, containers: Mapping[str, Mapping[str, Any]]) -> None:
    """Create the database and those of the containers that are not there yet. Raises StoreUnavailable.

    Each is described as in infra/data.json: partitionKey, indexingPolicy, defaultTtl.
    """
    assert store.key is not None, "an account on this machine has a key"
    client = CosmosClient(store.endpoint, store.key)
    try:
        await client.__aenter__()
        # To find out first whether it is there would leave time for another to make it.
        with suppress(ResourceExistsError):
            await client.create_database(store.database)
        database = client.get_database_client(store.database)
        for name, made in containers.items():
            key, policy = PartitionKey(list(made["partitionKey"])), dict(made["indexingPolicy"])
            lives = {"default_ttl": made["defaultTtl"]} if "defaultTtl" in made else {}
            with suppress(ResourceExistsError):
                await database.create_container(name, key, indexing_policy=policy, **lives)
    except AzureError as error:
        raise StoreUnavailable from error
    finally:
        # Also a client that could not be opened holds a session.
        await client.close()
