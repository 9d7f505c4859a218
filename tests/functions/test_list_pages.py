"""The order of a list, and its pages."""

import asyncio

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.notice import Address
from tests.functions.lists import LIST, broken_parameters, listed, numbers, pages, publish_one
from tests.stores import both_stores
from tests.support import (
    HOUR,
    INSTITUTION,
    StillClock,
    a_number,
    a_publication,
    an_act,
    an_institution,
)

pytestmark = both_stores


# Order


async def three_ways(http: httpx.AsyncClient, clock: StillClock) -> None:
    """Publish notices that number, due date and update each put in another order."""
    for serial, due in ((2, "2026-12-03"), (3, "2026-12-01"), (1, "2026-12-02"), (4, "2026-12-02")):
        await publish_one(http, serial, dueDate=due)
        clock.advance(HOUR)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("status=ACTIVE", [1, 2, 3, 4]),
        ("dueFrom=2026-01-01", [3, 1, 4, 2]),
        ("dueTo=2027-01-01", [3, 1, 4, 2]),
        ("updatedFrom=2026-01-01T00:00:00Z", [2, 3, 1, 4]),
        ("updatedTo=2027-01-01T00:00:00Z", [2, 3, 1, 4]),
        ("updatedFrom=2026-01-01T00:00:00Z&dueFrom=2026-01-01", [2, 3, 1, 4]),
        ("updatedTo=2027-01-01T00:00:00Z&dueTo=2027-01-01&status=ACTIVE", [2, 3, 1, 4]),
    ],
)
async def test_the_order_is_the_one_of_the_filters(
    http: httpx.AsyncClient, clock: StillClock, query: str, expected: list[int]
) -> None:
    await three_ways(http, clock)

    assert await numbers(http, query) == [a_number(serial) for serial in expected]


async def test_of_one_update_the_notices_are_ordered_by_number(http: httpx.AsyncClient) -> None:
    for serial in (3, 1, 2):
        await publish_one(http, serial)

    expected = [a_number(serial) for serial in (1, 2, 3)]
    assert await numbers(http, "updatedFrom=2026-01-01T00:00:00Z") == expected


async def test_of_one_due_day_the_notices_are_ordered_by_instant(http: httpx.AsyncClient) -> None:
    await publish_one(http, 1, dueDate="2026-12-01")
    await publish_one(http, 2, dueDate="2026-12-01T20:00:00Z")
    await publish_one(http, 3, dueDate="2026-12-01T10:00:00Z")

    assert await numbers(http, "dueFrom=2026-12-01") == [a_number(serial) for serial in (3, 2, 1)]


# Pages

ORDERS = ["", "dueFrom=2026-01-01&", "updatedFrom=2026-01-01T00:00:00Z&", "status=ACTIVE&"]


@pytest.mark.parametrize("query", ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_page_by_page_every_notice_is_listed_once(
    http: httpx.AsyncClient, clock: StillClock, query: str, limit: int
) -> None:
    for serial in (5, 1, 7, 3, 2, 6, 4):
        await publish_one(http, serial, dueDate=f"2026-12-0{serial % 3 + 1}")
        clock.advance(HOUR * (serial % 2))
    whole = await numbers(http, query)

    found = await pages(http, f"{query}limit={limit}")

    assert found == [whole[start : start + limit] for start in range(0, 7, limit)]


async def test_a_page_that_is_just_full_is_the_last(http: httpx.AsyncClient) -> None:
    for serial in (1, 2):
        await publish_one(http, serial)

    assert (await listed(http, "limit=2"))["nextCursor"] is None


@pytest.mark.parametrize("query", ORDERS)
async def test_notices_that_are_added_between_pages_disturb_no_other(
    http: httpx.AsyncClient, clock: StillClock, query: str
) -> None:
    before = [await publish_one(http, serial, dueDate="2026-12-01") for serial in (10, 20, 30, 40, 50)]
    found, cursor, more = list[str](), "", iter((5, 25, 15, 45, 35))

    while cursor is not None:
        page = await listed(http, f"{query}limit=1&cursor={cursor}" if cursor else f"{query}limit=1")
        found += [item["noticeNumber"] for item in page["items"]]
        cursor = page["nextCursor"]
        if (serial := next(more, None)) is not None:
            clock.advance(HOUR)
            await publish_one(http, serial, dueDate="2026-11-30")
            await publish_one(http, serial + 1, dueDate="2026-12-02")

    assert [number for number in found if number in before] == before
    assert len(set(found)) == len(found)


async def test_a_page_may_be_longer_than_the_one_before(http: httpx.AsyncClient) -> None:
    published = [await publish_one(http, serial) for serial in range(1, 6)]
    first = await listed(http, "limit=1")

    assert await numbers(http, f"limit=500&cursor={first['nextCursor']}") == published[1:]


async def test_a_page_holds_a_hundred_notices_unless_asked(http: httpx.AsyncClient) -> None:
    for serial in range(101):
        await publish_one(http, serial)

    assert len(await numbers(http)) == 100


async def test_a_page_holds_up_to_five_hundred_notices(http: httpx.AsyncClient, application: Application) -> None:
    publications = [a_publication(Address(INSTITUTION, a_number(serial))) for serial in range(501)]
    publish, institution = application.archive.publish, an_institution()
    for first in range(0, 501, 50):
        some = publications[first : first + 50]
        await asyncio.gather(*(publish(publication, institution, an_act()) for publication in some))

    assert [len(page) for page in await pages(http, "limit=500")] == [500, 1]


@pytest.mark.parametrize("limit", ["0", "-1", "501", "1000", "x", "1.0", "1e2", "+5", "%20 5", "５", "9" * 5000])
async def test_a_limit_that_is_none_is_refused(http: httpx.AsyncClient, limit: str) -> None:
    answer = await http.get(f"{LIST}?limit={limit}")

    assert broken_parameters(answer) == [("limit", "out_of_range")]
