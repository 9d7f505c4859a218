"""Which notices of an institution a list shows, in which order, page by page."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import NoticeNumber
from shared.domain.money import OutcomeCode
from shared.domain.notice import Address
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    declare,
    notices_of,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
    settle,
    shown,
)
from tests.stores import both_stores
from tests.support import (
    DAY,
    HOUR,
    INSTITUTION,
    SECOND,
    StillClock,
    a_body,
    a_number,
    a_publication,
    an_act,
    an_institution,
)

pytestmark = both_stores

LIST = notices_of()


async def listed(http: httpx.AsyncClient, query: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a page."""
    answer = await http.get(f"{LIST}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def numbers(http: httpx.AsyncClient, query: str = "", headers: dict[str, str] | None = None) -> list[str]:
    """Return the numbers on a page."""
    return [notice["noticeNumber"] for notice in (await listed(http, query, headers))["items"]]


async def pages(http: httpx.AsyncClient, query: str) -> list[list[str]]:
    """Return the numbers on every page, from the first to the last."""
    found, cursor = [], ""
    while True:
        page = await listed(http, f"{query}{cursor}")
        found.append([notice["noticeNumber"] for notice in page["items"]])
        if page["nextCursor"] is None:
            return found
        cursor = f"&cursor={page['nextCursor']}"


async def publish_one(http: httpx.AsyncClient, serial: int, code: str = "47", **changes: Any) -> str:
    """Publish the notice with this serial and return its number."""
    number = a_number(serial, code)
    await publish(http, path_of(number), **changes)
    return number


# What is shown


async def test_an_institution_without_notices_has_an_empty_list(http: httpx.AsyncClient) -> None:
    assert await listed(http) == {"items": [], "nextCursor": None}


async def test_a_list_shows_notices_as_get_does(http: httpx.AsyncClient) -> None:
    number = await publish_one(http, 1, validFrom="2026-12-01", metadata={"k": "v"})

    assert (await listed(http))["items"] == [await shown(http, path_of(number))]


async def test_a_list_shows_the_notices_of_one_institution(http: httpx.AsyncClient) -> None:
    await publish(http, path_of(institution=COMUNE))
    number = await publish_one(http, 1)

    assert await numbers(http) == [number]


async def test_an_institution_that_nobody_registered_has_no_list(http: httpx.AsyncClient) -> None:
    answer = await http.get(notices_of("12345678903"), headers=PLATFORM_KEY)

    assert refusal(answer) == (404, "institution_not_found")


async def test_a_notice_that_was_only_paid_is_in_no_list(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    assert await numbers(http) == []


async def test_a_notice_that_was_only_settled_is_not_listed_by_its_anomaly(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)
    await settle(application, flow_id="flow-2")

    assert await numbers(http, "anomaly=true") == []


# What is granted


async def test_only_granted_segregation_codes_are_listed(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    granted = [await publish_one(http, 1, "47"), await publish_one(http, 1, "48")]
    for number in (a_number(1, "49"), a_number(1, "46"), "001000000000000141", "100000000000000102"):
        await http.put(path_of(number), json=a_body(), headers=key)

    assert await numbers(http) == granted


async def test_who_was_granted_every_segregation_code_is_shown_all(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "all")
    published = ["001000000000000141", "100000000000000102", a_number(1, "46"), a_number(1, "47"), a_number(1, "99")]
    for number in published:
        await http.put(path_of(number), json=a_body(), headers=key)

    assert await numbers(http, headers=key) == published


async def test_a_lenient_number_is_listed_only_with_every_segregation_code(
    http: httpx.AsyncClient, application: Application
) -> None:
    for number in ("347", "3470000000000001", "347abc", "34700000000000012A", "347000000000000125"):
        await publish(http, path_of(number, COMUNE))
    key = await register_caller(application, "one-code", grants={COMUNE: frozenset({"47"})})

    answer = await http.get(notices_of(COMUNE), headers=key)

    assert [notice["noticeNumber"] for notice in answer.json()["items"]] == ["347000000000000125"]


async def test_pages_hold_only_what_is_granted(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    for serial in range(1, 5):
        await http.put(path_of(a_number(serial, "46")), json=a_body(), headers=key)
    granted = [await publish_one(http, serial, "47") for serial in range(1, 5)]
    for serial in range(1, 5):
        await http.put(path_of(a_number(serial, "50")), json=a_body(), headers=key)

    assert await pages(http, "limit=2") == [granted[:2], granted[2:]]


# Filters


async def one_of_each(http: httpx.AsyncClient, application: Application, clock: StillClock) -> dict[str, str]:
    """Publish a notice for every status that is shown, as stored and as made by time; return their names by number."""
    named = {}

    async def add(name: str, serial: int, **changes: Any) -> str:
        number = await publish_one(http, serial, **changes)
        named[number] = name
        return number

    await add("SCHEDULED", 1, validFrom="2026-12-01")
    await add("ACTIVE", 2)
    await add("ACTIVE by time", 3, validFrom="2026-11-24")
    await add("ACTIVE long after its due date", 4, dueDate="2026-11-01")
    await add("EXPIRED by time", 5, dueDate="2026-11-23", switchToExpired=True)
    await add(
        "EXPIRED by time, scheduled before",
        6,
        validFrom="2026-11-24",
        dueDate="2026-11-24T10:00:00Z",
        switchToExpired=True,
    )
    cancelled = await add("CANCELLED", 7, dueDate="2026-11-23", switchToExpired=True)
    closed = await add("CLOSED", 8, validFrom="2026-11-24")
    paid = Address(INSTITUTION, NoticeNumber(await add("PAID", 9)))
    reported = Address(INSTITUTION, NoticeNumber(await add("REPORTED", 10)))
    expired = await add("EXPIRED", 11, dueDate="2026-11-23", switchToExpired=True)
    await declare(http, "cancelled", path_of(cancelled))
    await declare(http, "closed", path_of(closed))
    await pay(application, paid)
    await settle(application, reported)
    clock.advance(DAY + HOUR)
    await http.patch(path_of(expired), json={"amount": 1})
    return named


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SCHEDULED", ["SCHEDULED"]),
        ("ACTIVE", ["ACTIVE", "ACTIVE by time", "ACTIVE long after its due date"]),
        ("EXPIRED", ["EXPIRED by time", "EXPIRED by time, scheduled before", "EXPIRED"]),
        ("CANCELLED", ["CANCELLED"]),
        ("CLOSED", ["CLOSED"]),
        ("PAID", ["PAID"]),
        ("REPORTED", ["REPORTED"]),
    ],
)
async def test_the_status_listed_is_the_one_true_now(
    http: httpx.AsyncClient, application: Application, clock: StillClock, status: str, expected: list[str]
) -> None:
    named = await one_of_each(http, application, clock)

    assert [named[number] for number in await numbers(http, f"status={status}")] == expected


async def test_every_listed_notice_shows_the_status_true_now(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    named = await one_of_each(http, application, clock)

    page = await listed(http)

    assert {named[item["noticeNumber"]]: item["status"] for item in page["items"]} == {
        name: name.split()[0] for name in named.values()
    }


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (-SECOND, "SCHEDULED"),
        (timedelta(0), "ACTIVE"),
        (DAY - timedelta(milliseconds=1), "ACTIVE"),
        (DAY, "EXPIRED"),
    ],
)
async def test_a_status_is_listed_from_the_instant_at_which_it_is_true(
    http: httpx.AsyncClient, clock: StillClock, at: timedelta, status: str
) -> None:
    start = clock.now + HOUR
    number = await publish_one(
        http, 1, validFrom="2026-11-23T11:00:00Z", dueDate="2026-11-24T11:00:00Z", switchToExpired=True
    )
    clock.now = start + at

    assert {status: await numbers(http, f"status={status}") for status in ("SCHEDULED", "ACTIVE", "EXPIRED")} == {
        **{other: [] for other in ("SCHEDULED", "ACTIVE", "EXPIRED")},
        status: [number],
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("anomaly=true", ["cancelled", "closed", "revoked"]),
        ("anomaly=false", ["sound"]),
        ("anomaly=paid_after_cancellation", ["cancelled"]),
        ("anomaly=paid_twice", ["cancelled", "closed"]),
        ("anomaly=payment_revoked", ["revoked"]),
        ("anomaly=reported_twice", []),
        ("anomaly=paid_twice&status=PAID", ["cancelled", "closed"]),
        ("anomaly=true&status=ACTIVE", ["revoked"]),
    ],
)
async def test_notices_are_listed_by_anomaly(
    http: httpx.AsyncClient, application: Application, query: str, expected: list[str]
) -> None:
    named = {await publish_one(http, n): name for n, name in enumerate(("sound", "cancelled", "closed", "revoked"))}
    _, cancelled, closed, revoked = (Address(INSTITUTION, a_number(n)) for n in range(4))
    await declare(http, "cancelled", path_of(cancelled.number))
    await pay(application, cancelled)
    await pay(application, cancelled, receipt_id="receipt-2")
    await declare(http, "closed", path_of(closed.number))
    await pay(application, closed)
    await settle(application, revoked, outcome_code=OutcomeCode.REVOKED)

    assert [named[number] for number in await numbers(http, query)] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dueFrom=2026-12-01", ["first", "night", "last", "later"]),
        ("dueFrom=2026-12-02", ["later"]),
        ("dueTo=2026-12-01", ["before", "first", "night", "last"]),
        ("dueTo=2026-11-30", ["before"]),
        ("dueFrom=2026-12-01&dueTo=2026-12-01", ["first", "night", "last"]),
        ("dueFrom=2026-12-02&dueTo=2026-12-01", []),
        ("dueFrom=2000-01-01&dueTo=9999-12-31", ["before", "first", "night", "last", "later"]),
    ],
)
async def test_due_days_are_inclusive_and_compared_with_the_day_in_rome(
    http: httpx.AsyncClient, query: str, expected: list[str]
) -> None:
    named = {
        await publish_one(http, 1, dueDate="2026-11-30T22:59:59.999Z"): "before",
        await publish_one(http, 2, dueDate="2026-11-30T23:00:00Z"): "first",
        await publish_one(http, 3, dueDate="2026-12-01T22:59:59Z"): "night",
        await publish_one(http, 4, dueDate="2026-12-01"): "last",
        await publish_one(http, 5, dueDate="2026-12-01T23:00:00Z"): "later",
    }

    assert [named[number] for number in await numbers(http, query)] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dueFrom=9999-12-31", ["morning", "night", "in Rome the day after", "no due date"]),
        ("dueTo=9999-12-31", ["before", "morning", "night", "in Rome the day after", "no due date"]),
        ("dueFrom=9999-12-31&dueTo=9999-12-31", ["morning", "night", "in Rome the day after", "no due date"]),
        ("dueTo=9999-12-30", ["before"]),
        ("updatedTo=9999-12-31T23:59:59Z", ["before", "in Rome the day after", "morning", "night", "no due date"]),
    ],
)
async def test_the_last_day_of_the_calendar_is_a_day_of_the_filters(
    http: httpx.AsyncClient, query: str, expected: list[str]
) -> None:
    named = {
        await publish_one(http, 1, dueDate="9999-12-30"): "before",
        await publish_one(http, 2, dueDate="9999-12-31T23:30:00Z"): "in Rome the day after",
        await publish_one(http, 3, dueDate="9999-12-31T00:00:00"): "morning",
        await publish_one(http, 4, dueDate="9999-12-31T22:59:59.999Z"): "night",
        await publish_one(http, 5, dueDate="9999-12-31", switchToExpired=True, validFrom="9999-12-31"): "no due date",
    }

    assert [named[number] for number in await numbers(http, query)] == expected


