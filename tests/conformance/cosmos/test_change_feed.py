"""The change feed: the latest version of what changed, in the order of the changes in each feed range, resumable."""

from typing import Any

import pytest

from tests.conformance.cosmos.support import (
    Cosmos,
    Document,
    a_notice,
    an_event,
    an_institution,
    content,
    feed_ranges,
    key_of,
    pages,
    read_feed,
    refused,
    save,
    serials,
)

BEGINNING = {"start_time": "Beginning"}
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]
over_partitions = pytest.mark.parametrize("ranges", [1, 4])


async def changes(cosmos: Cosmos, institution: str, **options: Any) -> tuple[list[Document], str]:
    """Return what the feed says about one institution, and the token."""
    items, token = await read_feed(cosmos.notices, **options)
    return [item for item in items if item["creditorInstitution"] == institution], token


@over_partitions
async def test_the_feed_tells_everything_from_the_beginning(cosmos: Cosmos, institution: str) -> None:
    notices = [a_notice(institution, serial) for serial in range(1, 31)]
    await save(cosmos.notices, *notices)

    items, _ = await changes(cosmos, institution, **BEGINNING)

    assert sorted(serials(items)) == list(range(1, 31))
    assert [notice for notice in notices if notice not in map(content, items)] == []


@over_partitions
async def test_a_token_leads_to_what_changed_since(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, a_notice(institution, 1), a_notice(institution, 2))
    _, token = await read_feed(cosmos.notices, **BEGINNING)

    assert (await changes(cosmos, institution, continuation=token))[0] == []

    await cosmos.notices.patch_item("notice", key_of(a_notice(institution, 2)), PAID)
    await cosmos.notices.create_item(a_notice(institution, 3))
    items, later = await changes(cosmos, institution, continuation=token)
    assert sorted(serials(items)) == [2, 3]

    await cosmos.notices.create_item(a_notice(institution, 4))
    assert serials((await changes(cosmos, institution, continuation=later))[0]) == [4]


async def test_a_token_may_be_used_again(cosmos: Cosmos, other: Cosmos, institution: str) -> None:
    _, token = await read_feed(cosmos.notices, **BEGINNING)
    await cosmos.notices.create_item(a_notice(institution))

    for client in (cosmos, other, cosmos):
        assert serials((await changes(client, institution, continuation=token))[0]) == [1]


async def test_an_item_that_changed_three_times_comes_once_as_it_is_now(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    await cosmos.notices.replace_item("notice", {**notice, "amount": 1})
    latest = await cosmos.notices.patch_item("notice", key_of(notice), PAID)

    items, _ = await changes(cosmos, institution, **BEGINNING)

    assert [(content(item), item["_etag"]) for item in items] == [(content(latest), latest["_etag"])]


async def test_what_changed_last_comes_last(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)))
    await cosmos.notices.patch_item("notice", key_of(a_notice(institution, 1)), PAID)

    items, _ = await changes(cosmos, institution, **BEGINNING)

    assert serials(items) == [2, 3, 1]


async def test_the_changes_of_one_notice_come_in_the_order_they_were_made(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await save(cosmos.notices, *(an_event(notice, version) for version in (3, 1, 4, 2, 5)))

    items, _ = await changes(cosmos, institution, **BEGINNING)

    assert [item["version"] for item in items] == [3, 1, 4, 2, 5]


@over_partitions
async def test_every_change_has_its_place_in_the_feed_range_it_lies_in(cosmos: Cosmos) -> None:
    institutions = [an_institution() for _ in range(8)]
    for serial in range(1, 4):
        await save(cosmos.notices, *(a_notice(institution, serial) for institution in institutions))

    found = []
    for feed_range in await feed_ranges(cosmos.notices):
        items, _ = await read_feed(cosmos.notices, feed_range=feed_range, **BEGINNING)
        ours = [item for item in items if item["creditorInstitution"] in institutions]
        positions = [item["_lsn"] for item in ours]
        assert positions == sorted(set(positions))
        found += ours

    for institution in institutions:
        assert serials([item for item in found if item["creditorInstitution"] == institution]) == [1, 2, 3]
    assert len(found) == 24


async def test_the_items_of_one_batch_stand_in_one_place(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.execute_item_batch(
        [("create", (an_event(notice, 1),)), ("create", (an_event(notice, 2),)), ("create", (notice,))], key_of(notice)
    )
    await cosmos.notices.create_item(an_event(notice, 3))

    items, _ = await changes(cosmos, institution, **BEGINNING)

    assert {item["id"] for item in items[:3]} == {"event-00000001", "event-00000002", "notice"}
    assert len({item["_lsn"] for item in items[:3]}) == 1
    assert items[3]["_lsn"] > items[0]["_lsn"]


async def test_a_page_never_ends_within_a_batch(cosmos: Cosmos, institution: str) -> None:
    _, token = await read_feed(cosmos.notices, **BEGINNING)
    for serial in (1, 2):
        notice = a_notice(institution, serial)
        await cosmos.notices.execute_item_batch(
            [("create", (an_event(notice, 1),)), ("create", (an_event(notice, 2),)), ("create", (notice,))],
            key_of(notice),
        )

    feed = cosmos.notices.query_items_change_feed(continuation=token, max_item_count=1)
    found = [serials(page) async for page, _ in pages(feed)]

    assert found == [[1, 1, 1], [2, 2, 2]]


@over_partitions
async def test_a_feed_that_is_read_in_part_is_resumed_after_that_part(cosmos: Cosmos, institution: str) -> None:
    _, beginning = await read_feed(cosmos.notices, **BEGINNING)
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in range(1, 11)))

    feed = cosmos.notices.query_items_change_feed(continuation=beginning, max_item_count=3)
    first, token = await anext(pages(feed))
    assert token is not None
    rest, _ = await read_feed(cosmos.notices, continuation=token)

    assert serials(first) == [1, 2, 3]
    assert sorted(serials(rest)) == [4, 5, 6, 7, 8, 9, 10]


