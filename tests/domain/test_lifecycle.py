"""The life cycle, cell by cell: what every verb does to a notice in every status."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain import declarations, facts
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.lifecycle import (
    TIME,
    TRANSITIONS,
    TRUE_NOW,
    Dates,
    EventType,
    Status,
    StoredAs,
    status_at,
    status_by_dates,
)
from shared.domain.notice import Change, Notice
from shared.errors import ArchiveError
from tests.support import ADDRESS, DAY, HOUR, NOW, a_line, a_notice, a_payment, a_publication, an_act

TOMORROW = ValidFrom(NOW + DAY, whole_day=False)
EXPIRING: dict[str, Any] = {"due_date": DueDate(NOW - HOUR, whole_day=False), "switch_to_expired": True}


def _scheduled() -> Notice:
    return a_notice(NOW - HOUR, valid_from=TOMORROW)


def _expired() -> Notice:
    return a_notice(NOW - 2 * HOUR, **EXPIRING)


def _paid() -> Notice:
    return facts.record_payment(a_notice(NOW - HOUR), ADDRESS, a_payment("first"), an_act(NOW - HOUR)).notice


def _reported() -> Notice:
    return facts.record_settlement(_paid(), ADDRESS, a_line("first"), an_act(NOW - HOUR)).notice


IN_STATUS: dict[str, Callable[[], Notice | None]] = {
    "(none)": lambda: None,
    "AWAITED": lambda: facts.record_payment(None, ADDRESS, a_payment("first"), an_act(NOW - HOUR)).notice,
    "SCHEDULED": _scheduled,
    "ACTIVE": lambda: a_notice(NOW - HOUR),
    "EXPIRED": _expired,
    "CANCELLED": lambda: declarations.cancel(a_notice(NOW - HOUR), an_act(NOW - HOUR)).notice,
    "CLOSED": lambda: declarations.close(a_notice(NOW - HOUR), an_act(NOW - HOUR)).notice,
    "PAID": _paid,
    "REPORTED": _reported,
}

VERBS: dict[str, Callable[[Notice | None], Change]] = {
    "published": lambda known: declarations.publish(known, a_publication(amount=999), an_act()),
    "amended": lambda known: declarations.amend(known, {"description": "another"}, None, an_act()),
    "cancelled": lambda known: declarations.cancel(known, an_act()),
    "closed": lambda known: declarations.close(known, an_act()),
    "restored": lambda known: declarations.restore(known, an_act()),
    "paid": lambda known: facts.record_payment(known, ADDRESS, a_payment("another"), an_act()),
    "reported": lambda known: facts.record_settlement(known, ADDRESS, a_line("another"), an_act()),
}

# What design and law say, written here once more by hand: the table under test must not be its own oracle.
TABLE = """
(none)    | ACTIVE           | 404              | 404              | 404              | 404                | AWAITED | AWAITED
AWAITED   | PAID             | 404              | 404              | 404              | 404                | AWAITED paid_twice | AWAITED
SCHEDULED | ACTIVE           | SCHEDULED        | CANCELLED        | CLOSED           | same               | PAID | REPORTED
ACTIVE    | ACTIVE           | ACTIVE           | CANCELLED        | CLOSED           | same               | PAID | REPORTED
EXPIRED   | ACTIVE           | EXPIRED          | CANCELLED        | CLOSED           | notice_expired | PAID | REPORTED
CANCELLED | notice_cancelled | notice_cancelled | same             | notice_cancelled | ACTIVE             | PAID paid_after_cancellation | REPORTED reported_after_cancellation
CLOSED    | notice_closed    | notice_closed    | notice_closed    | same             | ACTIVE             | PAID paid_twice | REPORTED reported_after_closure
PAID      | notice_paid      | notice_paid      | notice_paid      | notice_paid      | notice_paid        | PAID paid_twice | REPORTED
REPORTED  | notice_reported  | notice_reported  | notice_reported  | notice_reported  | notice_reported    | REPORTED paid_twice | REPORTED reported_twice
"""  # noqa: E501  a table is read in rows

CELLS = [
    pytest.param(status.strip(), verb, cell.strip(), id=f"{verb} when {status.strip()}")
    for status, *cells in (row.split("|") for row in TABLE.strip().splitlines())
    for verb, cell in zip(VERBS, cells, strict=True)
]


@pytest.mark.parametrize(("status", "verb", "expected"), CELLS)
def test_every_verb_does_in_every_status_what_the_table_says(status: str, verb: str, expected: str) -> None:
    known = IN_STATUS[status]()
    assert str(known.status_at(NOW) if known else "(none)") == status

    assert _told(VERBS[verb], known) == expected


def _told(verb: Callable[[Notice | None], Change], known: Notice | None) -> str:
    try:
        change = verb(known)
    except ArchiveError as refusal:
        return "404" if refusal.status == 404 else refusal.code
    if not change.events:
        return "same"
    anomaly = change.events[-1].anomaly
    return f"{change.notice.status} {anomaly}" if anomaly else change.notice.status


@pytest.mark.parametrize("stored", ["SCHEDULED", "ACTIVE", "EXPIRED"])
@pytest.mark.parametrize(("valid_from", "status"), [(TOMORROW, Status.SCHEDULED), (None, Status.ACTIVE)])
def test_the_dates_of_another_content_decide_the_status(
    stored: str, valid_from: ValidFrom | None, status: Status
) -> None:
    due = DueDate(NOW + 9 * DAY, whole_day=False)
    content: dict[str, Any] = {"due_date": due, "switch_to_expired": True, "valid_from": valid_from}
    known = IN_STATUS[stored]()

    assert declarations.publish(known, a_publication(**content), an_act()).notice.status is status
    assert declarations.amend(known, content, None, an_act()).notice.status is status


@pytest.mark.parametrize(("valid_from", "status"), [(TOMORROW, Status.SCHEDULED), (None, Status.ACTIVE)])
def test_the_dates_of_a_new_notice_decide_its_status(valid_from: ValidFrom | None, status: Status) -> None:
    assert declarations.publish(None, a_publication(valid_from=valid_from), an_act()).notice.status is status


@pytest.mark.parametrize("end", [declarations.cancel, declarations.close])
def test_the_dates_of_a_restored_notice_decide_its_status(end: Callable[..., Change]) -> None:
    ended = end(_scheduled(), an_act(NOW - HOUR)).notice

    assert declarations.restore(ended, an_act()).notice.status is Status.SCHEDULED


def test_the_table_names_every_status_and_every_verb() -> None:
    assert set(TRANSITIONS) == {None, *Status}
    assert all([*row] == [EventType(verb) for verb in VERBS] for row in TRANSITIONS.values())


def test_the_verbs_and_what_time_does_are_all_the_events_there_are() -> None:
    verbs, times = {EventType(verb) for verb in VERBS}, {passage.event for passage in TIME.values()}

    assert verbs | times | {EventType.AWAITED} == set(EventType)


@pytest.mark.parametrize("hours", range(-2, 4))
@pytest.mark.parametrize("stored", [Status.SCHEDULED, Status.ACTIVE, Status.EXPIRED, Status.PAID])
@pytest.mark.parametrize("ends", [True, False])
def test_a_status_true_now_is_stored_as_the_searches_of_stores_suppose(stored: Status, ends: bool, hours: int) -> None:
    now = NOW + hours * HOUR
    dates = Dates(starts_at=NOW, ends_at=NOW + HOUR if ends else None)

    def suits(row: StoredAs) -> bool:
        started, ended = now >= NOW, ends and now >= NOW + HOUR
        return row.status is stored and row.started in (None, started) and row.ended in (None, ended)

    assert [status for status, rows in TRUE_NOW.items() if any(map(suits, rows))] == [status_at(stored, dates, now)]


def test_what_is_only_awaited_is_in_no_list() -> None:
    assert set(TRUE_NOW) == set(Status) - {Status.AWAITED}


def test_a_notice_is_payable_from_valid_from_on_and_until_the_instant_of_its_due_date() -> None:
    dates = Dates(starts_at=NOW, ends_at=NOW + HOUR)
    moment = timedelta(milliseconds=1)

    statuses = [status_by_dates(dates, now) for now in (NOW - moment, NOW, NOW + HOUR - moment, NOW + HOUR)]

    assert statuses == [Status.SCHEDULED, Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]


def test_a_due_date_that_is_not_binding_never_expires() -> None:
    notice = a_notice(due_date=DueDate.parse("2026-11-24"))

    assert notice.status_at(NOW + 10_000 * DAY) is Status.ACTIVE
    assert notice.next_change_at is None


def test_a_save_writes_down_first_what_time_has_done() -> None:
    notice = a_notice(
        NOW - 3 * DAY,
        valid_from=ValidFrom(NOW - 2 * DAY, False),
        due_date=DueDate(NOW - DAY, False),
        switch_to_expired=True,
    )

    change = declarations.cancel(notice, an_act(write_id="w"))

    told = [(event.version, event.type, event.actor.role, event.occurred_at, event.write_id) for event in change.events]
    assert told == [
        (2, "activated", "archive", NOW - 2 * DAY, "w"),
        (3, "expired", "archive", NOW - DAY, "w"),
        (4, "cancelled", "creditor_institution", NOW, "w"),
    ]


def test_what_is_refused_or_changes_nothing_writes_nothing_down() -> None:
    dates: dict[str, Any] = {"due_date": DueDate(NOW - DAY, False), "switch_to_expired": True}
    expired = a_notice(NOW - 2 * DAY, **dates)

    same = declarations.publish(expired, a_publication(**dates), an_act())

    assert same == Change(expired)


def test_a_whole_day_is_payable_through_its_end_in_rome() -> None:
    notice = a_notice(due_date=DueDate.of_day(date(2026, 12, 16)), switch_to_expired=True)
    end = DueDate.of_day(date(2026, 12, 16)).instant

    assert end.isoformat() == "2026-12-16T23:00:00+00:00"
    assert notice.status_at(end - timedelta(milliseconds=1)) is Status.ACTIVE
    assert notice.status_at(end) is Status.EXPIRED
