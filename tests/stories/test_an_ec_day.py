"""A day at the desk of a creditor institution, from its morning's notices to what customer care asks in the evening."""

from datetime import UTC, datetime
from typing import Any

import httpx

from shared.bootstrap import Application
from shared.domain.events import ARCHIVE, Actor, Role, WriteContext
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from tests.stores import both_stores
from tests.support import DAY, HOUR, INSTITUTION, NOW, SECOND, StillClock, a_body, a_line, a_number, a_payment, an_act

pytestmark = both_stores

NOTICES = f"/creditor-institutions/{INSTITUTION}/notices"
WASTE_TAX, SCHOOL_MEALS, FINE = a_number(1), a_number(2), a_number(3)
PLATFORM = Actor(Role.PLATFORM, "nodo")


async def test_a_wrong_amount_is_mended_and_a_stale_colleague_cannot_undo_it(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    published = await http.put(at(WASTE_TAX), json=a_body(amount=12050))
    assert (published.status_code, published.headers["ETag"]) == (201, '"1-ACTIVE"')

    # The answer was lost on the way; the EC sends the same again, a minute later, and nothing has happened.
    clock.advance(60 * SECOND)
    again = await http.put(at(WASTE_TAX), json=a_body(amount=12050))
    assert (again.status_code, again.json()) == (200, published.json())

    clock.advance(HOUR)
    as_read = again.headers["ETag"]
    mended = await http.patch(at(WASTE_TAX), json={"amount": 12500}, headers={"If-Match": as_read})
    assert (mended.status_code, mended.json()["amount"], mended.headers["ETag"]) == (200, 12500, '"2-ACTIVE"')

    # A colleague still has the morning's notice on the screen.
    clock.advance(HOUR)
    late = await http.patch(at(WASTE_TAX), json={"amount": 11000, "iupd": "T-1"}, headers={"If-Match": as_read})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")

    read = await http.get(at(WASTE_TAX))
    second_try = await http.patch(at(WASTE_TAX), json={"iupd": "T-1"}, headers={"If-Match": read.headers["ETag"]})
    assert second_try.status_code == 200
    assert [(event["version"], event["type"], event["changed"]) for event in await history(http, WASTE_TAX)] == [
        (1, "published", {}),
        (2, "amended", {"amount": {"from": 12050, "to": 12500}}),
        (3, "amended", {"iupd": {"from": None, "to": "T-1"}}),
    ]


async def test_a_notice_for_tomorrow_becomes_payable_at_midnight_in_rome(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    published = await http.put(at(SCHOOL_MEALS), json=a_body(validFrom="2026-11-24"))
    assert (published.json()["status"], published.headers["ETag"]) == ("SCHEDULED", '"1-SCHEDULED"')
    assert await numbers(http, status="ACTIVE") == []

    clock.now = datetime(2026, 11, 23, 22, 59, 59, 999_000, tzinfo=UTC)
    assert await status(http, SCHOOL_MEALS) == "SCHEDULED"

    # Midnight in Rome: it is payable before anything was written down.
    clock.now = datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert (await http.get(at(SCHOOL_MEALS))).headers["ETag"] == '"1-ACTIVE"'
    assert await numbers(http, status="ACTIVE") == [SCHOOL_MEALS]

    clock.advance(30 * SECOND)
    assert await due_changes_applied(application, clock) == 1

    assert (await http.get(at(SCHOOL_MEALS))).headers["ETag"] == '"2-ACTIVE"'
    *_, activated = await history(http, SCHOOL_MEALS)
    assert (activated["type"], activated["actor"]["role"]) == ("activated", "archive")
    assert (activated["occurredAt"], activated["recordedAt"]) == (
        "2026-11-23T23:00:00.000Z",
        "2026-11-23T23:00:30.000Z",
    )


async def test_a_cancelled_notice_names_the_one_that_replaces_it_and_takes_no_change(http: httpx.AsyncClient) -> None:
    await http.put(at(WASTE_TAX), json=a_body())
    await http.put(at(SCHOOL_MEALS), json=a_body(amount=9900))

    cancelled = await declare(http, WASTE_TAX, type="cancelled", replacedBy=SCHOOL_MEALS, reason="wrong household")
    again = await declare(http, WASTE_TAX, type="cancelled", replacedBy=SCHOOL_MEALS, reason="wrong household")
    too_late = await http.patch(at(WASTE_TAX), json={"amount": 1})

    shown = cancelled.json()
    assert (shown["status"], shown["endReason"], shown["replacedBy"]) == ("CANCELLED", "replaced", SCHOOL_MEALS)
    assert (again.status_code, again.json()) == (200, shown)
    assert (too_late.status_code, too_late.json()["code"]) == (409, "notice_cancelled")
    assert await told(http, WASTE_TAX) == ["published", "cancelled"]


async def test_a_notice_paid_at_the_counter_is_closed_and_a_bounced_cheque_restores_it(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await http.put(at(FINE), json=a_body())

    # Paid in the morning, written down at noon.
    clock.advance(2 * HOUR)
    closed = await declare(http, FINE, type="closed", occurredAt="2026-11-23T11:30:00+01:00", reason="cheque")
    assert (closed.json()["status"], closed.json()["endReason"]) == ("CLOSED", "paid_elsewhere")

    # A cancellation from before the cheque arrives out of order.
    older = await declare(http, FINE, type="cancelled", occurredAt="2026-11-23T11:15:00+01:00")
    assert (older.status_code, older.json()["code"]) == (409, "stale_declaration")

    clock.advance(2 * HOUR)
    restored = await declare(http, FINE, type="restored", reason="the cheque bounced")
    assert restored.json()["status"] == "ACTIVE"
    assert "endReason" not in restored.json()
    assert [(event["type"], event["occurredAt"], event.get("reason")) for event in await history(http, FINE)] == [
        ("published", "2026-11-23T10:00:00.000Z", None),
        ("closed", "2026-11-23T10:30:00.000Z", "cheque"),
        ("restored", "2026-11-23T14:00:00.000Z", "the cheque bounced"),
    ]


async def test_a_notice_expires_with_its_day_and_a_later_due_date_revives_it(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await http.put(at(FINE), json=a_body(dueDate="2026-11-23", switchToExpired=True))

    clock.now = datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert await status(http, FINE) == "EXPIRED"
    assert await numbers(http, status="EXPIRED") == [FINE]
    restored = await declare(http, FINE, type="restored")
    assert (restored.status_code, restored.json()["code"]) == (422, "notice_expired")

    # Nobody wrote down yet that it expired: the amendment does so first.
    amended = await http.patch(at(FINE), json={"dueDate": "2026-12-31"}, headers={"If-Match": '"1-ACTIVE"'})

    assert (amended.status_code, amended.headers["ETag"]) == (200, '"3-ACTIVE"')
    assert await told(http, FINE) == ["published", "expired", "amended"]


async def test_a_notice_paid_through_pagopa_is_reported_when_it_is_settled(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await http.put(at(WASTE_TAX), json=a_body())

    clock.advance(HOUR)
    await paid(application, WASTE_TAX, clock)
    await paid(application, WASTE_TAX, clock)  # the queue delivers twice
    assert await status(http, WASTE_TAX) == "PAID"
    too_late = await http.put(at(WASTE_TAX), json=a_body(amount=99))
    assert (too_late.status_code, too_late.json()["code"]) == (409, "notice_paid")

    clock.advance(DAY)
    await settled(application, WASTE_TAX, clock)

    shown = (await http.get(at(WASTE_TAX))).json()
    assert (shown["status"], shown["payments"][0]["receiptId"]) == ("REPORTED", "receipt-1")
    assert [line["flowId"] for line in shown["settlements"]] == ["flow-1"]
    assert "anomalies" not in shown
    assert await told(http, WASTE_TAX) == ["published", "paid", "reported"]


async def test_money_for_a_notice_nobody_communicated_waits_for_it(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await paid(application, FINE, clock)
    assert (await http.get(at(FINE))).status_code == 404
    assert (await declare(http, FINE, type="cancelled")).status_code == 404
    assert await numbers(http) == []

    clock.advance(DAY)
    assert await due_changes_applied(application, clock) == 1

    clock.advance(HOUR)
    published = await http.put(at(FINE), json=a_body(), headers={"If-None-Match": "*"})

    assert (published.status_code, published.json()["status"]) == (201, "PAID")
    assert "anomalies" not in published.json()
    assert await told(http, FINE) == ["awaited", "uncommunicated", "published", "paid"]
    assert await numbers(http, status="PAID") == [FINE]


async def test_money_after_a_cancellation_is_an_anomaly_that_the_ec_can_list(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    for number in (WASTE_TAX, FINE):
        await http.put(at(number), json=a_body())
        await declare(http, number, type="cancelled")

    clock.advance(HOUR)
    await paid(application, FINE, clock)

    shown = (await http.get(at(FINE))).json()
    assert (shown["status"], shown["anomalies"]) == ("PAID", ["paid_after_cancellation"])
    assert await numbers(http, anomaly="true") == [FINE]
    assert [(event["type"], event.get("anomaly")) for event in await history(http, FINE)] == [
        ("published", None),
        ("cancelled", None),
        ("paid", "paid_after_cancellation"),
    ]


async def test_the_updates_of_the_day_are_listed_page_by_page_and_one_updated_meanwhile_comes_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    yesterday, *today = (a_number(serial) for serial in range(10, 17))
    clock.now = NOW - DAY
    await http.put(at(yesterday), json=a_body())
    for minute, number in enumerate(today):
        clock.now = NOW + minute * 60 * SECOND
        await http.put(at(number), json=a_body())

    since = {"updatedFrom": "2026-11-23T00:00:00+01:00", "limit": "2"}
    first = (await http.get(NOTICES, params=since)).json()
    await http.patch(at(today[0]), json={"amount": 1})
    second = (await http.get(NOTICES, params={**since, "cursor": first["nextCursor"]})).json()
    third = (await http.get(NOTICES, params={**since, "cursor": second["nextCursor"]})).json()
    last = (await http.get(NOTICES, params={**since, "cursor": third["nextCursor"]})).json()

    pages = [[notice["noticeNumber"] for notice in page["items"]] for page in (first, second, third, last)]
    # It shares its instant with the last one, and comes before it by its number.
    assert pages == [[today[0], today[1]], [today[2], today[3]], [today[4], today[0]], [today[5]]]
    assert last["nextCursor"] is None
    assert third["items"][-1]["amount"] == 1


async def test_customer_care_reads_what_the_citizen_saw_at_that_hour(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await http.put(at(FINE), json=a_body(amount=12050))
    clock.advance(HOUR)
    await http.patch(at(FINE), json={"amount": 9000, "debtor": {"fullName": "Maria Rossi"}})
    clock.advance(HOUR)
    await declare(http, FINE, type="cancelled")
    clock.advance(HOUR)
    await paid(application, FINE, clock)

    async def seen(moment: str) -> tuple[object, ...]:
        notice = (await http.get(at(FINE), params={"at": moment})).json()
        return notice["version"], notice["status"], notice["amount"], notice["debtor"]["fullName"]

    assert await seen("2026-11-23T11:30:00+01:00") == (1, "ACTIVE", 12050, "Mario Rossi")
    assert await seen("2026-11-23T12:00:00+01:00") == (2, "ACTIVE", 9000, "Maria Rossi")
    assert await seen("2026-11-23T12:30:00Z") == (3, "CANCELLED", 9000, "Maria Rossi")
    assert await seen("2026-11-23T13:00:00Z") == (4, "PAID", 9000, "Maria Rossi")
    assert (await http.get(at(FINE), params={"at": "2026-11-23T09:59:59Z"})).status_code == 404
    assert (await http.get(at(FINE), params={"at": "2026-11-23T13:00:01Z"})).status_code == 400
    who = [(event["actor"]["role"], event["actor"]["name"]) for event in await history(http, FINE)]
    assert who == [("creditor_institution", "local-ec")] * 3 + [("platform", "nodo")]


async def test_the_day_of_the_clock_change_in_march_ends_an_hour_early_and_counts_whole(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    clock.now = datetime(2027, 3, 27, 12, tzinfo=UTC)
    day = {"validFrom": "2027-03-28", "dueDate": "2027-03-28", "switchToExpired": True}
    published = await http.put(at(FINE), json=a_body(**day))
    assert {name: published.json()[name] for name in day} == day

    # 23 hours in Rome, from midnight in winter to midnight in summer.
    moment = SECOND / 1000
    begins, ends = datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC)
    for now, expected in (
        (begins - moment, "SCHEDULED"),
        (begins, "ACTIVE"),
        (ends - moment, "ACTIVE"),
        (ends, "EXPIRED"),
    ):
        clock.now = now
        assert await status(http, FINE) == expected
        assert await numbers(http, status=expected, dueFrom="2027-03-28", dueTo="2027-03-28") == [FINE]

    skipped = await http.put(at(WASTE_TAX), json=a_body(dueDate="2028-03-26T02:30:00"))
    assert skipped.status_code == 422
    assert skipped.json()["violations"][0]["code"] == "missing_hour"


def at(number: NoticeNumber) -> str:
    """Where the notice is."""
    return f"{NOTICES}/{number}"


async def declare(http: httpx.AsyncClient, number: NoticeNumber, **said: Any) -> httpx.Response:
    """Say what happened to the notice."""
    return await http.post(f"{at(number)}/events", json=said)


async def status(http: httpx.AsyncClient, number: NoticeNumber) -> object:
    """The status that is shown."""
    return (await http.get(at(number))).json()["status"]


async def history(http: httpx.AsyncClient, number: NoticeNumber) -> list[dict[str, Any]]:
    """What happened to the notice, oldest first."""
    items: list[dict[str, Any]] = (await http.get(f"{at(number)}/events")).json()["items"]
    assert [event["version"] for event in items] == [*range(1, len(items) + 1)]
    return items


async def told(http: httpx.AsyncClient, number: NoticeNumber) -> list[str]:
    """The types of what happened."""
    return [event["type"] for event in await history(http, number)]


async def numbers(http: httpx.AsyncClient, **filters: str) -> list[str]:
    """The numbers that the list shows, all on one page."""
    page = (await http.get(NOTICES, params=filters)).json()
    assert page["nextCursor"] is None
    return [notice["noticeNumber"] for notice in page["items"]]


async def paid(application: Application, number: NoticeNumber, clock: StillClock) -> None:
    """Money comes in through pagoPA, with one receipt."""
    payment = a_payment(paid_at=clock.now)
    await application.archive.record_payment(Address(INSTITUTION, number), payment, an_act(clock.now, actor=PLATFORM))


async def settled(application: Application, number: NoticeNumber, clock: StillClock) -> None:
    """The money is accounted for, in one line of one flow."""
    await application.archive.record_settlement(
        Address(INSTITUTION, number), a_line(), an_act(clock.now, actor=PLATFORM)
    )


async def due_changes_applied(application: Application, clock: StillClock) -> int:
    """The timer comes."""
    return await application.archive.apply_due_changes(WriteContext(clock.now, ARCHIVE, "timer"), clock.now + HOUR)
