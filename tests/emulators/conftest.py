"""A double with one container and one item, and a client that sends what a test wants."""

from collections.abc import AsyncIterator

import httpx
import pytest

from emulators.cosmos import CosmosDouble
from tests.emulators.plain_client import CONTAINER, DOCS, ITEM, Client


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield a double that takes a token in place of a signature."""
    async with CosmosDouble.started(token="t") as double:
        yield double


@pytest.fixture
async def client(double: CosmosDouble) -> AsyncIterator[Client]:
    """Yield a client of a container with one item."""
    signed = {"authorization": "type%3Daad%26ver%3D1.0%26sig%3Dt"}
    async with httpx.AsyncClient(base_url=double.endpoint, headers=signed) as http:
        client = Client(http)
        assert (await client.send("POST", "/dbs", {"id": "archive"})).status_code == 201
        assert (await client.send("POST", "/dbs/archive/colls", CONTAINER)).status_code == 201
        assert (await client.send("POST", DOCS, ITEM)).status_code == 201
        yield client
