"""PATCH of the dates of a notice, and of a notice whose dates have passed."""

import httpx

from tests.functions.client import NOTICE, amend, history, publish, refusal
from tests.support import DAY, StillClock


async def test_a_notice_amended_to_begin_later_is_scheduled(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"validFrom": "2026-12-01"})

    assert amended["status"] == "SCHEDULED"


async def test_a_scheduled_notice_amended_to_begin_now_is_active(http: httpx.AsyncClient) -> None:
    await publish(http, validFrom="2026-12-01")

    amended = await amend(http, {"validFrom": None})

    assert amended["status"] == "ACTIVE"


async def test_a_notice_is_not_amended_to_be_due_in_the_past(http: httpx.AsyncClient) -> None:
    await publish(http, switchToExpired=True)

    answer = await http.patch(NOTICE, json={"dueDate": "2026-11-22"})

    assert refusal(answer) == (422, "due_date_in_past")


async def test_a_due_date_that_is_not_binding_may_be_amended_into_the_past(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"dueDate": "2026-11-22"})

    assert amended["status"] == "ACTIVE"


async def test_a_due_date_that_has_passed_and_becomes_binding_expires_the_notice(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-11-22")

    amended = await amend(http, {"switchToExpired": True})

    assert amended["status"] == "EXPIRED"


async def test_other_fields_of_an_expired_notice_may_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {"amount": 1})

    assert (amended["amount"], amended["status"]) == (1, "EXPIRED")


async def test_an_expired_notice_with_a_new_due_date_is_active_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {"dueDate": "2027-01-31"})

    assert amended["status"] == "ACTIVE"


async def test_what_time_has_done_is_written_down_before_the_amendment(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    await amend(http, {"dueDate": "2027-01-31"})

    assert [(item["version"], item["type"], item["statusAfter"]) for item in await history(http)] == [
        (1, "published", "ACTIVE"),
        (2, "expired", "EXPIRED"),
        (3, "amended", "ACTIVE"),
    ]


async def test_an_amendment_that_only_time_makes_necessary_writes_nothing(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {})

    assert (amended["status"], amended["version"]) == ("EXPIRED", 1)
