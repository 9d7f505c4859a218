"""A physical partition is split while clients are at work: nothing is lost, and what comes twice or out of order."""

from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault
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
    pages,
    read_feed,
    refused,
    save,
    serials,
)

OF = "SELECT * FROM c WHERE c.creditorInstitution = @institution"
LIST = f"{OF} ORDER BY c.creditorInstitution, c.noticeNumber"
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]
ONE_TO_TEN = list(range(1, 11))


class Partitions:
    """The physical partitions of the container of notices, which a test splits."""

    def __init__(self, cosmos: Cosmos, double: CosmosDouble) -> None:
        self._double = double
        self._where = (cosmos.database.id, cosmos.notices.id)

    def split(self, range_id: str | None = None, at: list[str] | None = None) -> tuple[str, str]:
        """Split one, in the middle or at a key."""
        return self._double.split(*self._where, range_id=range_id, at=at)


@pytest.fixture
def partitions(cosmos: Cosmos, double: CosmosDouble) -> Partitions:
    """Return the partitions."""
    return Partitions(cosmos, double)


@pytest.fixture
async def notices(cosmos: Cosmos, institution: str) -> list[Document]:
    """Return ten notices of the institution, saved."""
    saved = [a_notice(institution, serial) for serial in ONE_TO_TEN]
    await save(cosmos.notices, *saved)
    return saved


async def test_items_stay_as_they_were(cosmos: Cosmos, partitions: Partitions, notices: list[Document]) -> None:
    before = [await cosmos.notices.read_item("notice", key_of(notice)) for notice in notices]

    partitions.split(at=key_of(notices[4]))

    assert [await cosmos.notices.read_item("notice", key_of(notice)) for notice in notices] == before


async def test_reads_and_writes_go_on(
    cosmos: Cosmos, other: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    """A request that names a key finds its partition by itself."""
    assert not await missing(other.notices, "notice", key_of(notices[0]))
    partitions.split(at=[institution, a_number(5)])

    for client in (cosmos, other):
        for notice in notices:
            key = key_of(notice)
            read = await client.notices.read_item("notice", key)
            await client.notices.replace_item("notice", {**read, "amount": read["amount"] + 1})
            await client.notices.patch_item("notice", key, PAID)
            await client.notices.upsert_item({**notice, "id": "another"})
            await client.notices.delete_item("another", key)

    amounts = await ask(cosmos.notices, f"SELECT VALUE c.amount FROM c WHERE c.creditorInstitution = '{institution}'")
    assert amounts == [notice["amount"] + 2 for notice in notices]


async def test_batches_are_still_done_whole_or_not_at_all(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    partitions.split(at=[institution, a_number(5)])

    for notice in notices:
        await cosmos.notices.execute_item_batch(
            [("create", (an_event(notice),)), ("patch", ("notice", PAID))], key_of(notice)
        )
        with refused(409):
            await cosmos.notices.execute_item_batch(
                [("delete", ("notice",)), ("create", (an_event(notice),))], key_of(notice)
            )

    assert len(await ask(cosmos.notices, f"{OF} AND c.status = 'PAID'", {"institution": institution})) == 10


async def test_a_container_has_a_feed_range_more_and_each_key_lies_in_one(
    cosmos: Cosmos, partitions: Partitions, notices: list[Document]
) -> None:
    (whole,) = await feed_ranges(cosmos.notices)

    partitions.split(at=key_of(notices[4]))

    halves = await feed_ranges(cosmos.notices)
    assert len(halves) == 2
    assert all([await cosmos.notices.is_feed_range_subset(whole, half) for half in halves])
    for notice in notices:
        key = await cosmos.notices.feed_range_from_partition_key(key_of(notice))
        assert [await cosmos.notices.is_feed_range_subset(half, key) for half in halves].count(True) == 1


async def test_queries_go_on(cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]) -> None:
    """The institution lies in two partitions from here on."""
    assert len(await ask(cosmos.notices, OF, {"institution": institution})) == 10
    partitions.split(at=key_of(notices[4]))

    of_institution = await ask(cosmos.notices, "SELECT * FROM c", partition_key=[institution])
    of_notice = await ask(cosmos.notices, "SELECT * FROM c", partition_key=key_of(notices[0]))
    everywhere = await ask(cosmos.notices, OF, {"institution": institution})
    counted = await ask(cosmos.notices, "SELECT VALUE COUNT(1) FROM c", partition_key=[institution])

    assert sorted(serials(of_institution)) == sorted(serials(everywhere)) == ONE_TO_TEN
    assert serials(of_notice) == [1]
    assert counted == [10]


@pytest.mark.parametrize("splits", [1, 2, 3])
async def test_a_list_is_merged_from_the_parts(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document], splits: int
) -> None:
    limited = f"{LIST} OFFSET 0 LIMIT 4"
    for serial in range(2, 2 + splits):
        partitions.split(at=[institution, a_number(serial)])
    await feed_ranges(cosmos.notices)

    assert serials(await ask(cosmos.notices, LIST, {"institution": institution})) == ONE_TO_TEN
    assert serials(await ask(cosmos.notices, limited, {"institution": institution})) == [1, 2, 3, 4]
    assert await ask(cosmos.notices, "SELECT VALUE COUNT(1) FROM c") == [10]
    assert len(notices) == 10


