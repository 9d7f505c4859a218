"""Lists while time changes statuses, and on the days of the clock change. No timer runs."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.notice import Address
from tests.functions.client import declare, path_of, pay, types
from tests.functions.lists import LIST, listed, numbers, pages, publish_one
from tests.functions.test_list_filters import one_of_each
from tests.stores import both_stores
from tests.support import DAY, HOUR, INSTITUTION, StillClock, a_number

pytestmark = both_stores

MILLISECOND = timedelta(milliseconds=1)


# Statuses that time makes


async def test_a_notice_expires_in_the_list_and_no_event_is_written(http: httpx.AsyncClient, clock: StillClock) -> None:
    number = await publish_one(http, 1, dueDate="2026-11-24", switchToExpired=True)
    clock.now = datetime(2026, 11, 24, 23, tzinfo=UTC)

    page = await listed(http, "status=EXPIRED")

    assert [(item["noticeNumber"], item["status"], item["version"]) for item in page["items"]] == [
        (number, "EXPIRED", 1)
    ]
    assert await types(http, path_of(number)) == ["published"]


@pytest.mark.parametrize("status", ["ACTIVE", "EXPIRED"])
@pytest.mark.parametrize("order", ["", "dueFrom=2026-01-01&", "updatedFrom=2026-01-01T00:00:00Z&"])
async def test_page_by_page_a_status_is_listed_however_it_is_stored(
    http: httpx.AsyncClient, application: Application, clock: StillClock, status: str, order: str
) -> None:
    await one_of_each(http, application, clock)
    whole = await numbers(http, f"{order}status={status}")

    assert len(whole) == 3
    assert await pages(http, f"{order}status={status}&limit=1") == [[number] for number in whole]


async def test_a_notice_that_expires_between_two_pages_is_on_the_second(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    for serial, due in ((1, "2026-11-23"), (2, "2026-11-23"), (3, "2026-11-24"), (4, "2026-11-25")):
        await publish_one(http, serial, dueDate=due, switchToExpired=True)
    clock.advance(DAY)
    first = await listed(http, "status=EXPIRED&limit=1")
    clock.advance(DAY)

    second = await numbers(http, f"status=EXPIRED&cursor={first['nextCursor']}")

    assert [[item["noticeNumber"] for item in first["items"]], second] == [[a_number(1)], [a_number(2), a_number(3)]]


async def test_a_page_is_empty_if_the_rest_has_another_status_by_then(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    for serial in (1, 2):
        await publish_one(http, serial, dueDate="2026-11-23", switchToExpired=True)
    cursor = (await listed(http, "status=ACTIVE&limit=1"))["nextCursor"]
    clock.advance(DAY)

    assert await listed(http, f"status=ACTIVE&cursor={cursor}") == {"items": [], "nextCursor": None}


async def test_page_by_page_an_anomaly_is_listed(http: httpx.AsyncClient, application: Application) -> None:
    published = [await publish_one(http, serial) for serial in range(1, 6)]
    paid = published[1::2]
    for number in paid:
        await declare(http, "cancelled", path_of(number))
        await pay(application, Address(INSTITUTION, a_number(published.index(number) + 1)))

    assert await pages(http, "anomaly=true&limit=1") == [[number] for number in paid]
    assert await pages(http, "anomaly=paid_after_cancellation&limit=1") == [[number] for number in paid]
    assert await pages(http, "anomaly=false&limit=2") == [published[0:3:2], published[4:]]


# The days of the clock change

SHORT, LONG = "2027-03-28", "2027-10-31"
"""The day of 23 hours and the day of 25 hours."""


async def around_the_changes(http: httpx.AsyncClient) -> dict[str, str]:
    """Publish notices with due dates around the two days, in the order of these dates. Return their names by number."""
    due_dates = {
        "the last instant before the short day": "2027-03-27T22:59:59.999Z",
        "its first instant": "2027-03-27T23:00:00Z",
        "the last instant before its change": "2027-03-28T01:59:59.999",
        "the instant of its change": "2027-03-28T03:00:00",
        "its last instant": "2027-03-28T21:59:59.999Z",
        "the short day": SHORT,
        "the first instant after it": "2027-03-28T22:00:00Z",
        "the last instant before the long day": "2027-10-30T21:59:59.999Z",
        "its first instant too": "2027-10-30T22:00:00Z",
        "half past two": "2027-10-31T02:30:00",
        "half past two again": "2027-10-31T02:30:00+01:00",
        "its last instant too": "2027-10-31T22:59:59.999Z",
        "the long day": LONG,
        "the first instant after it too": "2027-10-31T23:00:00Z",
    }
    # Not in their order, so that the list has to sort them.
    serials = {name: 5 * n % len(due_dates) for n, name in enumerate(due_dates)}
    return {await publish_one(http, serials[name], dueDate=due): name for name, due in due_dates.items()}


async def test_a_day_of_a_clock_change_is_listed_from_its_first_instant_to_its_last(http: httpx.AsyncClient) -> None:
    names = await around_the_changes(http)
    in_order = [*names.values()]

    async def due(query: str) -> list[str]:
        return [names[number] for number in await numbers(http, query)]

    assert await due(f"dueFrom={SHORT}&dueTo={SHORT}") == in_order[1:6]
    assert await due(f"dueFrom={LONG}&dueTo={LONG}") == in_order[8:13]
    assert await due("dueTo=2027-03-27") == in_order[:1]
    assert await due(f"dueTo={SHORT}") == in_order[:6]
    assert await due("dueFrom=2027-03-29&dueTo=2027-10-30") == in_order[6:8]
    assert await due(f"dueFrom={LONG}") == in_order[8:]
    assert await due("dueFrom=2027-11-01") == in_order[13:]


async def test_page_by_page_the_days_of_the_clock_change_are_listed_in_order(http: httpx.AsyncClient) -> None:
    names = await around_the_changes(http)

    found = await pages(http, f"dueFrom={SHORT}&dueTo={LONG}&limit=1")

    assert [names[number] for [number] in found] == [*names.values()][1:13]


@pytest.mark.parametrize(
    ("day", "begin", "end"),
    [
        (SHORT, datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        (LONG, datetime(2027, 10, 30, 22, tzinfo=UTC), datetime(2027, 10, 31, 23, tzinfo=UTC)),
    ],
)
async def test_on_a_day_of_a_clock_change_a_notice_begins_and_expires_by_the_clock_of_rome(
    http: httpx.AsyncClient, clock: StillClock, day: str, begin: datetime, end: datetime
) -> None:
    number = await publish_one(http, 1, validFrom=day, dueDate=day, switchToExpired=True)
    moments = {
        begin - MILLISECOND: "SCHEDULED",
        begin: "ACTIVE",
        end - MILLISECOND: "ACTIVE",
        end: "EXPIRED",
    }

    for clock.now, expected in moments.items():
        found = {status: await numbers(http, f"status={status}") for status in ("SCHEDULED", "ACTIVE", "EXPIRED")}
        assert found == {"SCHEDULED": [], "ACTIVE": [], "EXPIRED": [], expected: [number]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("updatedFrom=2026-10-25T02:30:00", [1, 2, 3]),
        ("updatedFrom=2026-10-25T02:30:00%2B02:00", [1, 2, 3]),
        ("updatedFrom=2026-10-25T02:30:00%2B01:00", [3]),
        ("updatedTo=2026-10-25T02:30:00", [0]),
        ("updatedTo=2026-10-25T02:30:00%2B01:00", [0, 1, 2]),
        ("updatedFrom=2026-10-25T03:00:00", []),
    ],
)
async def test_of_the_hour_that_comes_twice_an_update_without_offset_means_the_first(
    http: httpx.AsyncClient, clock: StillClock, query: str, expected: list[int]
) -> None:
    clock.now = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # a quarter past two, for the first time
    for serial in range(4):
        await publish_one(http, serial)
        clock.advance(HOUR / 2)

    assert await numbers(http, query) == [a_number(serial) for serial in expected]


async def test_an_update_in_the_hour_that_the_clock_skips_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{LIST}?updatedTo=2027-03-28T02:00:00")

    assert [broken["code"] for broken in answer.json()["violations"]] == ["missing_hour"]