async def test_pages_go_on_past_a_notice_without_due_date(http: httpx.AsyncClient) -> None:
    published = [await publish_one(http, serial, dueDate="9999-12-31") for serial in (1, 2, 3)]

    assert await pages(http, "dueFrom=2026-01-01&limit=1") == [[number] for number in published]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("updatedFrom=2026-11-23T11:00:00Z", [2, 3]),
        ("updatedFrom=2026-11-23T11:00:00.001Z", [3]),
        ("updatedTo=2026-11-23T11:00:00Z", [1]),
        ("updatedTo=2026-11-23T11:00:00.001Z", [1, 2]),
        ("updatedFrom=2026-11-23T11:00:00Z&updatedTo=2026-11-23T12:00:00Z", [2]),
        ("updatedFrom=2026-11-23T12:00:00Z&updatedTo=2026-11-23T11:00:00Z", []),
        ("updatedFrom=2026-11-23T12:00:00%2B01:00", [2, 3]),
        ("updatedFrom=2026-11-23T12:00:00+01:00", [2, 3]),
        ("updatedFrom=2026-11-23T12:00:00%2001:00", [2, 3]),
        ("updatedFrom=2026-11-23T12:00:00", [2, 3]),
        ("updatedFrom=2030-01-01T00:00:00Z", []),
    ],
)
async def test_updates_are_listed_from_a_moment_inclusive_to_one_exclusive(
    http: httpx.AsyncClient, clock: StillClock, query: str, expected: list[int]
) -> None:
    for serial in (1, 2, 3):
        await publish_one(http, serial)
        clock.advance(HOUR)

    assert await numbers(http, query) == [a_number(serial) for serial in expected]


