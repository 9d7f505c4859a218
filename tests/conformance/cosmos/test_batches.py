"""A batch: operations on one logical partition, all of them or none."""

import asyncio

import pytest
from azure.cosmos.exceptions import CosmosBatchOperationError

from tests.conformance.cosmos.support import (
    Cosmos,
    Document,
    a_notice,
    an_event,
    ask,
    content,
    key_of,
    large_bodies,
    missing,
    refused,
    save,
    statuses,
)

STALE = '"00000000-0000-0000-0000-000000000000"'
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]


async def test_each_operation_is_answered_in_its_place(cosmos: Cosmos, institution: str) -> None:
    notice, event = a_notice(institution), an_event(a_notice(institution))

    answers = await cosmos.notices.execute_item_batch(
        [
            ("create", (notice,)),
            ("upsert", (event,)),
            ("upsert", ({**event, "version": 2},)),
            ("read", ("event-00000001",)),
            ("replace", ("notice", {**notice, "amount": 1})),
            ("patch", ("notice", PAID)),
            ("delete", ("event-00000001",)),
        ],
        key_of(notice),
    )

    assert [answer["statusCode"] for answer in answers] == [201, 201, 200, 200, 200, 200, 204]
    assert content(await cosmos.notices.read_item("notice", key_of(notice))) == {
        **notice,
        "amount": 1,
        "status": "PAID",
    }
    assert await missing(cosmos.notices, "event-00000001", key_of(notice))


async def test_an_answer_holds_the_item_and_its_etag(cosmos: Cosmos, institution: str) -> None:
    notice, event = a_notice(institution), an_event(a_notice(institution))

    created, _, read, deleted = await cosmos.notices.execute_item_batch(
        [("create", (notice,)), ("create", (event,)), ("read", ("notice",)), ("delete", ("event-00000001",))],
        key_of(notice),
    )

    item = await cosmos.notices.read_item("notice", key_of(notice))
    assert created["resourceBody"] == read["resourceBody"] == item
    assert created["eTag"] == read["eTag"] == item["_etag"]
    assert deleted.get("resourceBody") is None


async def test_an_operation_sees_what_those_before_it_did(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)

    _, patched, read, deleted, again = await cosmos.notices.execute_item_batch(
        [
            ("create", (notice,)),
            ("patch", ("notice", PAID)),
            ("read", ("notice",)),
            ("delete", ("notice",)),
            ("create", ({**notice, "status": "CLOSED"},)),
        ],
        key_of(notice),
    )

    assert read["resourceBody"]["status"] == "PAID"
    assert read["eTag"] == patched["eTag"]
    assert (deleted["statusCode"], again["statusCode"]) == (204, 201)
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["status"] == "CLOSED"


async def test_a_batch_whose_fifth_operation_fails_leaves_nothing(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    key = key_of(notice)
    await save(cosmos.notices, notice, an_event(notice, 1), an_event(notice, 5))
    before = await ask(cosmos.notices, "SELECT * FROM c", partition_key=key)

    with refused(409) as refusal:
        await cosmos.notices.execute_item_batch(
            [
                ("create", (an_event(notice, 2),)),
                ("replace", ("notice", {**notice, "status": "PAID"})),
                ("delete", ("event-00000001",)),
                ("upsert", (an_event(notice, 4),)),
                ("create", (an_event(notice, 5),)),
                ("create", (an_event(notice, 6),)),
                ("patch", ("notice", PAID)),
            ],
            key,
        )

    assert statuses(refusal) == [424, 424, 424, 424, 409, 424, 424]
    assert isinstance(refusal.value, CosmosBatchOperationError)
    assert refusal.value.error_index == 4
    assert await ask(cosmos.notices, "SELECT * FROM c", partition_key=key) == before


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        (("create", ({"id": "notice"},)), 409),
        (("read", ("absent",)), 404),
        (("delete", ("absent",)), 404),
        (("patch", ("absent", PAID)), 404),
        (("replace", ("absent", {"id": "absent"})), 404),
        (("patch", ("notice", [{"op": "remove", "path": "/absent"}])), 400),
        (("create", ({},)), 400),
    ],
    ids=str,
)
async def test_an_operation_that_fails_alone_fails_the_batch_around_it(
    cosmos: Cosmos, institution: str, operation: tuple[str, tuple[object, ...]], status: int
) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    name, values = operation
    in_its_place = tuple(_in_partition(value, notice) for value in values)

    with refused(status) as refusal:
        await cosmos.notices.execute_item_batch(
            [("create", (an_event(notice, 1),)), (name, in_its_place), ("create", (an_event(notice, 2),))],
            key_of(notice),
        )

    assert statuses(refusal) == [424, status, 424]
    assert await ask(cosmos.notices, "SELECT VALUE c.id FROM c", partition_key=key_of(notice)) == ["notice"]


