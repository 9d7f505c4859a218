"""Stand-In and the clock: a notice stops being payable at its instant, before any timer writes it down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.events import ARCHIVE, WriteContext
from tests.functions.client import NOTICE, history, pay, publish, types
from tests.functions.lists import numbers
from tests.functions.payability_client import DUPLICATE, EXPIRED, UNKNOWN, fault
from tests.stores import both_stores
from tests.support import DAY, HOUR, NUMBER, SECOND, StillClock

pytestmark = both_stores

MOMENT = timedelta(milliseconds=1)


async def test_a_notice_due_at_noon_is_payable_until_noon_without_any_timer(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http, dueDate="2026-12-16T12:00:00+01:00", switchToExpired=True)

    clock.now = datetime(2026, 12, 16, 10, 59, 59, tzinfo=UTC)  # 11:59:59 in Rome
    assert await seen(http) == (None, '"1-ACTIVE"', ["ACTIVE"])

    clock.now = datetime(2026, 12, 16, 11, tzinfo=UTC)
    assert await seen(http) == (EXPIRED, '"1-EXPIRED"', ["EXPIRED"])
    assert await types(http) == ["published"]

    clock.advance(40 * SECOND)
    await timer_adds_one_event(http, application, clock, occurred_at="2026-12-16T11:00:00.000Z")


@pytest.mark.parametrize(
    ("day", "end"),
    [
        # In March a day has 23 hours and ends in summer time, in October it has 25 and ends in winter time.
        ("2026-03-28", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-29", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-10-24", datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("2027-03-27", datetime(2027, 3, 27, 23, tzinfo=UTC)),
        ("2027-03-28", datetime(2027, 3, 28, 22, tzinfo=UTC)),
        ("2027-10-30", datetime(2027, 10, 30, 22, tzinfo=UTC)),
        ("2027-10-31", datetime(2027, 10, 31, 23, tzinfo=UTC)),
    ],
)
async def test_a_notice_due_on_a_day_is_payable_through_the_end_of_that_day_in_rome(
    http: httpx.AsyncClient, application: Application, clock: StillClock, day: str, end: datetime
) -> None:
    clock.now = end - 3 * DAY
    await publish(http, dueDate=day, switchToExpired=True)

    # Each hour of the last day and a half, those of the clock change among them.
    for hours in range(36, 0, -1):
        clock.now = end - hours * HOUR
        assert await fault(http) is None, clock.now
    clock.now = end - MOMENT
    assert await seen(http) == (None, '"1-ACTIVE"', ["ACTIVE"])

    clock.now = end
    assert await seen(http) == (EXPIRED, '"1-EXPIRED"', ["EXPIRED"])
    assert await types(http) == ["published"]

    clock.advance(59 * SECOND)
    await timer_adds_one_event(http, application, clock, occurred_at=f"{end:%Y-%m-%dT%H:%M:%S}.000Z")


@pytest.mark.parametrize(
    ("day", "begin"),
    [
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-30", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2027-10-31", datetime(2027, 10, 30, 22, tzinfo=UTC)),
        ("2027-11-01", datetime(2027, 10, 31, 23, tzinfo=UTC)),
    ],
)
async def test_a_notice_is_payable_from_the_first_instant_of_its_day_in_rome(
    http: httpx.AsyncClient, clock: StillClock, day: str, begin: datetime
) -> None:
    clock.now = begin - DAY
    await publish(http, validFrom=day, dueDate="2027-12-31")

    found = []
    for clock.now in (begin - MOMENT, begin):
        found.append(await seen(http))

    assert found == [(UNKNOWN, '"1-SCHEDULED"', ["SCHEDULED"]), (None, '"1-ACTIVE"', ["ACTIVE"])]


async def test_an_institution_gives_more_time_and_the_notice_is_payable_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, dueDate="2026-11-23", switchToExpired=True)
    clock.advance(DAY)
    late = await fault(http)

    answer = await http.patch(NOTICE, json={"dueDate": "2026-12-31"})

    assert (late, answer.status_code, await fault(http)) == (EXPIRED, 200, None)


async def test_a_notice_that_is_paid_in_stand_in_is_a_duplicate_from_its_receipt_on(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    # Verify, activate, and the payment: until the receipt comes, the archive knows of none of them.
    before = [await fault(http), await fault(http)]

    clock.advance(5 * SECOND)
    await pay(application, stand_in=True, paid_at=clock.now)

    assert (before, await seen(http)) == ([None, None], (DUPLICATE, '"2-PAID"', ["PAID"]))


async def seen(http: httpx.AsyncClient) -> tuple[str | None, str, list[str]]:
    """Return the fault, the ETag, and the statuses under which the list shows the notice."""
    read = await http.get(NOTICE)
    statuses = ("SCHEDULED", "ACTIVE", "EXPIRED", "CANCELLED", "CLOSED", "PAID", "REPORTED")
    listed = [status for status in statuses if await numbers(http, f"status={status}") == [NUMBER]]
    return await fault(http), read.headers["etag"], listed


async def timer_adds_one_event(
    http: httpx.AsyncClient, application: Application, clock: StillClock, occurred_at: str
) -> None:
    """Run the timer twice, and assert that it wrote down once what was true before."""
    before = await seen(http)
    for _ in range(2):
        await application.archive.apply_due_changes(WriteContext(clock.now, ARCHIVE, "timer"), clock.now + HOUR)
        clock.advance(60 * SECOND)

    events: list[dict[str, Any]] = await history(http)
    assert [(event["type"], event["occurredAt"]) for event in events[1:]] == [("expired", occurred_at)]
    assert await seen(http) == (before[0], '"2-EXPIRED"', before[2])