async def test_filters_are_joined_by_and(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish_one(http, 1, dueDate="2026-12-01")
    clock.advance(HOUR)
    number = await publish_one(http, 2, dueDate="2026-12-01")
    await publish_one(http, 3, dueDate="2026-12-02")
    await publish_one(http, 4, dueDate="2026-12-01", validFrom="2026-11-30")

    query = "status=ACTIVE&anomaly=false&dueFrom=2026-12-01&dueTo=2026-12-01&updatedFrom=2026-11-23T11:00:00Z"
    assert await numbers(http, query) == [number]


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

    assert _broken(answer) == [("limit", "out_of_range")]


# Cursors


async def a_cursor(http: httpx.AsyncClient, query: str = "") -> str:
    """Return the cursor of a page of one."""
    for serial in (1, 2, 3):
        await publish_one(http, serial)
    cursor: str = (await listed(http, f"{query}limit=1"))["nextCursor"]
    assert cursor
    return cursor


@pytest.mark.parametrize(
    "query",
    [
        "status=ACTIVE&",
        "anomaly=false&",
        "dueFrom=2026-01-01&",
        "dueTo=2027-01-01&",
        "updatedFrom=2026-01-01T00:00:00Z&",
        "updatedTo=2027-01-01T00:00:00Z&",
        "updatedTo=2027-01-01T00:00:00Z&dueFrom=2026-01-01&",
    ],
)
async def test_a_cursor_is_good_for_its_filters_only(http: httpx.AsyncClient, query: str) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{LIST}?{query}cursor={cursor}")) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("status=ACTIVE&", ""),
        ("anomaly=false&", "anomaly=true&"),
        ("dueFrom=2026-01-01&", "dueFrom=2026-01-02&"),
        ("dueFrom=2026-01-01&", "dueFrom=2026-01-01&dueTo=2027-01-01&"),
        ("updatedFrom=2026-01-01T00:00:00Z&", "updatedFrom=2026-01-01T00:00:00.001Z&"),
        ("updatedFrom=2026-01-01T00:00:00Z&dueFrom=2026-01-01&", "updatedFrom=2026-01-01T00:00:00Z&"),
    ],
)
async def test_a_cursor_is_not_good_for_changed_filters(http: httpx.AsyncClient, before: str, after: str) -> None:
    cursor = await a_cursor(http, before)

    assert refusal(await http.get(f"{LIST}?{after}cursor={cursor}")) == (400, "invalid_cursor")


