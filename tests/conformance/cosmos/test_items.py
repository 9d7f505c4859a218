"""An item: created once, read as it was written, replaced, patched, deleted, and refused when it is not an item."""

from typing import Any

import pytest

from tests.conformance.cosmos.support import (
    ARCHIVE,
    Cosmos,
    Document,
    a_name,
    a_notice,
    ask,
    content,
    key_of,
    large_bodies,
    missing,
    read_feed,
    refused,
    save,
)

MEGABYTE = 1024 * 1024
ODD_IDS = ["a b", "città ✓", "a+b", "100%", "%2F", "it's", 'a"b', "a&b=c", "a:b@c;d,e", "(a)[b]{c}", "😀"]
FORBIDDEN = ["a/b", "a\\b", "a?b", "a#b"]


async def test_an_item_is_read_as_it_was_created(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(
        institution,
        debtor={"fullName": "Zoë D'Angiò 😀", "tags": [], "emails": ["a@b.it", None]},
        nothing=None,
        numbers=[0, -1, 0.1, 9007199254740991, 1e21, True, False],
        text='line\nbreak, "quotes", back\\slash, \u2028',
    )

    created = await cosmos.notices.create_item(notice)

    assert content(created) == notice
    assert content(await cosmos.notices.read_item("notice", key_of(notice))) == notice


async def test_an_item_is_read_with_what_the_service_adds(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))

    read = await cosmos.notices.read_item("notice", key_of(created))

    assert {"_rid", "_self", "_etag", "_ts"} <= read.keys()
    assert read == created
    assert isinstance(read["_ts"], int)


async def test_the_etag_comes_in_the_headers_as_well(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))

    assert created.get_response_headers()["etag"] == created["_etag"]


async def test_a_write_that_wants_no_body_back_is_answered_with_the_etag_alone(
    cosmos: Cosmos, institution: str
) -> None:
    notice = a_notice(institution)

    created = await cosmos.notices.create_item(notice, no_response=True)

    read = await cosmos.notices.read_item("notice", key_of(notice))
    assert dict(created) == {}
    assert created.get_response_headers()["etag"] == read["_etag"]


async def test_an_id_that_is_there_cannot_be_created_again(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    with refused(409):
        await cosmos.notices.create_item({**notice, "amount": 1})

    assert content(await cosmos.notices.read_item("notice", key_of(notice))) == notice


async def test_an_item_that_is_not_there_is_not_found(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)

    with refused(404):
        await cosmos.notices.read_item("notice", key_of(notice))


async def test_a_container_that_is_not_there_is_not_found(cosmos: Cosmos) -> None:
    with refused(404):
        await cosmos.database.get_container_client(a_name()).read_item("a", "a")


async def test_a_container_cannot_be_created_twice(cosmos: Cosmos) -> None:
    container = await cosmos.make_container()
    properties = await container.read()

    with refused(409):
        await cosmos.database.create_container(container.id, properties["partitionKey"])


async def test_a_container_keeps_the_policy_it_was_made_with(cosmos: Cosmos) -> None:
    properties = await cosmos.notices.read()

    wanted = ARCHIVE["notices"]
    policy = properties["indexingPolicy"]
    assert {path["path"] for path in wanted["indexingPolicy"]["includedPaths"]} <= {
        path["path"] for path in policy["includedPaths"]
    }
    assert {"path": "/*"} in policy["excludedPaths"]
    assert policy["compositeIndexes"] == wanted["indexingPolicy"]["compositeIndexes"]
    assert properties["partitionKey"]["paths"] == wanted["partitionKey"]
    assert properties["partitionKey"]["kind"] == "MultiHash"


async def test_an_empty_container_answers_with_nothing(cosmos: Cosmos) -> None:
    container = await cosmos.make_container()

    assert [item async for item in container.read_all_items()] == []
    assert await ask(container, "SELECT * FROM c") == []
    assert await ask(container, "SELECT * FROM c ORDER BY c.id") == []
    assert await ask(container, "SELECT VALUE COUNT(1) FROM c") == [0]
    assert (await read_feed(container, start_time="Beginning"))[0] == []


async def test_every_item_of_a_container_is_listed(cosmos: Cosmos, institution: str) -> None:
    notices = [a_notice(institution, serial) for serial in range(1, 6)]
    await save(cosmos.notices, *notices)

    listed = [content(item) async for item in cosmos.notices.read_all_items()]

    assert [notice for notice in notices if notice not in listed] == []


async def test_an_upsert_creates_what_is_not_there_and_replaces_what_is(cosmos: Cosmos, institution: str) -> None:
    first = a_notice(institution)
    second = a_notice(institution, amount=..., status="PAID")

    await cosmos.notices.upsert_item(first)
    assert content(await cosmos.notices.read_item("notice", key_of(first))) == first

    await cosmos.notices.upsert_item(second)
    assert content(await cosmos.notices.read_item("notice", key_of(first))) == second


async def test_a_replacement_leaves_nothing_of_what_was_there(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution))
    second = a_notice(institution, amount=..., status="PAID")

    replaced = await cosmos.notices.replace_item("notice", second)

    assert content(replaced) == second
    assert content(await cosmos.notices.read_item("notice", key_of(second))) == second


