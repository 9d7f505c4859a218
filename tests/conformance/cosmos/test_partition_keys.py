"""Partition keys of two levels: what lies under which key, and which operations want all of it."""

from typing import Any

import pytest

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
    missing,
    refused,
    save,
    serials,
)

ALL = "SELECT * FROM c"
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]


async def test_the_same_id_under_two_numbers_is_two_items(cosmos: Cosmos, institution: str) -> None:
    first, second = a_notice(institution, 1, amount=1), a_notice(institution, 2, amount=2)
    await save(cosmos.notices, first, second)

    assert content(await cosmos.notices.read_item("notice", key_of(first))) == first
    assert content(await cosmos.notices.read_item("notice", key_of(second))) == second


async def test_the_same_number_of_two_institutions_is_two_items(cosmos: Cosmos) -> None:
    first, second = a_notice(an_institution()), a_notice(an_institution())
    await save(cosmos.notices, first, second)

    await cosmos.notices.delete_item("notice", key_of(first))

    assert not await missing(cosmos.notices, "notice", key_of(second))


async def test_an_item_is_not_found_under_another_key(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution, 1))

    assert await missing(cosmos.notices, "notice", [institution, a_number(2)])
    assert await missing(cosmos.notices, "notice", [an_institution(), a_number(1)])
    assert await missing(cosmos.notices, "notice", [a_number(1), institution])


async def test_keys_are_compared_exactly(cosmos: Cosmos, institution: str) -> None:
    """A text is not the number it spells, a capital not a small letter, a space at the end not nothing."""
    values: list[Any] = ["7", 7, "07", "a", "A", "a ", "à", "", True, None]
    for value in values:
        await cosmos.notices.create_item(a_notice(institution, noticeNumber=value))

    for value in values:
        read = await cosmos.notices.read_item("notice", [institution, value])
        assert (type(read["noticeNumber"]), read["noticeNumber"]) == (type(value), value)


async def test_a_query_of_a_whole_key_finds_the_items_of_one_notice(cosmos: Cosmos, institution: str) -> None:
    first, second = a_notice(institution, 1), a_notice(institution, 2)
    await save(cosmos.notices, first, an_event(first), second, an_event(second))

    found = await ask(cosmos.notices, ALL, partition_key=key_of(first))

    assert sorted(item["id"] for item in found) == ["event-00000001", "notice"]
    assert {item["noticeNumber"] for item in found} == {a_number(1)}


@pytest.mark.parametrize("ranges", [1, 4])
async def test_a_query_of_an_institution_finds_every_number_of_it_and_no_other(cosmos: Cosmos) -> None:
    institutions = [an_institution() for _ in range(6)]
    for institution in institutions:
        await save(cosmos.notices, *(a_notice(institution, serial) for serial in range(1, 6)))

    for institution in institutions:
        found = await ask(cosmos.notices, ALL, partition_key=[institution])
        assert sorted(serials(found)) == [1, 2, 3, 4, 5]
        assert {item["creditorInstitution"] for item in found} == {institution}


async def test_a_query_of_an_institution_without_notices_finds_nothing(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(an_institution()))

    assert await ask(cosmos.notices, ALL, partition_key=[institution]) == []