async def test_the_etag_that_an_operation_demands_is_compared(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    paid = a_notice(institution, status="PAID")

    answers = await cosmos.notices.execute_item_batch(
        [("create", (an_event(created),)), ("replace", ("notice", paid), {"if_match_etag": created["_etag"]})],
        key_of(created),
    )

    assert [answer["statusCode"] for answer in answers] == [201, 200]
    assert (await cosmos.notices.read_item("notice", key_of(created)))["_etag"] == answers[1]["eTag"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("replace", ("notice", {"id": "notice", "status": "PAID"})),
        ("upsert", ({"id": "notice", "status": "PAID"},)),
        ("patch", ("notice", PAID)),
        ("delete", ("notice",)),
    ],
)
async def test_an_operation_under_a_stale_etag_fails_the_batch(
    cosmos: Cosmos, institution: str, name: str, values: tuple[object, ...]
) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))
    in_its_place = tuple(_in_partition(value, created) for value in values)

    with refused(412) as refusal:
        await cosmos.notices.execute_item_batch(
            [("create", (an_event(created),)), (name, in_its_place, {"if_match_etag": STALE})], key_of(created)
        )

    assert statuses(refusal) == [424, 412]
    assert await ask(cosmos.notices, "SELECT * FROM c", partition_key=key_of(created)) == [created]


async def test_a_patch_in_a_batch_is_made_only_where_its_predicate_holds(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    with refused(412) as refusal:
        await cosmos.notices.execute_item_batch(
            [
                ("create", (an_event(notice),)),
                ("patch", ("notice", PAID), {"filter_predicate": "FROM c WHERE c.status = 'PAID'"}),
            ],
            key_of(notice),
        )
    await cosmos.notices.execute_item_batch(
        [("patch", ("notice", PAID), {"filter_predicate": "FROM c WHERE c.status = 'ACTIVE'"})], key_of(notice)
    )

    assert statuses(refusal) == [424, 412]
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["status"] == "PAID"


async def test_the_sdk_takes_the_conditions_out_of_the_list_it_is_given(cosmos: Cosmos, institution: str) -> None:
    """So the same list sent again has lost them: a batch must be written anew for each attempt."""
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    condition: Document = {"if_match_etag": STALE}
    operations = [("replace", ("notice", {**notice, "status": "PAID"}), condition)]

    with refused(412):
        await cosmos.notices.execute_item_batch(operations, key_of(notice))

    assert condition == {}
    assert len(await cosmos.notices.execute_item_batch(operations, key_of(notice))) == 1


async def test_a_batch_has_a_hundred_operations_at_most(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    creations = [("create", (an_event(notice, version),)) for version in range(101)]

    with refused(400):
        await cosmos.notices.execute_item_batch(creations, key_of(notice))
    assert await ask(cosmos.notices, "SELECT VALUE COUNT(1) FROM c", partition_key=key_of(notice)) == [0]

    assert len(await cosmos.notices.execute_item_batch(creations[:100], key_of(notice))) == 100


async def test_a_batch_without_operations_is_refused(cosmos: Cosmos, institution: str) -> None:
    with refused(400):
        await cosmos.notices.execute_item_batch([], key_of(a_notice(institution)))


@large_bodies
async def test_a_batch_has_two_megabytes_at_most(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    creations = [("create", ({**an_event(notice, version), "text": "x" * 800_000},)) for version in range(3)]

    with refused(413):
        await cosmos.notices.execute_item_batch(creations, key_of(notice))

    assert await missing(cosmos.notices, "event-00000000", key_of(notice))
    await cosmos.notices.execute_item_batch(creations[:2], key_of(notice))


async def test_a_batch_holds_items_of_its_own_partition_only(cosmos: Cosmos, institution: str) -> None:
    notice, another = a_notice(institution, 1), a_notice(institution, 2)

    with refused(400):
        await cosmos.notices.execute_item_batch([("create", (notice,)), ("create", (another,))], key_of(notice))

    assert await missing(cosmos.notices, "notice", key_of(notice))
    assert await missing(cosmos.notices, "notice", key_of(another))


async def test_a_batch_does_not_see_the_items_of_another_partition(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution, 1)
    await cosmos.notices.create_item(notice)

    with refused(404):
        await cosmos.notices.execute_item_batch([("read", ("notice",))], key_of(a_notice(institution, 2)))


async def test_a_batch_under_a_part_of_the_key_is_refused(cosmos: Cosmos, institution: str) -> None:
    with refused(400):
        await cosmos.notices.execute_item_batch([("create", (a_notice(institution),))], [institution])


async def test_a_batch_may_only_read(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await save(cosmos.notices, notice, an_event(notice))

    answers = await cosmos.notices.execute_item_batch(
        [("read", ("event-00000001",)), ("read", ("notice",))], key_of(notice)
    )

    assert [content(answer["resourceBody"]) for answer in answers] == [an_event(notice), notice]


async def test_of_many_batches_that_create_one_event_one_is_made(
    cosmos: Cosmos, other: Cosmos, institution: str
) -> None:
    """The archive's law: the next event is created in the batch that changes the notice, so one writer wins."""
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    outcomes = await asyncio.gather(
        *(
            client.notices.execute_item_batch(
                [("create", ({**an_event(notice), "by": n},)), ("replace", ("notice", {**notice, "amount": n}))],
                key_of(notice),
            )
            for n, client in enumerate((cosmos, other) * 8)
        ),
        return_exceptions=True,
    )

    won = [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    lost = [outcome.status_code for outcome in outcomes if isinstance(outcome, CosmosBatchOperationError)]
    assert (len(won), lost) == (1, [409] * 15)
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["amount"] == won[0]
    assert (await cosmos.notices.read_item("event-00000001", key_of(notice)))["by"] == won[0]


def _in_partition(value: object, notice: Document) -> object:
    """Return a body with the key of the notice; anything else as it is."""
    key = {name: notice[name] for name in ("creditorInstitution", "noticeNumber")}
    return {**key, **value} if isinstance(value, dict) else value
