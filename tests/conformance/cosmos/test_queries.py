"""Queries: conditions, orders over several partitions, counts, pages."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.cosmos import PartitionKey

from emulators.cosmos import CosmosDouble
from tests.conformance.cosmos.support import (
    Cosmos,
    Document,
    a_notice,
    a_number,
    an_event,
    an_institution,
    ask,
    content,
    feed_ranges,
    key_of,
    pages,
    refused,
    save,
    serials,
)

NOTICES = "SELECT * FROM c WHERE c.creditorInstitution = @institution AND c.id = 'notice'"
SHUFFLED = [5, 2, 7, 1, 8, 3, 6, 4]
ORDERS: dict[str, Callable[[Document], Any]] = {
    "c.creditorInstitution, c.noticeNumber": lambda item: item["noticeNumber"],
    "c.creditorInstitution DESC, c.noticeNumber DESC": lambda item: -int(item["noticeNumber"]),
    "c.creditorInstitution, c.dueDateKey, c.noticeNumber": lambda item: (item["dueDateKey"], item["noticeNumber"]),
    "c.creditorInstitution DESC, c.dueDateKey DESC, c.noticeNumber DESC": lambda item: (
        -int(item["dueDateKey"][-1]),
        -int(item["noticeNumber"]),
    ),
    "c.creditorInstitution, c.updatedAt, c.noticeNumber": lambda item: (item["updatedAt"], item["noticeNumber"]),
}
over_partitions = pytest.mark.parametrize("ranges", [1, 4])


def notices_of(institution: str) -> list[Document]:
    """Return eight notices of an institution in no order; some share a due date or the time of the last update."""
    return [
        a_notice(
            institution,
            serial,
            dueDateKey=f"2026-12-0{1 + serial % 3}",
            updatedAt=f"2026-11-23T10:00:0{9 - serial // 2}.000Z",
            nextChangeAt=f"2026-12-0{serial}T00:00:00.000Z",
        )
        for serial in SHUFFLED
    ]


async def an_archive(cosmos: Cosmos) -> list[str]:
    """Save the notices of four institutions, with an event beside each, and return the codes of the institutions."""
    institutions = [an_institution() for _ in range(4)]
    for institution in institutions:
        for notice in notices_of(institution):
            await cosmos.notices.execute_item_batch(
                [("create", (notice,)), ("create", (an_event(notice),))], key_of(notice)
            )
    return institutions


@over_partitions
async def test_the_notices_of_an_institution_are_found(cosmos: Cosmos) -> None:
    for institution in await an_archive(cosmos):
        found = await ask(cosmos.notices, NOTICES, {"institution": institution})

        assert sorted(map(content, found), key=ORDERS["c.creditorInstitution, c.noticeNumber"]) == sorted(
            notices_of(institution), key=ORDERS["c.creditorInstitution, c.noticeNumber"]
        )


@over_partitions
@pytest.mark.parametrize("order", ORDERS)
async def test_the_notices_of_an_institution_are_listed_in_order(cosmos: Cosmos, order: str) -> None:
    for institution in await an_archive(cosmos):
        listed = await ask(cosmos.notices, f"{NOTICES} ORDER BY {order}", {"institution": institution})

        assert serials(listed) == serials(sorted(notices_of(institution), key=ORDERS[order]))


@over_partitions
@pytest.mark.parametrize("order", ORDERS)
async def test_a_list_is_limited(cosmos: Cosmos, order: str) -> None:
    institution, *_ = await an_archive(cosmos)
    ordered = serials(sorted(notices_of(institution), key=ORDERS[order]))
    top = NOTICES.replace("SELECT", "SELECT TOP 3")

    limited = await ask(cosmos.notices, f"{NOTICES} ORDER BY {order} OFFSET 0 LIMIT 3", {"institution": institution})
    topped = await ask(cosmos.notices, f"{top} ORDER BY {order}", {"institution": institution})
    rest = await ask(cosmos.notices, f"{NOTICES} ORDER BY {order} OFFSET 6 LIMIT 3", {"institution": institution})

    assert serials(limited) == serials(topped) == ordered[:3]
    assert serials(rest) == ordered[6:]


@over_partitions
async def test_a_limit_may_be_a_parameter(cosmos: Cosmos) -> None:
    institution, *_ = await an_archive(cosmos)
    query = f"{NOTICES} ORDER BY c.creditorInstitution, c.noticeNumber OFFSET 0 LIMIT @limit"

    assert serials(await ask(cosmos.notices, query, {"institution": institution, "limit": 2})) == [1, 2]


@over_partitions
async def test_items_are_counted(cosmos: Cosmos) -> None:
    institution, another, *_ = await an_archive(cosmos)
    counted = "SELECT VALUE COUNT(1) FROM c"
    both = {"institution": institution, "another": another}

    assert await ask(cosmos.notices, counted, partition_key=[institution, a_number(1)]) == [2]
    assert await ask(cosmos.notices, counted, partition_key=[institution]) == [16]
    assert await ask(
        cosmos.notices, f"{counted} WHERE c.creditorInstitution IN (@institution, @another) AND c.id = 'notice'", both
    ) == [16]
    assert await ask(cosmos.notices, f"{counted} WHERE c.creditorInstitution = 'nobody'") == [0]


async def test_a_parameter_is_a_value_and_never_part_of_the_query(cosmos: Cosmos, institution: str) -> None:
    values: list[Any] = ["' OR 1 = 1 --", '"', "@amount", "città", 0, -1.5, True, False, None, ""]
    for serial, value in enumerate(values):
        await cosmos.notices.create_item(a_notice(institution, serial, status=value))

    for serial, value in enumerate(values):
        found = await ask(
            cosmos.notices, "SELECT * FROM c WHERE c.status = @value", {"value": value}, partition_key=[institution]
        )
        assert serials(found) == [serial]


async def test_a_property_that_is_not_there_is_neither_equal_nor_unequal_to_anything(
    cosmos: Cosmos, institution: str
) -> None:
    await save(
        cosmos.notices,
        a_notice(institution, 1, status="ACTIVE"),
        a_notice(institution, 2, status=None),
        a_notice(institution, 3, status=...),
    )

    async def found(condition: str) -> list[int]:
        query = f"SELECT * FROM c WHERE {condition}"
        return sorted(serials(await ask(cosmos.notices, query, partition_key=[institution])))

    assert await found("c.status = 'ACTIVE'") == [1]
    assert await found("c.status != 'ACTIVE'") == [2]
    assert await found("c.status = null") == [2]
    assert await found("IS_NULL(c.status)") == [2]
    assert await found("IS_DEFINED(c.status)") == [1, 2]
    assert await found("NOT IS_DEFINED(c.status)") == [3]
    assert await found("NOT (c.status = 'ACTIVE')") == [2]
    assert await found("c.status = c.absent OR c.noticeNumber = '347000000000000003'") == [3]
    assert await found("c.status > ''") == [1]


async def test_values_of_different_types_are_never_in_order(cosmos: Cosmos, institution: str) -> None:
    await save(
        cosmos.notices, *(a_notice(institution, n, status=value) for n, value in enumerate(["7", 7, True, None]))
    )

    async def found(condition: str) -> list[int]:
        query = f"SELECT * FROM c WHERE {condition}"
        return serials(await ask(cosmos.notices, query, partition_key=[institution]))

    assert await found("c.status = 7") == [1]
    assert await found("c.status >= '0'") == [0]
    assert await found("c.status >= 0") == [1]
    assert await found("c.status = true") == [2]


async def test_a_projection_leaves_out_what_is_not_there(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution, status=...))

    found = await ask(
        cosmos.notices, "SELECT c.id, c.status, c.amount AS cents FROM c", partition_key=[institution, a_number(1)]
    )

    assert found == [{"id": "notice", "cents": 12050}]


async def test_a_query_may_give_plain_values(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, *(a_notice(institution, serial, amount=serial) for serial in (1, 2, 3)))

    found = await ask(cosmos.notices, "SELECT VALUE c.amount FROM c WHERE c.amount >= 2", partition_key=[institution])

    assert sorted(found) == [2, 3]


async def test_properties_are_reached_at_any_depth(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution, debtor={"name": "Mario"}, transfers=[{"amount": 1}, {"amount": 2}])
    await cosmos.notices.create_item(notice)

    query = 'SELECT VALUE c.transfers[1].amount FROM c WHERE c.debtor.name = "Mario" AND c["status"] = \'ACTIVE\''
    assert await ask(cosmos.notices, query, partition_key=key_of(notice)) == [2]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("c.status IN ('ACTIVE', 'PAID')", [1, 2]),
        ("c.status NOT IN ('ACTIVE', 'PAID')", [3]),
        ("STARTSWITH(c.status, 'PA')", [2]),
        ("CONTAINS(c.status, 'SE')", [3]),
        ("ARRAY_CONTAINS(@statuses, c.status)", [2, 3]),
        ("c.amount BETWEEN 2 AND 3", [2, 3]),
        ("c.amount > 1 AND NOT c.amount >= 3", [2]),
        ("(c.amount = 1 OR c.amount = 2) AND c.status = 'PAID'", [2]),
    ],
)
async def test_conditions_mean_what_they_say(
    cosmos: Cosmos, institution: str, condition: str, expected: list[int]
) -> None:
    for serial, status in enumerate(("ACTIVE", "PAID", "CLOSED"), 1):
        await cosmos.notices.create_item(a_notice(institution, serial, status=status, amount=serial))

    found = await ask(
        cosmos.notices,
        f"SELECT * FROM c WHERE {condition}",
        {"statuses": ["PAID", "CLOSED"]},
        partition_key=[institution],
    )

    assert sorted(serials(found)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM c WHERE c.amount = = 1",
        "SELECT * FROM c WHERE",
        "SELEKT * FROM c",
        "SELECT * FROM c WHERE c.status = 'open",
        "SELECT * FROM c ORDER BY",
    ],
)
async def test_a_query_that_is_not_one_is_refused(cosmos: Cosmos, institution: str, query: str) -> None:
    with refused(400):
        await ask(cosmos.notices, query, partition_key=[institution, a_number(1)])
    with refused(400):
        await ask(cosmos.notices, query)


async def test_the_pages_of_one_partition_give_every_item_once(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await save(cosmos.notices, *(an_event(notice, version) for version in range(25)))

    sizes, given = [], []
    query = cosmos.notices.query_items("SELECT * FROM c", partition_key=key_of(notice), max_item_count=10)
    async for page, _ in pages(query):
        sizes.append(len(page))
        given += [item["version"] for item in page]

    assert sorted(given) == list(range(25))
    assert max(sizes) <= 10


async def test_the_pages_of_one_partition_go_on_in_another_client(
    cosmos: Cosmos, other: Cosmos, institution: str
) -> None:
    notice = a_notice(institution)
    await save(cosmos.notices, *(an_event(notice, version) for version in range(25)))

    given: list[int] = []
    token: str | None = None
    for turn in range(100):
        notices = (cosmos, other)[turn % 2].notices
        query = notices.query_items("SELECT * FROM c", partition_key=key_of(notice), max_item_count=7)
        page, token = await anext(pages(query, token))
        given += [item["version"] for item in page]
        if token is None:
            break

    assert sorted(given) == list(range(25))


@over_partitions
async def test_the_pages_of_an_institution_give_every_item_once(cosmos: Cosmos) -> None:
    for institution in await an_archive(cosmos):
        given: list[Document] = []
        token: str | None = None
        while token is not None or not given:
            query = cosmos.notices.query_items("SELECT * FROM c", partition_key=[institution], max_item_count=5)
            page, token = await anext(pages(query, token))
            given += page

        assert sorted((item["noticeNumber"], item["id"]) for item in given) == sorted(
            (a_number(serial), id_) for serial in SHUFFLED for id_ in ("notice", "event-00000001")
        )


async def test_an_ordered_list_of_one_partition_keeps_its_order_over_the_pages(
    cosmos: Cosmos, institution: str
) -> None:
    """As the archive asks for the history of a notice; the id is in every index."""
    notice = a_notice(institution)
    await save(cosmos.notices, notice, *(an_event(notice, (version * 7) % 25) for version in range(25)))

    query = cosmos.notices.query_items(
        "SELECT * FROM c ORDER BY c.id DESC", partition_key=key_of(notice), max_item_count=4
    )
    given = [item["id"] async for page, _ in pages(query) for item in page]

    assert given == ["notice", *sorted(given[1:], reverse=True)]
    assert len(set(given)) == 26


async def test_an_item_without_the_property_comes_first_in_the_order_of_a_composite_index(
    cosmos: Cosmos, institution: str
) -> None:
    """The reference of ORDER BY, "Documents with missing fields"."""
    await save(cosmos.notices, a_notice(institution, 1), a_notice(institution, 2, dueDateKey=...))

    for order, expected in (("", [2, 1]), (" DESC", [1, 2])):
        keys = ", ".join(f"c.{name}{order}" for name in ("creditorInstitution", "dueDateKey", "noticeNumber"))
        assert (
            serials(await ask(cosmos.notices, f"{NOTICES} ORDER BY {keys}", {"institution": institution})) == expected
        )


async def test_an_item_without_the_property_comes_first_also_where_the_policy_does_not_name_its_path(
    cosmos: Cosmos,
) -> None:
    """The reference said otherwise until 2022; eclipse-edc/Connector issue 1512 quotes both texts."""
    container = await cosmos.make_container(PartitionKey("/key"))
    await save(container, {"id": "1", "key": "k", "rank": 1}, {"id": "2", "key": "k"})

    assert await ask(container, "SELECT VALUE c.id FROM c ORDER BY c.rank", partition_key="k") == ["2", "1"]


@over_partitions
async def test_an_ordered_query_of_every_partition_is_planned_and_then_asked_of_each(
    cosmos: Cosmos, double: CosmosDouble, ranges: int
) -> None:
    """The service refuses it first (400, substatus 1004), even of one partition; the SDK then asks for a plan."""
    institution, *_ = await an_archive(cosmos)
    double.log.clear()

    await ask(cosmos.notices, f"{NOTICES} ORDER BY c.creditorInstitution, c.noticeNumber", {"institution": institution})

    assert double.log.count("QueryPlan") == 1
    assert double.log.statuses("Query") == [400] + [200] * ranges


@over_partitions
async def test_a_query_of_a_feed_range_is_one_request(cosmos: Cosmos, double: CosmosDouble) -> None:
    institution, *_ = await an_archive(cosmos)
    query = f"{NOTICES} ORDER BY c.creditorInstitution, c.noticeNumber"
    feed_range, *_ = await feed_ranges(cosmos.notices)
    double.log.clear()

    await ask(cosmos.notices, query, {"institution": institution}, feed_range=feed_range)

    assert (double.log.count("QueryPlan"), double.log.count("Query")) == (0, 1)