async def test_an_item_as_it_was_read_can_be_replaced_by_itself(cosmos: Cosmos, institution: str) -> None:
    """The SDK then names the item by the address that the service gave it, not by its id."""
    created = await cosmos.notices.create_item(a_notice(institution))

    await cosmos.notices.replace_item(created, {**created, "status": "PAID"})

    assert (await cosmos.notices.read_item("notice", key_of(created)))["status"] == "PAID"


async def test_what_is_not_there_cannot_be_replaced_patched_or_deleted(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)

    with refused(404):
        await cosmos.notices.replace_item("notice", notice)
    with refused(404):
        await cosmos.notices.patch_item("notice", key_of(notice), [{"op": "set", "path": "/status", "value": "PAID"}])
    with refused(404):
        await cosmos.notices.delete_item("notice", key_of(notice))


async def test_a_deleted_item_is_gone_and_its_id_free(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    await cosmos.notices.delete_item("notice", key_of(notice))

    assert await missing(cosmos.notices, "notice", key_of(notice))
    await cosmos.notices.create_item(notice)


@pytest.mark.parametrize("id_", ODD_IDS)
async def test_an_id_may_hold_odd_characters(cosmos: Cosmos, institution: str, id_: str) -> None:
    event = a_notice(institution, id=id_)

    await cosmos.notices.create_item(event)

    assert (await cosmos.notices.read_item(id_, key_of(event)))["id"] == id_
    await cosmos.notices.patch_item(id_, key_of(event), [{"op": "set", "path": "/status", "value": "PAID"}])
    await cosmos.notices.replace_item(id_, {**event, "status": "CLOSED"})
    assert await ask(cosmos.notices, "SELECT VALUE c.id FROM c", partition_key=key_of(event)) == [id_]
    await cosmos.notices.delete_item(id_, key_of(event))
    assert await missing(cosmos.notices, id_, key_of(event))


@pytest.mark.parametrize("id_", FORBIDDEN)
async def test_an_id_that_would_break_an_address_is_refused(cosmos: Cosmos, institution: str, id_: str) -> None:
    """By the SDK before it asks; by the service where the SDK does not look, in a batch."""
    event = a_notice(institution, id=id_)

    with pytest.raises(ValueError, match="illegal chars"):
        await cosmos.notices.create_item(event)
    with refused(400):
        await cosmos.notices.execute_item_batch([("create", (event,))], key_of(event))


@pytest.mark.parametrize("id_", [..., "", 1, None, "x" * 1024], ids=["missing", "empty", "number", "null", "too long"])
async def test_an_item_without_a_proper_id_is_refused(cosmos: Cosmos, institution: str, id_: Any) -> None:
    event = a_notice(institution, id=id_)

    with refused(400):
        await cosmos.notices.execute_item_batch([("create", (event,))], key_of(event))


async def test_an_item_without_an_id_is_not_given_one(cosmos: Cosmos, institution: str) -> None:
    event = a_notice(institution, id=...)

    with refused(400):
        await cosmos.notices.create_item(event)
    with refused(400):
        await cosmos.notices.upsert_item(event)


async def test_an_id_has_1023_bytes_at_most(cosmos: Cosmos, institution: str) -> None:
    event = a_notice(institution, id="x" * 1023)

    await cosmos.notices.create_item(event)

    assert not await missing(cosmos.notices, event["id"], key_of(event))


@large_bodies
async def test_an_item_has_two_megabytes_at_most(cosmos: Cosmos, institution: str) -> None:
    largest = a_notice(institution, 1, text="x" * (2 * MEGABYTE - 2048))
    too_large = a_notice(institution, 2, text="x" * (2 * MEGABYTE))

    await cosmos.notices.create_item(largest)
    with refused(413):
        await cosmos.notices.create_item(too_large)

    assert len((await cosmos.notices.read_item("notice", key_of(largest)))["text"]) == len(largest["text"])
    assert await missing(cosmos.notices, "notice", key_of(too_large))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "set", "path": "/status", "value": "PAID"}, {"status": "PAID"}),
        ({"op": "set", "path": "/new", "value": {"a": [1]}}, {"new": {"a": [1]}}),
        ({"op": "set", "path": "/inner/a", "value": 2}, {"inner": {"a": 2, "b": None}}),
        ({"op": "set", "path": "/list/0", "value": "x"}, {"list": ["x", 20, 30]}),
        ({"op": "add", "path": "/new", "value": 1}, {"new": 1}),
        ({"op": "add", "path": "/status", "value": "PAID"}, {"status": "PAID"}),
        ({"op": "add", "path": "/list/1", "value": 15}, {"list": [10, 15, 20, 30]}),
        ({"op": "add", "path": "/list/-", "value": 40}, {"list": [10, 20, 30, 40]}),
        ({"op": "replace", "path": "/status", "value": "PAID"}, {"status": "PAID"}),
        ({"op": "replace", "path": "/list/2", "value": 31}, {"list": [10, 20, 31]}),
        ({"op": "remove", "path": "/status"}, {"status": ...}),
        ({"op": "remove", "path": "/inner/b"}, {"inner": {"a": 1}}),
        ({"op": "remove", "path": "/list/1"}, {"list": [10, 30]}),
        ({"op": "incr", "path": "/amount", "value": 5}, {"amount": 12055}),
        ({"op": "incr", "path": "/amount", "value": -0.5}, {"amount": 12049.5}),
        ({"op": "incr", "path": "/new", "value": 3}, {"new": 3}),
        ({"op": "move", "from": "/status", "path": "/inner/b"}, {"status": ..., "inner": {"a": 1, "b": "ACTIVE"}}),
    ],
    ids=str,
)
async def test_a_patch_changes_what_it_says_and_nothing_else(
    cosmos: Cosmos, institution: str, operation: Document, expected: Document
) -> None:
    changed: Document = {"inner": {"a": 1, "b": None}, "list": [10, 20, 30]}
    notice = a_notice(institution, **changed)
    await cosmos.notices.create_item(notice)

    patched = await cosmos.notices.patch_item("notice", key_of(notice), [operation])

    assert content(patched) == a_notice(institution, **(changed | expected))
    assert await cosmos.notices.read_item("notice", key_of(notice)) == patched


