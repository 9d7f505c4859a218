"""The events cancelled and closed end a notice."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import EVENT_TYPES, FINAL, bring_to, declare, history, pay, publish, refusal, types
from tests.support import DAY, HOUR, StillClock, a_number


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [("cancelled", "CANCELLED", "cancelled"), ("closed", "CLOSED", "paid_elsewhere")],
)
async def test_a_notice_that_ended_shows_how(http: httpx.AsyncClient, event: str, status: str, reason: str) -> None:
    published = await publish(http)

    answer = await declare(http, event)

    assert answer.status_code == 200
    assert answer.json() == {**published, "status": status, "version": 2, "endReason": reason}


async def test_a_declared_end_is_answered_with_its_tag(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled")

    assert answer.headers["etag"] == '"2-CANCELLED"'


async def test_a_declared_end_is_an_event_with_its_reason(http: httpx.AsyncClient) -> None:
    await publish(http)

    await declare(http, "cancelled", reason="Annullato in autotutela")

    item = (await history(http))[1]
    assert (item["type"], item["statusBefore"], item["statusAfter"], item["reason"]) == (
        "cancelled",
        "ACTIVE",
        "CANCELLED",
        "Annullato in autotutela",
    )


async def test_a_notice_that_another_replaces_names_it(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled", replacedBy=a_number(2))

    assert (answer.json()["endReason"], answer.json()["replacedBy"]) == ("replaced", a_number(2))


@pytest.mark.parametrize("event", ["cancelled", "closed"])
async def test_an_end_that_is_declared_again_changes_nothing(
    http: httpx.AsyncClient, clock: StillClock, event: str
) -> None:
    await publish(http)
    ended = await declare(http, event)
    clock.advance(HOUR)

    again = await declare(http, event, reason="Once more")

    assert (again.status_code, again.json()) == (200, ended.json())


async def test_an_end_that_is_declared_again_makes_no_event(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "closed")

    await declare(http, "closed")

    assert await types(http) == ["published", "closed"]


async def test_a_cancelled_notice_is_not_replaced_afterwards(http: httpx.AsyncClient) -> None:
    await publish(http)
    cancelled = await declare(http, "cancelled")

    again = await declare(http, "cancelled", replacedBy=a_number(2))

    assert (again.status_code, again.json()) == (200, cancelled.json())


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("cancelled", "closed", "notice_cancelled"), ("closed", "cancelled", "notice_closed")],
)
async def test_a_notice_does_not_end_in_two_ways(http: httpx.AsyncClient, first: str, second: str, code: str) -> None:
    await publish(http)
    await declare(http, first)

    answer = await declare(http, second)

    assert refusal(answer) == (409, code)


@pytest.mark.parametrize("event", ["cancelled", "closed"])
@pytest.mark.parametrize(
    ("changes", "waited"),
    [({"validFrom": "2026-12-01"}, timedelta(0)), ({"switchToExpired": True}, 30 * DAY)],
    ids=["SCHEDULED", "EXPIRED"],
)
async def test_a_notice_that_is_not_payable_may_end_too(
    http: httpx.AsyncClient, clock: StillClock, event: str, changes: dict[str, Any], waited: timedelta
) -> None:
    await publish(http, **changes)
    clock.advance(waited)

    answer = await declare(http, event)

    assert (answer.status_code, answer.json()["status"]) == (200, event.upper())


@pytest.mark.parametrize("event", EVENT_TYPES)
@pytest.mark.parametrize("status", ["PAID", "REPORTED"])
async def test_a_paid_notice_neither_ends_nor_is_restored(
    http: httpx.AsyncClient, application: Application, status: str, event: str
) -> None:
    await bring_to(status, http, application)

    answer = await declare(http, event)

    assert refusal(answer) == (409, FINAL[status])


@pytest.mark.parametrize("event", EVENT_TYPES)
async def test_nothing_happens_to_a_notice_that_is_not_there(http: httpx.AsyncClient, event: str) -> None:
    answer = await declare(http, event)

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize("event", EVENT_TYPES)
async def test_nothing_happens_to_a_notice_that_was_only_paid(
    http: httpx.AsyncClient, application: Application, event: str
) -> None:
    await pay(application)

    answer = await declare(http, event)

    assert refusal(answer) == (404, "notice_not_found")
