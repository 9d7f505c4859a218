"""The filters of a list."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import NoticeNumber
from shared.domain.money import OutcomeCode
from shared.domain.notice import Address
from tests.functions.client import (
    declare,
    path_of,
    pay,
    settle,
)
from tests.functions.lists import LIST, broken_parameters, listed, numbers, pages, publish_one
from tests.stores import both_stores
from tests.support import (
    DAY,
    HOUR,
    INSTITUTION,
    SECOND,
    StillClock,
    a_number,
)

pytestmark = both_stores


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

    assert broken_parameters(answer) == [(field, code)]


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

    assert sorted(broken_parameters(answer)) == [
        ("dueFrom", "date_time"),
        ("limit", "out_of_range"),
        ("status", "not_allowed"),
    ]