@pytest.mark.parametrize("serial", ONE_TO_TEN)
async def test_a_list_that_finds_its_only_partition_split_is_whole(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document], serial: int
) -> None:
    assert serials(await ask(cosmos.notices, LIST, {"institution": institution})) == serials(notices)

    partitions.split(at=[institution, a_number(serial)])

    assert serials(await ask(cosmos.notices, LIST, {"institution": institution})) == ONE_TO_TEN


@pytest.mark.parametrize("ranges", [4])
async def test_the_sdk_gives_items_twice_in_the_first_list_after_a_split_of_an_earlier_partition(
    cosmos: Cosmos, partitions: Partitions
) -> None:
    """It begins anew with the parts it now knows, and then still asks the rest of those it knew (4.16.3 to 4.17.1).

    Under a limit the items that came twice push others out. Whoever lists looks for that, and asks again.
    """
    institution = await _an_institution_in(cosmos, 3)
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)))
    assert serials(await ask(cosmos.notices, LIST, {"institution": institution})) == [1, 2, 3]

    partitions.split("0")
    first = await ask(cosmos.notices, f"{LIST} OFFSET 0 LIMIT 3", {"institution": institution})
    again = await ask(cosmos.notices, f"{LIST} OFFSET 0 LIMIT 3", {"institution": institution})

    assert serials(first) == [1, 1, 2]
    assert serials(again) == [1, 2, 3]


@pytest.mark.parametrize("ranges", [4])
async def test_feed_ranges_are_safe_from_it(cosmos: Cosmos, partitions: Partitions) -> None:
    institution = await _an_institution_in(cosmos, 3)
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)))
    before = await feed_ranges(cosmos.notices)

    partitions.split("0")

    found: list[Document] = []
    for feed_range in before:
        found += await ask(cosmos.notices, LIST, {"institution": institution}, feed_range=feed_range)
    assert serials(found) == [1, 2, 3]


