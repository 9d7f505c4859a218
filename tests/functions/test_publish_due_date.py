"""PUT of a notice with a binding due date."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.functions.client import NOTICE, history, publish, refusal
from tests.support import DAY, StillClock, a_body


@pytest.mark.parametrize("due", ["2026-11-22", "2026-11-23T10:00:00Z", "2000-01-01"])
async def test_a_new_notice_with_a_binding_due_date_in_the_past_is_refused(http: httpx.AsyncClient, due: str) -> None:
    answer = await http.put(NOTICE, json=a_body(dueDate=due, switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_the_last_day_is_payable_through_its_end_in_rome(http: httpx.AsyncClient, clock: StillClock) -> None:
    clock.now = datetime(2026, 12, 16, 22, 59, 59, tzinfo=UTC)

    published = await publish(http, dueDate="2026-12-16", switchToExpired=True)

    assert published["status"] == "ACTIVE"


async def test_the_first_instant_after_the_last_day_is_too_late(http: httpx.AsyncClient, clock: StillClock) -> None:
    clock.now = datetime(2026, 12, 16, 23, 0, tzinfo=UTC)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-12-16", switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_a_due_date_is_not_moved_into_the_past(http: httpx.AsyncClient) -> None:
    await publish(http, switchToExpired=True)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-11-22", switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_other_fields_of_an_expired_notice_may_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    answer = await http.put(NOTICE, json=a_body(switchToExpired=True, amount=1))

    assert (answer.status_code, answer.json()["status"]) == (200, "EXPIRED")


async def test_an_expired_notice_with_a_new_due_date_is_active_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    again = await publish(http, switchToExpired=True, dueDate="2027-01-31")

    assert again["status"] == "ACTIVE"


async def test_what_time_has_done_is_written_down_before_the_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, validFrom="2026-12-01", switchToExpired=True)
    clock.advance(30 * DAY)

    await publish(http, switchToExpired=True, dueDate="2027-01-31")

    assert [(item["version"], item["type"], item["actor"]["role"]) for item in await history(http)] == [
        (1, "published", "creditor_institution"),
        (2, "activated", "archive"),
        (3, "expired", "archive"),
        (4, "amended", "creditor_institution"),
    ]


async def test_a_request_that_changes_nothing_does_not_write_down_what_time_has_done(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    again = await publish(http, switchToExpired=True)

    assert (again["status"], again["version"]) == ("EXPIRED", 1)
