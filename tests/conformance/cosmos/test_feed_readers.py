"""What the SDK does with the change feed by itself, and how a reader that is to lose nothing must treat it."""

import asyncio
import base64
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault
from tests.conformance.cosmos.support import (
    PATIENCE,
    Cosmos,
    Document,
    Target,
    a_notice,
    a_number,
    an_event,
    an_institution,
    feed_ranges,
    key_of,
    pages,
    read_feed,
    refused,
    save,
    serials,
)

BEGINNING: Document = {"start_time": "Beginning"}
THROTTLED = Fault("ChangeFeed", status=429, retry_after=0.001, times=None)


def tokens(token: str) -> list[str | None]:
    """Return what a token holds for each physical partition."""
    state = json.loads(base64.b64decode(token))
    state = state if isinstance(state["continuation"], list) else state["continuation"]
    return [entry["token"] for entry in state["continuation"]]


async def first_page(cosmos: Cosmos, **options: Any) -> tuple[list[Document], str]:
    """Return the first page of the feed, of one item, and its token."""
    feed = cosmos.notices.query_items_change_feed(max_item_count=1, **options)
    page, token = await anext(pages(feed))
    assert token is not None
    return page, token


async def test_a_feed_starts_now_unless_the_reader_says_otherwise(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, a_notice(institution))

    assert (await read_feed(cosmos.notices))[0] == []


async def test_a_continuation_overrides_where_and_when_to_start(cosmos: Cosmos, institution: str) -> None:
    one, other = a_notice(institution, 1), a_notice(institution, 2)
    _, token = await read_feed(cosmos.notices, partition_key=key_of(one), **BEGINNING)
    await save(cosmos.notices, one, other)

    items, _ = await read_feed(cosmos.notices, continuation=token, partition_key=key_of(other), **BEGINNING)

    assert serials(items) == [1]


@pytest.mark.parametrize("ranges", [4])
async def test_a_token_of_partitions_that_were_not_all_read_cannot_be_resumed(
    cosmos: Cosmos, double: CosmosDouble
) -> None:
    """The SDK writes such a token, and does not take it back. So a reader reads one feed range."""
    await save(cosmos.notices, *(a_notice(an_institution()) for _ in range(16)))
    _, token = await first_page(cosmos, **BEGINNING)
    assert None in tokens(token)

    with pytest.raises(ValueError, match="Missing token"):
        await read_feed(cosmos.notices, continuation=token)

    for feed_range in await feed_ranges(cosmos.notices):
        _, token = await read_feed(cosmos.notices, feed_range=feed_range, **BEGINNING)
        assert None not in tokens(token)


async def test_a_feed_range_of_before_a_split_gives_a_token_that_cannot_be_resumed(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """So a reader asks for the ranges anew right before its first read."""
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in range(1, 9)))
    (whole,) = await feed_ranges(cosmos.notices)
    double.split(cosmos.database.id, cosmos.notices.id, at=[institution, a_number(4)])
    await feed_ranges(cosmos.notices)

    _, token = await first_page(cosmos, feed_range=whole, **BEGINNING)

    assert None in tokens(token)


async def test_a_token_that_was_stored_before_the_first_split_follows_it(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    (whole,) = await feed_ranges(cosmos.notices)
    _, token = await read_feed(cosmos.notices, feed_range=whole, **BEGINNING)
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in range(1, 9)))
    double.split(cosmos.database.id, cosmos.notices.id, at=[institution, a_number(4)])

    page, token = await first_page(cosmos, continuation=token)
    rest, token = await read_feed(cosmos.notices, continuation=token)

    assert sorted(serials(page + rest)) == list(range(1, 9))
    assert len(tokens(token)) == 2


async def test_a_part_of_a_split_range_has_no_place_to_start_from_but_the_token_of_the_whole(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """From the beginning it gives everything again, from now it loses what was not read before the split."""
    _, token = await read_feed(cosmos.notices, **BEGINNING)
    await save(cosmos.notices, a_notice(institution))
    double.split(cosmos.database.id, cosmos.notices.id)

    parts = await feed_ranges(cosmos.notices)
    again = [await read_feed(cosmos.notices, feed_range=part, **BEGINNING) for part in parts]
    now = [await read_feed(cosmos.notices, feed_range=part) for part in parts]

    assert sorted(serials([item for items, _ in again for item in items])) == [1]
    assert [items for items, _ in now] == [[], []]
    assert serials((await read_feed(cosmos.notices, continuation=token))[0]) == [1]


async def test_a_token_of_a_point_in_time_cannot_be_resumed(cosmos: Cosmos, institution: str) -> None:
    """The SDK writes milliseconds and reads them as seconds."""
    await save(cosmos.notices, a_notice(institution, 1), a_notice(institution, 2))
    _, token = await first_page(cosmos, start_time=datetime.now(UTC) - timedelta(hours=1))

    with pytest.raises(ValueError, match="year"):
        await read_feed(cosmos.notices, continuation=token)


async def test_the_feed_of_the_first_values_of_a_key_in_two_partitions_gives_everything(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """So a reader asks for whole ranges only."""
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)), a_notice(an_institution()))
    alone, _ = await read_feed(cosmos.notices, partition_key=[institution], **BEGINNING)

    double.split(cosmos.database.id, cosmos.notices.id, at=[institution, a_number(2)])
    await feed_ranges(cosmos.notices)
    leaking, _ = await read_feed(cosmos.notices, partition_key=[institution], **BEGINNING)

    assert (len(alone), len(leaking)) == (3, 4)