async def test_a_cursor_is_good_for_its_institution_only(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{notices_of(COMUNE)}?cursor={cursor}")) == (400, "invalid_cursor")


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "xx", "*", "%00", "é", "1", "null", "abc=", "=" * 4, "A" * 5000,
        *map(_encoded, (b"{}", b"[]", b"null", b"7", b"[1,2,3]", b'["x","",""]', b'["x","","","]', b"\xff",
                        b'"\\ud800"',                         b"[" * 2000)),
    ],
)  # fmt: skip
async def test_a_cursor_that_the_archive_did_not_make_is_refused(http: httpx.AsyncClient, cursor: str) -> None:
    assert refusal(await http.get(f"{LIST}?cursor={cursor}")) == (400, "invalid_cursor")


async def test_a_cursor_that_was_cut_is_refused(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{LIST}?cursor={cursor[:-4]}")) == (400, "invalid_cursor")


async def test_a_cursor_that_is_refused_is_told_from_one_of_other_filters(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    cut = await http.get(f"{LIST}?cursor={cursor[:-4]}")
    other = await http.get(f"{LIST}?status=ACTIVE&cursor={cursor}")

    assert [answer.json()["detail"] for answer in (cut, other)] == [
        "Send nextCursor whole, as it was received: this cursor is not one of the archive's",
        "Send the filters of the first page, and no others: the cursor is of another list",
    ]


async def test_a_cursor_shows_nothing_that_is_not_granted(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    for number in (a_number(1, "46"), a_number(2, "46"), a_number(3, "49")):
        await http.put(path_of(number), json=a_body(), headers=key)
    page = await listed(http, "limit=1", key)

    assert await numbers(http, f"cursor={page['nextCursor']}") == []


# Parameters that are none


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("status=active", "status", "not_allowed"),
        ("status=AWAITED", "status", "not_allowed"),
        ("status=", "status", "no_value"),
        ("status=ACTIVE,PAID", "status", "not_allowed"),
        ("status=ACTIVE%00", "status", "not_allowed"),
        ("anomaly=yes", "anomaly", "not_allowed"),
        ("anomaly=True", "anomaly", "not_allowed"),
        ("anomaly=", "anomaly", "no_value"),
        ("anomaly=paid_thrice", "anomaly", "not_allowed"),
        ("dueFrom=", "dueFrom", "no_value"),
        ("dueFrom=2026-13-01", "dueFrom", "date_time"),
        ("dueFrom=2026-12-16T10:00:00Z", "dueFrom", "date_time"),
        ("dueFrom=1999-12-31", "dueFrom", "date_out_of_range"),
        ("dueTo=16.12.2026", "dueTo", "date_time"),
        ("dueTo=0999-12-31", "dueTo", "date_out_of_range"),
        ("updatedFrom=2026-11-23", "updatedFrom", "date_time"),
        ("updatedFrom", "updatedFrom", "no_value"),
        ("updatedFrom=2026-11-23%2010:00:00", "updatedFrom", "date_time"),
        ("updatedFrom=2027-03-28T02:30:00", "updatedFrom", "missing_hour"),
        ("updatedTo=x", "updatedTo", "date_time"),
        ("updatedTo=%FF", "updatedTo", "not_decodable"),
        ("updatedTo=1999-12-31T22:59:59Z", "updatedTo", "date_out_of_range"),
        ("limit=", "limit", "no_value"),
        ("cursor=", "cursor", "no_value"),
        ("status=ACTIVE&status=CANCELLED", "status", "repeated"),
        ("page=1", "page", "unknown_field"),
        ("due_from=2026-12-01", "*", "unknown_field"),
        ("Status=ACTIVE", "Status", "unknown_field"),
        ("offset", "offset", "unknown_field"),
        ("%00=1", "*", "unknown_field"),
        ("RSSMRA80A01H501U-Mario%20Rossi=1", "*", "unknown_field"),
    ],
)
async def test_a_parameter_that_cannot_be_read_is_refused(
    http: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    answer = await http.get(f"{LIST}?{query}")

    assert _broken(answer) == [(field, code)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "must be an integer from 1 to 500"),
        ("dueFrom=2026-12-16T10:00:00Z", "must be a day such as 2026-12-16: a day has no time"),
        ("updatedFrom=2026-12-16", "must be a date-time such as 2026-12-16T10:00:00+01:00: the time is missing"),
        ("status=active", "must be one of SCHEDULED, ACTIVE, EXPIRED, CANCELLED, CLOSED, PAID, REPORTED"),
    ],
)
async def test_a_parameter_that_cannot_be_read_is_told_how_it_is_written(
    http: httpx.AsyncClient, query: str, message: str
) -> None:
    answer = await http.get(f"{LIST}?{query}")

    assert [broken["message"] for broken in answer.json()["violations"]] == [message]


async def test_all_parameters_that_cannot_be_read_are_told_at_once(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{LIST}?limit=0&status=x&dueFrom=y")

    assert sorted(_broken(answer)) == [
        ("dueFrom", "date_time"),
        ("limit", "out_of_range"),
        ("status", "not_allowed"),
    ]


def _broken(answer: httpx.Response) -> list[tuple[str, str]]:
    assert refusal(answer) == (400, "invalid_parameter"), answer.text
    return [(broken["field"], broken["code"]) for broken in answer.json()["violations"]]