async def test_a_feed_range_of_before_is_answered_one_part_after_the_other(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    """All of it, but each part in its own order and to its own limit: whoever sorts asks for the ranges anew."""
    (whole,) = await feed_ranges(cosmos.notices)
    low, high = await _halves(cosmos, partitions, notices)

    listed = await ask(cosmos.notices, LIST, {"institution": institution}, feed_range=whole)
    top = LIST.replace("SELECT", "SELECT TOP 1")
    topped = await ask(cosmos.notices, top, {"institution": institution}, feed_range=whole)

    assert serials(listed) == low + high
    assert serials(topped) == [low[0], high[0]]


async def test_the_pages_of_one_partition_go_on(cosmos: Cosmos, partitions: Partitions, institution: str) -> None:
    notice = a_notice(institution)
    await save(cosmos.notices, *(an_event(notice, version) for version in ONE_TO_TEN))
    query: Any = cosmos.notices.query_items("SELECT * FROM c", partition_key=key_of(notice), max_item_count=4)
    page, token = await anext(pages(query))

    partitions.split()
    query = cosmos.notices.query_items("SELECT * FROM c", partition_key=key_of(notice), max_item_count=4)
    rest = [item async for page, _ in pages(query, token) for item in page]

    assert sorted(item["version"] for item in page + rest) == ONE_TO_TEN


async def test_the_pages_of_an_institution_go_on_with_every_item_at_least_once(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    query: Any = cosmos.notices.query_items("SELECT * FROM c", partition_key=[institution], max_item_count=3)
    page, token = await anext(pages(query))

    partitions.split(at=key_of(notices[4]))
    query = cosmos.notices.query_items("SELECT * FROM c", partition_key=[institution], max_item_count=3)
    rest = [item async for page, _ in pages(query, token) for item in page]

    assert set(serials(page + rest)) == set(ONE_TO_TEN)


async def test_a_list_in_the_midst_of_a_split_gives_every_item_at_least_once(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    """The SDK begins the split partition again: a list that fits one page of each partition is not touched by it."""
    query: Any = cosmos.notices.query_items(
        LIST, parameters=[{"name": "@institution", "value": institution}], max_item_count=2
    )
    found: list[Document] = []
    async for page, _ in pages(query):
        if not found:
            partitions.split(at=key_of(notices[4]))
        found += page

    assert set(serials(found)) == set(ONE_TO_TEN)


async def test_a_feed_goes_on_from_a_token_of_before(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    """Every change comes, once here; of the service only at least once is promised."""
    before, token = await read_feed(cosmos.notices, start_time="Beginning")
    partitions.split(at=key_of(notices[4]))
    for notice in notices[3:7]:
        await cosmos.notices.patch_item("notice", key_of(notice), PAID)

    since, token = await read_feed(cosmos.notices, continuation=token)
    await cosmos.notices.create_item(a_notice(institution, 11))
    later, _ = await read_feed(cosmos.notices, continuation=token)

    assert serials(before) == ONE_TO_TEN
    assert sorted(serials(since)) == [4, 5, 6, 7]
    assert serials(later) == [11]


async def test_a_feed_goes_on_from_a_token_of_before_changes_of_before(
    cosmos: Cosmos, partitions: Partitions, notices: list[Document]
) -> None:
    """Changes made before the split but not read yet are kept by the parts they now lie in."""
    feed: Any = cosmos.notices.query_items_change_feed(start_time="Beginning", max_item_count=3)
    first, token = await anext(pages(feed))
    await cosmos.notices.patch_item("notice", key_of(notices[0]), PAID)
    partitions.split(at=key_of(notices[4]))
    assert token is not None

    rest, _ = await read_feed(cosmos.notices, continuation=token)

    assert serials(first) == [1, 2, 3]
    assert set(serials(rest)) >= {1, 4, 5, 6, 7, 8, 9, 10}


async def test_a_feed_in_the_midst_of_a_split_tells_everything(
    cosmos: Cosmos, partitions: Partitions, notices: list[Document]
) -> None:
    feed: Any = cosmos.notices.query_items_change_feed(start_time="Beginning", max_item_count=2)
    found: list[Document] = []
    async for page, _ in pages(feed):
        if len(found) == 4:
            partitions.split(at=key_of(notices[4]))
        found += page

    assert sorted(serials(found)) == ONE_TO_TEN


async def test_the_feed_of_each_part_keeps_the_order_of_the_changes(
    cosmos: Cosmos, partitions: Partitions, notices: list[Document]
) -> None:
    partitions.split(at=key_of(notices[4]))
    for version in (1, 2, 3):
        await save(cosmos.notices, *(an_event(notice, version) for notice in notices))

    found: list[Document] = []
    for feed_range in await feed_ranges(cosmos.notices):
        items, _ = await read_feed(cosmos.notices, feed_range=feed_range, start_time="Beginning")
        positions = [item["_lsn"] for item in items]
        assert positions == sorted(set(positions))
        found += items

    assert len(found) == 40
    for notice in notices:
        own = [item["id"] for item in found if key_of(item) == key_of(notice)]
        assert own == ["notice", "event-00000001", "event-00000002", "event-00000003"]


async def test_the_feed_of_a_range_of_before_tells_what_its_parts_tell(
    cosmos: Cosmos, partitions: Partitions, institution: str, notices: list[Document]
) -> None:
    (whole,) = await feed_ranges(cosmos.notices)
    _, token = await read_feed(cosmos.notices, feed_range=whole, start_time="Beginning")
    partitions.split(at=key_of(notices[4]))
    for notice in notices:
        await cosmos.notices.patch_item("notice", key_of(notice), PAID)

    since, _ = await read_feed(cosmos.notices, continuation=token)

    assert sorted(serials(since)) == ONE_TO_TEN


async def test_a_client_still_reads_its_own_writes(
    cosmos: Cosmos, double: CosmosDouble, partitions: Partitions, notices: list[Document]
) -> None:
    double.inject(Fault(stale=1, times=None))
    for notice in notices:
        await cosmos.notices.patch_item("notice", key_of(notice), PAID)

    partitions.split(at=key_of(notices[4]))
    assert {(await cosmos.notices.read_item("notice", key_of(n)))["status"] for n in notices} == {"PAID"}

    for notice in notices:
        await cosmos.notices.replace_item("notice", notice)
        assert content(await cosmos.notices.read_item("notice", key_of(notice))) == notice


async def _an_institution_in(cosmos: Cosmos, which: int) -> str:
    """Return an institution of this feed range."""
    feed_range = (await feed_ranges(cosmos.notices))[which]
    while True:
        institution = an_institution()
        prefix = await cosmos.notices.feed_range_from_partition_key([institution])
        if await cosmos.notices.is_feed_range_subset(feed_range, prefix):
            return institution


async def _halves(cosmos: Cosmos, partitions: Partitions, notices: list[Document]) -> tuple[list[int], list[int]]:
    """Split so that each half holds some of the notices; return the serials of each, sorted."""
    partitions.split(at=key_of(notices[4]))
    low, high = [
        sorted(serials(await ask(cosmos.notices, "SELECT * FROM c", feed_range=half)))
        for half in await feed_ranges(cosmos.notices)
    ]
    return low, high