@pytest.mark.parametrize("substatus", [1002, 1007])
async def test_a_range_that_stays_gone_ends_in_a_recursion_error(
    cosmos: Cosmos, double: CosmosDouble, substatus: int
) -> None:
    """The SDK calls itself, without a wait; here it has fewer frames for that than usual. It is no AzureError."""
    await read_feed(cosmos.notices, **BEGINNING)
    double.inject(Fault("ChangeFeed", status=410, substatus=substatus, times=None))
    double.log.clear()

    with fewer_frames(150), pytest.raises(RecursionError):
        await read_feed(cosmos.notices, **BEGINNING)

    assert double.log.count("ChangeFeed") > 10


async def test_retries_multiply(cosmos: Cosmos, double: CosmosDouble) -> None:
    """The policy of the pipeline sends a throttled request ten times, and the client ten times the lot."""
    double.inject(THROTTLED)

    with refused(429):
        await read_feed(cosmos.notices, **BEGINNING)

    assert double.log.count("ChangeFeed") == 100


async def test_a_client_that_does_not_retry_asks_once(target: Target, double: CosmosDouble) -> None:
    double.inject(THROTTLED)

    async with target.connected(retry_throttle_total=-1) as cosmos:
        with refused(429):
            await read_feed(cosmos.notices, **BEGINNING)

    assert double.log.count("ChangeFeed") == 1


async def test_a_read_that_is_given_up_leaves_the_client_as_it_was(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    await save(cosmos.notices, a_notice(institution))
    double.inject(Fault("ChangeFeed", hang="before"))

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        read = group.create_task(read_feed(cosmos.notices, **BEGINNING))
        await double.log.wait_for("ChangeFeed")
        read.cancel()

    assert serials((await read_feed(cosmos.notices, **BEGINNING))[0]) == [1]


async def test_an_empty_answer_is_no_page_and_its_token_is_only_in_the_headers_of_the_hook(cosmos: Cosmos) -> None:
    """At the time of the hook the header is the service's own; after the iteration it is a token for the SDK."""
    kept: list[tuple[Mapping[str, str], str]] = []
    feed: Any = cosmos.notices.query_items_change_feed(
        start_time="Now", response_hook=lambda headers, _: kept.append((headers, headers["etag"]))
    )

    assert [page async for page, _ in pages(feed)] == []

    ((headers, raw),) = kept
    assert raw.startswith('"')
    assert tokens(headers["etag"]) == [raw]


@pytest.mark.parametrize("ranges", [1, 4])
async def test_an_empty_answer_does_not_mean_that_nothing_is_left(
    cosmos: Cosmos, double: CosmosDouble, institution: str, ranges: int
) -> None:
    """dotnet-v3 #5114. A reader asks again after some time, whatever came."""
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)))
    double.inject(Fault("ChangeFeed", page=0, times=ranges))

    nothing, token = await read_feed(cosmos.notices, **BEGINNING)
    items, _ = await read_feed(cosmos.notices, continuation=token)

    assert (nothing, serials(items)) == ([], [1, 2, 3])


async def test_a_page_may_end_before_it_is_full(cosmos: Cosmos, double: CosmosDouble, institution: str) -> None:
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3, 4, 5)))
    double.inject(Fault("ChangeFeed", page=2, times=None))

    feed: Any = cosmos.notices.query_items_change_feed(max_item_count=100, **BEGINNING)

    assert [serials(page) async for page, _ in pages(feed)] == [[1, 2], [3, 4], [5]]


@pytest.mark.usefixtures("double")
async def test_the_items_of_a_batch_come_in_any_order(cosmos: Cosmos, institution: str) -> None:
    """An order that each run repeats; a reader goes by the numbers of the events."""
    in_order = []
    for serial in range(1, 9):
        notice = a_notice(institution, serial)
        events = [an_event(notice, version) for version in (1, 2, 3)]
        batch = [("create", (document,)) for document in (*events, notice)]
        await cosmos.notices.execute_item_batch(batch, key_of(notice))
        in_order.append([document["id"] for document in (*events, notice)])

    items, _ = await read_feed(cosmos.notices, **BEGINNING)

    came = [[item["id"] for item in items[start : start + 4]] for start in range(0, 32, 4)]
    assert [sorted(ids) for ids in came] == in_order
    assert len({tuple(ids) for ids in came}) > 2
    assert sum(ids == ordered for ids, ordered in zip(came, in_order, strict=True)) < 4


async def test_a_feed_object_is_iterated_once(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, a_notice(institution))
    feed: Any = cosmos.notices.query_items_change_feed(**BEGINNING)
    assert [page async for page, _ in pages(feed)] != []

    with pytest.raises(ValueError, match="changeFeedStateContext"):
        await anext(pages(feed))


@contextmanager
def fewer_frames(count: int) -> Iterator[None]:
    """Allow only so many more calls inside each other."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + count)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