async def test_the_operations_of_a_patch_follow_each_other(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    patched = await cosmos.notices.patch_item(
        "notice",
        key_of(notice),
        [
            {"op": "add", "path": "/money", "value": {"paid": 1}},
            {"op": "incr", "path": "/money/paid", "value": 2},
            {"op": "move", "from": "/money/paid", "path": "/paid"},
            {"op": "remove", "path": "/money"},
        ],
    )

    assert content(patched) == {**notice, "paid": 3}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/absent"},
        {"op": "replace", "path": "/absent", "value": 1},
        {"op": "set", "path": "/absent/deeper", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "incr", "path": "/status", "value": 1},
        {"op": "move", "from": "/absent", "path": "/new"},
        {"op": "set", "path": "/_ts", "value": 1},
        {"op": "set", "path": "/_etag", "value": "mine"},
        {"op": "set", "path": "/id", "value": "another"},
        {"op": "set", "path": "/noticeNumber", "value": "another"},
        {"op": "turn", "path": "/status", "value": 1},
    ],
    ids=str,
)
async def test_a_patch_that_cannot_be_applied_is_refused_as_a_whole(
    cosmos: Cosmos, institution: str, operation: Document
) -> None:
    notice = a_notice(institution, list=[1])
    await cosmos.notices.create_item(notice)

    with refused(400):
        await cosmos.notices.patch_item(
            "notice", key_of(notice), [{"op": "set", "path": "/status", "value": "PAID"}, operation]
        )

    assert content(await cosmos.notices.read_item("notice", key_of(notice))) == notice


async def test_a_patch_has_ten_operations_at_most(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    operations = [{"op": "set", "path": f"/field{number}", "value": number} for number in range(11)]

    with refused(400):
        await cosmos.notices.patch_item("notice", key_of(notice), operations)
    patched = await cosmos.notices.patch_item("notice", key_of(notice), operations[:10])

    assert patched["field9"] == 9
    assert "field10" not in patched