async def test_an_empty_feed_tells_what_changes_later(cosmos: Cosmos) -> None:
    container = await cosmos.make_container()
    nothing, token = await read_feed(container, **BEGINNING)
    still_nothing, token = await read_feed(container, continuation=token)
    await container.create_item({"id": "first"})

    items, _ = await read_feed(container, continuation=token)

    assert (nothing, still_nothing) == ([], [])
    assert [item["id"] for item in items] == ["first"]


@over_partitions
async def test_a_feed_from_now_on_tells_nothing_of_before(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution, 1))

    nothing, token = await changes(cosmos, institution, start_time="Now")
    await cosmos.notices.create_item(a_notice(institution, 2))
    items, _ = await changes(cosmos, institution, continuation=token)

    assert nothing == []
    assert serials(items) == [2]


async def test_a_deletion_is_not_told(cosmos: Cosmos, institution: str) -> None:
    gone, kept = a_notice(institution, 1), a_notice(institution, 2)
    await save(cosmos.notices, gone, kept)
    before, token = await changes(cosmos, institution, **BEGINNING)
    await cosmos.notices.delete_item("notice", key_of(gone))

    since, _ = await changes(cosmos, institution, continuation=token)
    again, _ = await changes(cosmos, institution, **BEGINNING)

    assert serials(before) == [1, 2]
    assert since == []
    assert serials(again) == [2]


async def test_what_is_created_again_after_its_deletion_is_told(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    _, token = await read_feed(cosmos.notices, **BEGINNING)
    await cosmos.notices.delete_item("notice", key_of(notice))
    await cosmos.notices.create_item({**notice, "amount": 1})

    items, _ = await changes(cosmos, institution, continuation=token)

    assert [item["amount"] for item in items] == [1]


async def test_what_was_refused_is_not_told(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    _, token = await read_feed(cosmos.notices, **BEGINNING)

    with refused(409):
        await cosmos.notices.create_item(notice)
    with refused(409):
        await cosmos.notices.execute_item_batch(
            [("create", (an_event(notice),)), ("create", (notice,))], key_of(notice)
        )

    assert (await changes(cosmos, institution, continuation=token))[0] == []


@over_partitions
async def test_a_key_has_a_feed_of_its_own(cosmos: Cosmos, institution: str) -> None:
    first, second = a_notice(institution, 1), a_notice(institution, 2)
    await save(cosmos.notices, first, second, an_event(second), a_notice(an_institution(), 1))

    of_notice, token = await read_feed(cosmos.notices, partition_key=key_of(second), **BEGINNING)
    of_institution, _ = await read_feed(cosmos.notices, partition_key=[institution], **BEGINNING)
    await save(cosmos.notices, an_event(first), an_event(second, 2))
    later, _ = await read_feed(cosmos.notices, continuation=token)

    assert [item["id"] for item in of_notice] == ["notice", "event-00000001"]
    assert serials(of_institution) == [1, 2, 2]
    assert [(item["id"], item["noticeNumber"]) for item in later] == [("event-00000002", second["noticeNumber"])]
