"""What the timer writes down of what time has done."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, Exclusion, RegisteredIban
from shared.domain.notice import Address
from tests.functions.client import (
    MINUTE,
    NOTICE,
    Tick,
    declare,
    history,
    path_of,
    pay,
    publish,
    refusal,
    register_institution,
    settle,
    shown,
    types,
)
from tests.support import ADDRESS, DAY, HOUR, NOW, NUMBER, POSTAL_IBAN, SECOND, StillClock, a_body, a_number

DEFAULT = RegisteredIban(Iban(POSTAL_IBAN), frozenset({DEFAULT_LABEL}), NOW)


async def test_a_scheduled_notice_whose_day_has_come_is_activated(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, validFrom="2026-11-24")
    clock.advance(DAY)

    await tick()

    assert (await history(http))[1:] == [
        {
            "version": 2,
            "type": "activated",
            "recordedAt": "2026-11-24T10:00:00.000Z",
            "occurredAt": "2026-11-23T23:00:00.000Z",
            "actor": {"role": "archive", "name": "archive"},
            "statusBefore": "SCHEDULED",
            "statusAfter": "ACTIVE",
            "changed": {"status": {"from": "SCHEDULED", "to": "ACTIVE"}},
        }
    ]


async def test_a_notice_whose_binding_due_date_has_passed_is_expired(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    await tick()

    assert (await history(http))[1:] == [
        {
            "version": 2,
            "type": "expired",
            "recordedAt": "2026-12-23T10:00:00.000Z",
            "occurredAt": "2026-12-16T23:00:00.000Z",
            "actor": {"role": "archive", "name": "archive"},
            "statusBefore": "ACTIVE",
            "statusAfter": "EXPIRED",
            "changed": {"status": {"from": "ACTIVE", "to": "EXPIRED"}},
        }
    ]


async def test_a_notice_that_both_began_and_ended_is_activated_and_expired(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, validFrom="2026-11-24", switchToExpired=True)
    clock.advance(30 * DAY)

    await tick()

    assert [(item["version"], item["type"], item["occurredAt"]) for item in (await history(http))[1:]] == [
        (2, "activated", "2026-11-23T23:00:00.000Z"),
        (3, "expired", "2026-12-16T23:00:00.000Z"),
    ]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 23, 22, 59, 59, 999000, UTC), ["published"]),
        (datetime(2026, 11, 23, 23, tzinfo=UTC), ["published", "activated"]),
        (datetime(2026, 12, 16, 22, 59, 59, 999000, UTC), ["published", "activated"]),
        (datetime(2026, 12, 16, 23, tzinfo=UTC), ["published", "activated", "expired"]),
    ],
)
async def test_a_change_is_due_from_its_very_instant(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick, at: datetime, expected: list[str]
) -> None:
    await publish(http, validFrom="2026-11-24", switchToExpired=True)
    clock.now = at

    await tick()

    assert await types(http) == expected


@pytest.mark.parametrize(
    "changes", [{}, {"dueDate": "2026-11-01"}, {"validFrom": "2026-11-01"}], ids=["due later", "due before", "valid"]
)
async def test_a_due_date_that_is_not_binding_expires_nothing(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick, changes: dict[str, Any]
) -> None:
    await publish(http, **changes)
    clock.advance(100 * DAY)

    await tick()

    assert await types(http) == ["published"]


@pytest.mark.parametrize("event", ["cancelled", "closed"])
async def test_time_does_nothing_to_a_notice_that_ended(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick, event: str
) -> None:
    await publish(http, validFrom="2026-11-24", switchToExpired=True)
    await declare(http, event)
    clock.advance(100 * DAY)

    await tick()

    assert await types(http) == ["published", event]


async def test_time_does_nothing_to_a_notice_that_was_paid(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    await pay(application)
    clock.advance(100 * DAY)

    await tick()

    assert await types(http) == ["published", "paid"]


async def test_what_was_written_down_is_not_written_again(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)
    await tick()
    clock.advance(MINUTE)

    await tick()

    assert await types(http) == ["published", "expired"]


async def test_what_a_change_wrote_down_is_not_written_again(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, validFrom="2026-11-24")
    clock.advance(2 * DAY)
    await publish(http, validFrom="2026-11-24", amount=1)

    await tick()

    assert await types(http) == ["published", "activated", "amended"]


async def test_writing_down_what_time_has_done_changes_what_is_shown_in_version_and_update_only(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)
    before = await shown(http)

    await tick()

    assert await shown(http) == {**before, "version": 2, "updatedAt": "2026-12-23T10:00:00.000Z"}


async def test_what_was_written_down_makes_the_tags_of_clients_stale(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)
    await tick()

    answer = await http.put(NOTICE, json=a_body(), headers={"If-Match": '"1-EXPIRED"'})

    assert refusal(answer) == (412, "precondition_failed")


async def test_a_notice_that_is_amended_to_end_later_expires_later(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    await publish(http, switchToExpired=True)
    await publish(http, switchToExpired=True, dueDate="2027-01-31")
    clock.advance(30 * DAY)

    await tick()

    assert await types(http) == ["published", "amended"]


async def test_a_restored_notice_is_due_again(http: httpx.AsyncClient, clock: StillClock, tick: Tick) -> None:
    await publish(http, switchToExpired=True)
    await declare(http, "cancelled")
    await declare(http, "restored")
    clock.advance(30 * DAY)

    await tick()

    assert await types(http) == ["published", "cancelled", "restored", "expired"]


async def test_of_many_notices_none_is_left(http: httpx.AsyncClient, clock: StillClock, tick: Tick) -> None:
    paths = [path_of(a_number(n)) for n in range(230)]
    for n, path in enumerate(paths):
        await publish(http, path, dueDate=f"2026-12-{n % 7 + 1:02}", switchToExpired=True)
    clock.advance(30 * DAY)

    await tick()

    assert [(await shown(http, path))["version"] for path in paths] == [2] * len(paths)


async def test_what_is_not_reached_within_the_minute_is_due_the_next_time(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick
) -> None:
    paths = [path_of(a_number(n)) for n in range(5)]
    for path in paths:
        await publish(http, path, switchToExpired=True)
    clock.advance(30 * DAY)

    async def slowly() -> int:
        clock.step = 20 * SECOND
        await tick()
        clock.step = timedelta(0)
        return [await types(http, path) for path in paths].count(["published", "expired"])

    assert [await slowly(), await slowly(), await slowly()] == [2, 4, 5]


async def test_how_many_notices_time_has_changed_is_logged_when_there_are_some(
    http: httpx.AsyncClient, clock: StillClock, tick: Tick, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "archive")
    for n in range(3):
        await publish(http, path_of(a_number(n)), switchToExpired=n != 0)
    clock.advance(30 * DAY)

    await tick()
    await tick()

    assert [record.getMessage() for record in caplog.records] == ['{"event": "due_changes_applied", "notices": 2}']


# Money for a notice nobody communicated


async def types_once_published(http: httpx.AsyncClient) -> list[str]:
    """Return what happened to a notice that was hidden so far; publishing it shows it, and adds its own events."""
    await publish(http)
    return await types(http)


async def test_a_paid_notice_that_nobody_communicated_for_a_day_is_reported(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    clock.advance(DAY + HOUR)

    await tick()

    await publish(http)
    assert (await history(http))[1] == {
        "version": 2,
        "type": "uncommunicated",
        "recordedAt": "2026-11-24T11:00:00.000Z",
        "occurredAt": "2026-11-24T10:00:00.000Z",
        "actor": {"role": "archive", "name": "archive"},
        "statusBefore": "AWAITED",
        "statusAfter": "AWAITED",
        "changed": {},
    }


async def test_a_settled_notice_that_nobody_communicated_for_a_day_is_reported(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await settle(application)
    clock.advance(DAY)

    await tick()

    assert await types_once_published(http) == ["awaited", "uncommunicated", "published", "reported"]


async def test_before_a_day_has_passed_a_paid_notice_may_still_be_communicated(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    clock.advance(DAY - timedelta(milliseconds=1))

    await tick()

    assert await types_once_published(http) == ["awaited", "published", "paid"]


async def test_that_nobody_communicated_a_notice_is_reported_once(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    for _ in range(5):
        clock.advance(DAY)
        await tick()

    assert await types_once_published(http) == ["awaited", "uncommunicated", "published", "paid"]


async def test_more_money_does_not_make_the_wait_longer(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    clock.advance(23 * HOUR)
    await pay(application, receipt_id="receipt-2")
    clock.advance(HOUR)

    await tick()

    assert (await types_once_published(http))[:3] == ["awaited", "paid", "uncommunicated"]


async def test_a_notice_that_was_reported_is_hidden_all_the_same(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    clock.advance(DAY)

    await tick()

    assert refusal(await http.get(NOTICE)) == (404, "notice_not_found")


async def test_a_notice_that_was_communicated_in_time_is_not_reported(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    clock.advance(HOUR)
    await publish(http)
    clock.advance(2 * DAY)

    await tick()

    assert await types(http) == ["awaited", "published", "paid"]


async def test_money_for_an_institution_that_nobody_registered_is_reported_too(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    address = Address(InstitutionCode("12345678903"), NUMBER)
    await pay(application, address)
    clock.advance(DAY)

    await tick()

    events = await application.archive.store.history(address)
    assert [event.type for event in events] == ["awaited", "uncommunicated"]


PAID_ON = date(2026, 11, 23)
ONE_DAY = timedelta(days=1)
COVERING = [
    Exclusion("47", PAID_ON),
    Exclusion("47", PAID_ON, PAID_ON),
    Exclusion("47", PAID_ON - ONE_DAY, PAID_ON + ONE_DAY),
]
NOT_COVERING = [
    Exclusion("48", PAID_ON),
    Exclusion("47", PAID_ON + ONE_DAY),
    Exclusion("47", PAID_ON - 2 * ONE_DAY, PAID_ON - ONE_DAY),
]


MONEY = pytest.mark.parametrize(("comes", "recorded"), [(pay, "paid"), (settle, "reported")], ids=["paid", "settled"])
"""Money for a notice, and its event once the notice is published."""
Comes = Callable[[Application], Awaitable[None]]


@pytest.mark.parametrize("rule", COVERING, ids=str)
@MONEY
async def test_money_that_needs_no_notice_when_it_comes_is_not_reported_although_the_rule_is_gone_later(
    http: httpx.AsyncClient,
    application: Application,
    clock: StillClock,
    tick: Tick,
    rule: Exclusion,
    comes: Comes,
    recorded: str,
) -> None:
    await register_institution(application, exclusions=(rule,))
    await comes(application)
    await register_institution(application, ibans=(DEFAULT,))
    clock.advance(2 * DAY)

    await tick()

    assert await types_once_published(http) == ["awaited", "published", recorded]


@pytest.mark.parametrize("rule", NOT_COVERING, ids=str)
async def test_a_payment_of_another_code_or_day_is_reported(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick, rule: Exclusion
) -> None:
    await register_institution(application, exclusions=(rule,), ibans=(DEFAULT,))
    await pay(application)
    clock.advance(2 * DAY)

    await tick()

    assert (await types_once_published(http))[1] == "uncommunicated"


@pytest.mark.parametrize("rule", COVERING, ids=str)
@MONEY
async def test_a_rule_that_came_after_the_money_covers_it_as_well(
    http: httpx.AsyncClient,
    application: Application,
    clock: StillClock,
    tick: Tick,
    rule: Exclusion,
    comes: Comes,
    recorded: str,
) -> None:
    await comes(application)
    await register_institution(application, exclusions=(rule,), ibans=(DEFAULT,))
    clock.advance(2 * DAY)

    await tick()

    assert await types_once_published(http) == ["awaited", "published", recorded]


async def test_what_a_rule_covers_is_not_counted_as_changed(
    application: Application, clock: StillClock, tick: Tick, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "archive")
    await pay(application)
    await register_institution(application, exclusions=(COVERING[0],))
    clock.advance(2 * DAY)

    await tick()

    assert caplog.records == []


async def test_of_a_notice_with_several_facts_the_day_of_the_first_one_decides(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await pay(application)
    await pay(application, receipt_id="receipt-2", paid_at=NOW + DAY)
    await register_institution(application, exclusions=(Exclusion("47", PAID_ON + ONE_DAY),), ibans=(DEFAULT,))
    clock.advance(2 * DAY)

    await tick()

    assert "uncommunicated" in await types_once_published(http)


async def test_the_day_of_a_payment_is_the_one_in_rome(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    await register_institution(application, exclusions=(Exclusion("47", date(2026, 11, 24)),), ibans=(DEFAULT,))
    clock.now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    await pay(application, ADDRESS, paid_at=clock.now)
    clock.advance(2 * DAY)

    await tick()

    assert await types_once_published(http) == ["awaited", "published", "paid"]


async def test_what_is_not_due_is_not_touched(
    http: httpx.AsyncClient, application: Application, clock: StillClock, tick: Tick
) -> None:
    published = await publish(http, validFrom="2026-11-24", switchToExpired=True)
    clock.advance(13 * HOUR - SECOND)

    await tick()

    assert await shown(http) == published
