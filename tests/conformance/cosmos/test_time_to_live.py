"""Time to live: an item past its time is not there, for anybody, in any way."""

from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy

from emulators.cosmos import CosmosDouble
from tests.conformance.cosmos.support import Cosmos, ask, missing, read_feed, refused, save

RENAME = [{"op": "set", "path": "/name", "value": "b"}]


async def there(container: ContainerProxy, *ids: str) -> list[str]:
    """Return which of the items are there."""
    return [id_ for id_ in ids if not await missing(container, id_, id_)]


async def test_an_item_lives_as_long_as_its_container_says(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=60)
    await save(container, {"id": "a"})

    double.advance(50)
    assert await there(container, "a") == ["a"]
    double.advance(11)
    assert await there(container, "a") == []


async def test_an_item_may_say_otherwise(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=60)
    await save(container, {"id": "brief", "ttl": 10}, {"id": "long", "ttl": 3600}, {"id": "for ever", "ttl": -1})

    double.advance(11)
    assert await there(container, "brief", "long", "for ever") == ["long", "for ever"]
    double.advance(3600)
    assert await there(container, "brief", "long", "for ever") == ["for ever"]


async def test_an_item_lives_for_ever_where_only_items_may_say(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=-1)
    await save(container, {"id": "silent"}, {"id": "brief", "ttl": 10})

    double.advance(10**8)

    assert await there(container, "silent", "brief") == ["silent"]


async def test_an_item_cannot_say_anything_where_the_container_does_not(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container()
    await save(container, {"id": "brief", "ttl": 10})

    double.advance(10**8)

    assert await there(container, "brief") == ["brief"]


async def test_a_write_starts_the_time_anew(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=60)
    await save(container, {"id": "patched"}, {"id": "replaced"}, {"id": "read"})

    double.advance(50)
    await container.patch_item("patched", "patched", RENAME)
    await container.replace_item("replaced", {"id": "replaced"})
    await container.read_item("read", "read")
    double.advance(50)

    assert await there(container, "patched", "replaced", "read") == ["patched", "replaced"]


async def test_what_has_expired_is_in_no_query_and_no_feed(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=-1)
    await save(container, {"id": "kept"}, {"id": "gone", "ttl": 10})
    double.advance(11)

    items, _ = await read_feed(container, start_time="Beginning")

    assert await ask(container, "SELECT VALUE c.id FROM c") == ["kept"]
    assert await ask(container, "SELECT VALUE c.id FROM c ORDER BY c.id") == ["kept"]
    assert await ask(container, "SELECT * FROM c", partition_key="gone") == []
    assert await ask(container, "SELECT VALUE COUNT(1) FROM c") == [1]
    assert [item["id"] async for item in container.read_all_items()] == ["kept"]
    assert [item["id"] for item in items] == ["kept"]


async def test_what_has_expired_cannot_be_changed_and_its_id_is_free(cosmos: Cosmos, double: CosmosDouble) -> None:
    container = await cosmos.make_container(default_ttl=10)
    await save(container, {"id": "a"}, {"id": "b"}, {"id": "c"})
    double.advance(11)

    with refused(404):
        await container.replace_item("a", {"id": "a"})
    with refused(404):
        await container.patch_item("a", "a", RENAME)
    with refused(404):
        await container.delete_item("a", "a")
    await container.create_item({"id": "a", "name": "again"})
    await container.upsert_item({"id": "b", "name": "again"})
    await container.execute_item_batch([("create", ({"id": "c", "name": "again"},))], "c")

    assert await ask(container, "SELECT VALUE c.name FROM c") == ["again"] * 3


@pytest.mark.parametrize("ttl", [0, -2, 1.5, "10"])
async def test_a_time_to_live_that_is_none_is_refused(cosmos: Cosmos, ttl: Any) -> None:
    container = await cosmos.make_container(default_ttl=-1)

    with refused(400):
        await container.create_item({"id": "a", "ttl": ttl})

    assert await there(container, "a") == []


@pytest.mark.parametrize("ttl", [0, -2])
async def test_a_default_time_to_live_that_is_none_is_refused(cosmos: Cosmos, ttl: int) -> None:
    with refused(400):
        await cosmos.make_container(default_ttl=ttl)


async def test_a_container_tells_its_default(cosmos: Cosmos) -> None:
    container = await cosmos.make_container(default_ttl=3600)

    assert (await container.read())["defaultTtl"] == 3600