async def test_a_point_read_wants_the_whole_key(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.create_item(a_notice(institution))

    with refused(400):
        await cosmos.notices.read_item("notice", [institution])
    with refused(400):
        await cosmos.notices.read_item("notice", [institution, a_number(1), "more"])


async def test_a_deletion_and_a_patch_want_the_whole_key(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)

    with refused(400):
        await cosmos.notices.delete_item("notice", [institution])
    with refused(400):
        await cosmos.notices.patch_item("notice", [institution], PAID)

    assert content(await cosmos.notices.read_item("notice", key_of(notice))) == notice


@pytest.mark.parametrize("level", ["creditorInstitution", "noticeNumber"])
async def test_an_item_that_lacks_a_level_of_its_key_is_refused(cosmos: Cosmos, institution: str, level: str) -> None:
    """The SDK sends null for the level, which is not what the item says: it says nothing."""
    notice = a_notice(institution)
    del notice[level]

    with refused(400):
        await cosmos.notices.create_item(notice)
    with refused(400):
        await cosmos.notices.upsert_item(notice)


async def test_an_item_under_the_key_of_another_is_refused(cosmos: Cosmos, institution: str) -> None:
    """Only in a batch does the SDK send another key than the item's own."""
    key = key_of(a_notice(institution, 1))
    operations: list[tuple[str, tuple[Any, ...]]] = [
        ("create", (a_notice(institution, 2),)),
        ("upsert", (a_notice(an_institution(), 1),)),
        ("create", (a_notice(institution, noticeNumber=...),)),
    ]

    for operation in operations:
        with refused(400):
            await cosmos.notices.execute_item_batch([operation], key)
    assert await ask(cosmos.notices, ALL, partition_key=[institution]) == []


async def test_the_key_of_an_item_cannot_be_changed(cosmos: Cosmos, institution: str) -> None:
    """Under another key it is another item, which is not there to be replaced."""
    notice = a_notice(institution, 1)
    await cosmos.notices.create_item(notice)

    with refused(404):
        await cosmos.notices.replace_item("notice", a_notice(institution, 2))
    with refused(400):
        await cosmos.notices.patch_item(
            "notice", key_of(notice), [{"op": "set", "path": "/noticeNumber", "value": a_number(2)}]
        )

    assert serials(await ask(cosmos.notices, ALL, partition_key=[institution])) == [1]


async def test_an_upsert_under_another_number_is_another_item(cosmos: Cosmos, institution: str) -> None:
    await cosmos.notices.upsert_item(a_notice(institution, 1))
    await cosmos.notices.upsert_item(a_notice(institution, 2))

    assert sorted(serials(await ask(cosmos.notices, ALL, partition_key=[institution]))) == [1, 2]


@pytest.mark.parametrize("ranges", [1, 2, 4, 7])
@pytest.mark.usefixtures("double")
async def test_a_container_has_as_many_feed_ranges_as_partitions(cosmos: Cosmos, ranges: int) -> None:
    assert len(await feed_ranges(cosmos.notices)) == ranges


@pytest.mark.parametrize("ranges", [1, 4])
async def test_the_feed_ranges_together_hold_every_item_once(cosmos: Cosmos) -> None:
    notices = [a_notice(an_institution(), serial) for serial in range(1, 21)]
    await save(cosmos.notices, *notices)

    found: list[Document] = []
    for feed_range in await feed_ranges(cosmos.notices):
        found += await ask(cosmos.notices, ALL, feed_range=feed_range)

    ours = [content(item) for item in found if content(item) in notices]
    assert sorted(serials(ours)) == list(range(1, 21))


@pytest.mark.parametrize("ranges", [1, 4])
async def test_a_key_lies_within_its_institution_within_one_feed_range(cosmos: Cosmos, institution: str) -> None:
    notices = cosmos.notices
    whole = await notices.feed_range_from_partition_key([institution, a_number(1)])
    prefix = await notices.feed_range_from_partition_key([institution])
    elsewhere = await notices.feed_range_from_partition_key([an_institution()])

    parents = [parent for parent in await feed_ranges(notices) if await notices.is_feed_range_subset(parent, prefix)]

    assert len(parents) == 1
    assert await notices.is_feed_range_subset(parents[0], whole)
    assert await notices.is_feed_range_subset(prefix, whole)
    assert not await notices.is_feed_range_subset(whole, prefix)
    assert not await notices.is_feed_range_subset(elsewhere, whole)


@pytest.mark.parametrize("ranges", [1, 4])
async def test_the_feed_range_of_a_key_holds_the_items_under_it(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, a_notice(institution, 1), a_notice(institution, 2), a_notice(an_institution(), 1))

    whole = await cosmos.notices.feed_range_from_partition_key([institution, a_number(2)])
    prefix = await cosmos.notices.feed_range_from_partition_key([institution])

    assert serials(await ask(cosmos.notices, ALL, feed_range=whole)) == [2]
    assert sorted(serials(await ask(cosmos.notices, ALL, feed_range=prefix))) == [1, 2]


async def test_a_container_may_have_a_key_of_one_level(cosmos: Cosmos, institution: str) -> None:
    await cosmos.registry.create_item({"id": institution, "name": "Comune"})

    assert (await cosmos.registry.read_item(institution, institution))["name"] == "Comune"
    assert await ask(cosmos.registry, "SELECT VALUE c.name FROM c", partition_key=institution) == ["Comune"]
