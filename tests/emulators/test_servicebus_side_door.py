"""A double that runs as a process of its own is controlled over HTTP, as one in the test's own loop is by calls."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from emulators.servicebus import Counts, ServiceBusDouble
from emulators.servicebus.side_door import side_door
from tests.emulators.amqp_client import RawClient, connected

ENTITIES: dict[str, object] = {"queues": {"q": {}}}


@pytest.fixture
async def double() -> AsyncIterator[ServiceBusDouble]:
    """Yield a double with a queue."""
    async with ServiceBusDouble.started(ENTITIES) as double:
        yield double


@pytest.fixture
async def door(double: ServiceBusDouble) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of its side door."""
    async with (
        side_door(double, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/_double/") as door,
    ):
        yield door


@pytest.fixture
async def client(double: ServiceBusDouble) -> AsyncIterator[RawClient]:
    """Yield a client that has opened a connection."""
    async with connected(double) as client:
        await client.open()
        yield client


async def test_rules_are_put_in_place_of_those_in_force(double: ServiceBusDouble, door: httpx.AsyncClient) -> None:
    await door.put("faults", json=[{"operation": "Send", "drop": "after"}, {"hang": "before", "times": None}])
    assert [rule.operation for rule in double.faults.rules] == ["Send", None]

    answer = await door.put("faults", json=[])

    assert answer.json() == {"rules": 0}
    assert double.faults.rules == []


@pytest.mark.usefixtures("client")
async def test_connections_are_cut(double: ServiceBusDouble, door: httpx.AsyncClient, client: RawClient) -> None:
    assert (await door.post("cut")).json() == {"connections": 1}

    assert await client.part() is None
    async with connected(double) as again:
        await again.open()


async def test_connections_are_refused_for_a_time(
    double: ServiceBusDouble, door: httpx.AsyncClient, client: RawClient
) -> None:
    await door.post("refuse", json={"seconds": 30})

    assert await client.part() is None
    async with connected(double) as refused:
        assert await refused.part() is None


async def test_time_passes(double: ServiceBusDouble, door: httpx.AsyncClient) -> None:
    before = double._now()

    await door.post("advance", json={"seconds": 3600})

    assert double._now() - before >= 3600


async def test_messages_are_counted(door: httpx.AsyncClient) -> None:
    assert (await door.get("counts/q")).json() == {"active": 0, "locked": 0}
    assert (await door.get("counts/q/$DeadLetterQueue")).json() == {"active": 0, "locked": 0}


async def test_the_log_is_read_and_forgotten(door: httpx.AsyncClient, client: RawClient) -> None:
    await client.put_token("q")

    logged = (await door.get("log")).json()["operations"]
    assert [(one["name"], one["entity"]) for one in logged] == [
        ("Attach", "$cbs"),
        ("Attach", "$cbs"),
        ("PutToken", "q"),
    ]
    await door.delete("log")
    assert (await door.get("log")).json() == {"operations": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "faults", [{"unheard": "of"}], 400),
        ("PUT", "faults", [{"operation": "Snd", "drop": "after"}], 400),
        ("PUT", "faults", [{"operation": "Send"}], 400),
        ("PUT", "faults", [{"drop": "sideways"}], 400),
        ("PUT", "faults", "nonsense", 400),
        ("POST", "advance", {}, 400),
        ("POST", "refuse", {"minutes": 1}, 400),
        ("GET", "counts/absent", None, 404),
        ("GET", "nothing", None, 404),
    ],
)
async def test_what_cannot_be_done_is_said(
    door: httpx.AsyncClient, double: ServiceBusDouble, method: str, path: str, body: Any, status: int
) -> None:
    answer = await door.request(method, path, json=body)

    assert (answer.status_code, set(answer.json())) == (status, {"code", "message"})
    assert double.counts("q") == Counts(active=0, locked=0)
