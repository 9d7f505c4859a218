"""A double that runs as a process of its own is made to fail, split and hurry as one in the test's own loop is."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from emulators.cosmos import CosmosDouble

ITEM = {"id": "a", "key": "k"}


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    async with CosmosDouble.started() as double:
        yield double


@pytest.fixture
async def container(double: CosmosDouble) -> AsyncIterator[ContainerProxy]:
    async with CosmosClient(double.endpoint, double.key) as client:
        database = await client.create_database("archive")
        yield await database.create_container("things", PartitionKey("/key"), default_ttl=-1)


async def at(double: CosmosDouble, method: str, path: str, body: object = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=double.endpoint) as client:
        return await client.request(method, f"/_double/{path}", json=body)


async def test_rules_are_put_in_place_of_those_in_force(double: CosmosDouble, container: ContainerProxy) -> None:
    await at(double, "PUT", "faults", [{"operation": "Create", "key": ["k"], "status": 449, "times": None}])
    with pytest.raises(CosmosHttpResponseError) as refusal:
        await container.create_item(ITEM)
    assert refusal.value.status_code == 449

    await at(double, "PUT", "faults", [])

    await container.create_item(ITEM)


async def test_a_partition_is_split(double: CosmosDouble, container: ContainerProxy) -> None:
    answer = await at(double, "POST", "split", {"database": "archive", "container": "things"})

    assert answer.json() == {"ranges": ["1", "2"]}
    assert len([part async for part in container.read_feed_ranges(force_refresh=True)]) == 2


async def test_time_passes(double: CosmosDouble, container: ContainerProxy) -> None:
    await container.create_item({**ITEM, "ttl": 60})

    await at(double, "POST", "advance", {"seconds": 61})

    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("a", "k")


async def test_the_log_is_read_and_forgotten(double: CosmosDouble, container: ContainerProxy) -> None:
    await container.create_item(ITEM)

    (logged,) = [
        request for request in (await at(double, "GET", "log")).json()["requests"] if request["operation"] == "Create"
    ]
    assert (logged["container"], logged["key"], logged["status"]) == ("things", ["k"], 201)

    await at(double, "DELETE", "log")
    assert (await at(double, "GET", "log")).json() == {"requests": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "faults", [{"unheard": "of"}], 400),
        ("PUT", "faults", "nonsense", 400),
        ("PUT", "faults", [{"operation": "Btach"}], 400),
        ("PUT", "faults", [{"drop": "sideways"}], 400),
        ("PUT", "faults", [{"status": "429"}], 400),
        ("POST", "split", {"database": "archive", "container": "absent"}, 404),
        ("POST", "split", {"database": "archive", "container": "things", "range_id": "9"}, 400),
        ("POST", "advance", {}, 400),
        ("GET", "nothing", None, 404),
    ],
)
@pytest.mark.usefixtures("container")
async def test_what_cannot_be_done_is_said(
    double: CosmosDouble, method: str, path: str, body: Any, status: int
) -> None:
    answer = await at(double, method, path, body)

    assert (answer.status_code, set(answer.json())) == (status, {"code", "message"})
