"""What declarers may say of a notice, in which order, and what of it is kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import pytest

from shared.domain import declarations, facts
from shared.domain.amounts import Amount
from shared.domain.content import IbanSource
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.declarations import Precondition, Publication
from shared.domain.events import EndReason, Origin, Summary
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.lifecycle import Status
from shared.domain.money import OutcomeCode
from shared.domain.notice import Change, Notice
from shared.errors import (
    DueDateInPast,
    IuvIsFixed,
    ManagedByEc,
    ManagedByGpd,
    NoticeCancelled,
    NoticeNotFound,
    PreconditionFailed,
    StaleDeclaration,
)
from tests.support import (
    ADDRESS,
    DAY,
    EC,
    HOUR,
    NOW,
    NUMBER,
    POSTAL_IBAN,
    SECOND,
    a_content,
    a_line,
    a_notice,
    a_payment,
    a_publication,
    an_act,
)

PAST: dict[str, Any] = {"due_date": DueDate(NOW - HOUR, whole_day=False), "switch_to_expired": True}
Declare = Callable[[Notice | None, Precondition], Change]
EVERY_VERB: dict[str, Declare] = {
    "publish": lambda known, precondition: declarations.publish(known, a_publication(amount=1), an_act(), precondition),
    "amend": lambda known, precondition: declarations.amend(known, {"description": "x"}, None, an_act(), precondition),
    "cancel": lambda known, precondition: declarations.cancel(known, an_act(), precondition),
    "close": lambda known, precondition: declarations.close(known, an_act(), precondition),
    "restore": lambda known, precondition: declarations.restore(known, an_act(), precondition),
}
every_verb = pytest.mark.parametrize("declare", EVERY_VERB.values(), ids=EVERY_VERB)


def test_a_publication_makes_version_one_and_one_event_that_names_no_change() -> None:
    context = an_act(cause="message-1")

    change = declarations.publish(None, a_publication(), context)

    (event,) = change.events
    assert change.publishes
    assert (change.expected_version, change.notice.version, event.version) == (0, 1, 1)
    assert (event.type, event.status_before, event.status_after, event.changed) == ("published", None, "ACTIVE", {})
    assert (event.actor, event.write_id, event.cause, event.recorded_at) == (EC, context.write_id, "message-1", NOW)
    assert (change.notice.origin, change.notice.published_at, change.notice.iuv) == ("ec", NOW, ADDRESS.number.iuv)


def test_the_same_content_again_changes_nothing() -> None:
    notice = a_notice()

    assert declarations.publish(notice, a_publication(), an_act(NOW + HOUR)) == Change(notice)


def test_another_put_of_a_known_notice_is_an_amendment_that_names_what_differs() -> None:
    change = declarations.publish(a_notice(), a_publication(amount=999, description="b"), an_act(NOW + HOUR))

    (event,) = change.events
    assert event.type == "amended"
    assert event.changed == {"amount": (12050, 999), "description": ("TARI 2026 prima rata", "b")}
    assert not change.publishes


def test_an_amendment_names_a_change_of_status_too() -> None:
    change = declarations.amend(a_notice(), {"valid_from": ValidFrom(NOW + DAY, False)}, None, an_act())

    assert change.events[0].changed == {
        "status": ("ACTIVE", "SCHEDULED"),
        "valid_from": (None, ValidFrom(NOW + DAY, False)),
    }


def test_a_new_notice_with_a_binding_due_date_in_the_past_is_refused() -> None:
    with pytest.raises(DueDateInPast):
        declarations.publish(None, a_publication(**PAST), an_act())


def test_a_past_due_date_that_is_not_binding_is_accepted() -> None:
    change = declarations.publish(None, a_publication(due_date=PAST["due_date"]), an_act())

    assert change.notice.status is Status.ACTIVE


def test_a_binding_due_date_may_not_be_moved_into_the_past() -> None:
    with pytest.raises(DueDateInPast):
        declarations.amend(a_notice(switch_to_expired=True), {"due_date": PAST["due_date"]}, None, an_act())


def test_other_fields_of_an_expired_notice_change_and_it_stays_expired() -> None:
    change = declarations.amend(a_notice(NOW - DAY, **PAST), {"description": "b"}, None, an_act())

    assert [event.type for event in change.events] == ["expired", "amended"]
    assert change.notice.status is Status.EXPIRED


def test_an_expired_notice_becomes_payable_by_a_new_due_date() -> None:
    due = DueDate(NOW + DAY, whole_day=False)

    change = declarations.amend(a_notice(NOW - DAY, **PAST), {"due_date": due}, None, an_act())

    assert change.notice.status is Status.ACTIVE


def test_a_due_date_made_binding_after_it_passed_expires_the_notice() -> None:
    notice = a_notice(NOW - DAY, due_date=PAST["due_date"])

    assert declarations.amend(notice, {"switch_to_expired": True}, None, an_act()).notice.status is Status.EXPIRED


def test_what_time_did_has_neither_the_reason_nor_the_cause_of_the_declaration_that_comes_after_it() -> None:
    notice = a_notice(NOW - DAY, **PAST)

    expired, cancelled = declarations.cancel(notice, an_act(reason="wrong amount", cause="message-1")).events

    assert (expired.type, expired.reason, expired.cause) == ("expired", None, None)
    assert (cancelled.type, cancelled.reason, cancelled.cause) == ("cancelled", "wrong amount", "message-1")


def test_every_event_sums_up_the_notice_as_it_left_it() -> None:
    published = declarations.publish(None, a_publication(pay_stand_in=False), an_act())
    amended = declarations.amend(published.notice, {"amount": Amount(1), "pay_stand_in": True}, None, an_act())
    closed = declarations.close(amended.notice, an_act())

    due = a_content().due_date
    assert [event.summary for change in (published, amended, closed) for event in change.events] == [
        Summary(NUMBER.iuv, Origin.EC, Amount(12050), due, pay_stand_in=False, end_reason=None),
        Summary(NUMBER.iuv, Origin.EC, Amount(1), due, pay_stand_in=True, end_reason=None),
        Summary(NUMBER.iuv, Origin.EC, Amount(1), due, pay_stand_in=True, end_reason=EndReason.PAID_ELSEWHERE),
    ]


def test_an_amendment_declared_for_an_earlier_time_gives_the_status_that_is_true_now() -> None:
    starts_at = ValidFrom(NOW - HOUR, whole_day=False)

    change = declarations.amend(
        a_notice(NOW - DAY), {"valid_from": starts_at}, None, an_act(occurred_at=NOW - 2 * HOUR)
    )

    assert change.notice.status is Status.ACTIVE


def test_a_cancellation_that_names_a_number_is_a_replacement() -> None:
    other = NoticeNumber("347000000000000225")

    notice = declarations.cancel(a_notice(), an_act(reason="wrong amount"), replaced_by=other).notice

    assert (notice.end_reason, notice.replaced_by) == (EndReason.REPLACED, other)


def test_a_notice_sent_back_as_it_was_read_keeps_the_registered_iban_as_registered() -> None:
    registered = replace(a_content(), iban_source=IbanSource.REGISTERED)
    notice = declarations.publish(None, Publication(ADDRESS, registered), an_act()).notice

    assert declarations.publish(notice, a_publication(), an_act()) == Change(notice)
    changed = declarations.publish(notice, a_publication(amount=1), an_act()).notice.content
    assert changed is not None
    assert changed.iban_source is IbanSource.REGISTERED


def test_another_iban_in_place_of_the_registered_one_is_a_given_iban() -> None:
    registered = replace(a_content(), iban_source=IbanSource.REGISTERED)
    notice = declarations.publish(None, Publication(ADDRESS, registered), an_act()).notice

    content = declarations.publish(notice, a_publication(iban=POSTAL_IBAN), an_act()).notice.content

    assert content is not None
    assert (content.iban, content.iban_source) == (POSTAL_IBAN, IbanSource.GIVEN)


def test_a_restored_notice_has_no_end_reason_any_more() -> None:
    cancelled = declarations.cancel(a_notice(), an_act(), replaced_by=NoticeNumber("347000000000000225")).notice

    change = declarations.restore(cancelled, an_act())

    assert (change.notice.status, change.notice.end_reason, change.notice.replaced_by) == ("ACTIVE", None, None)


@pytest.mark.parametrize(
    ("dates", "status"),
    [
        ({}, "ACTIVE"),
        ({"valid_from": ValidFrom(NOW + DAY, False)}, "SCHEDULED"),
        ({"due_date": DueDate(NOW - HOUR, False), "switch_to_expired": True}, "EXPIRED"),
    ],
)
def test_a_restored_notice_is_what_its_dates_make_it(dates: dict[str, Any], status: str) -> None:
    cancelled = declarations.cancel(a_notice(NOW - DAY, **dates), an_act(NOW - DAY)).notice

    assert declarations.restore(cancelled, an_act()).notice.status == status


@every_verb
def test_a_stale_version_is_refused(declare: Declare) -> None:
    with pytest.raises(PreconditionFailed):
        declare(a_notice(), Precondition(versions=frozenset({2})))


@every_verb
def test_a_precondition_comes_before_the_state(declare: Declare) -> None:
    paid = facts.record_payment(a_notice(), ADDRESS, a_payment(), an_act()).notice

    with pytest.raises(PreconditionFailed):
        declare(paid, Precondition(versions=frozenset({1})))


@pytest.mark.parametrize("precondition", [Precondition(exists=True), Precondition(versions=frozenset({1}))])
def test_if_match_on_an_unknown_notice_fails_a_publication(precondition: Precondition) -> None:
    with pytest.raises(PreconditionFailed):
        declarations.publish(None, a_publication(), an_act(), precondition)


def test_a_notice_supposed_to_be_new_is_refused_when_known_whatever_its_content() -> None:
    with pytest.raises(PreconditionFailed):
        declarations.publish(a_notice(), a_publication(), an_act(), Precondition(is_new=True))


@pytest.mark.parametrize("verb", ["amend", "cancel", "close", "restore"])
def test_what_nobody_published_cannot_be_changed_whatever_is_supposed(verb: str) -> None:
    with pytest.raises(NoticeNotFound):
        EVERY_VERB[verb](None, Precondition(exists=True))


@every_verb
def test_a_notice_of_gpd_is_changed_by_gpd_alone_even_if_nothing_would_change(declare: Declare) -> None:
    gpd = declarations.publish(None, a_publication(), an_act(origin=Origin.GPD)).notice

    with pytest.raises(ManagedByGpd):
        declare(gpd, Precondition())


def test_a_notice_of_an_ec_is_not_changed_by_the_queue() -> None:
    with pytest.raises(ManagedByEc):
        declarations.publish(a_notice(), a_publication(), an_act(origin=Origin.GPD))


def test_the_origin_comes_before_the_state() -> None:
    gpd = declarations.publish(None, a_publication(), an_act(origin=Origin.GPD)).notice
    cancelled = declarations.cancel(gpd, an_act(origin=Origin.GPD)).notice

    with pytest.raises(ManagedByGpd):
        declarations.publish(cancelled, a_publication(), an_act())


def test_another_iuv_is_refused_on_a_known_notice() -> None:
    publication = Publication(ADDRESS, a_content(), Iuv("99"))

    with pytest.raises(IuvIsFixed):
        declarations.publish(a_notice(), publication, an_act())
    with pytest.raises(IuvIsFixed):
        declarations.amend(a_notice(), {}, None, an_act(), iuv=Iuv("99"))


def test_content_declared_before_the_latest_content_comes_too_late() -> None:
    notice = declarations.amend(a_notice(NOW - DAY), {"description": "b"}, None, an_act()).notice

    with pytest.raises(StaleDeclaration):
        declarations.publish(notice, a_publication(), an_act(NOW + HOUR, occurred_at=NOW - SECOND))


def test_equal_times_are_not_older() -> None:
    change = declarations.publish(a_notice(), a_publication(amount=1), an_act(NOW + HOUR, occurred_at=NOW))

    assert change.events


def test_the_order_of_contents_and_the_order_of_states_are_two() -> None:
    cancelled = declarations.cancel(a_notice(NOW - DAY), an_act(NOW)).notice
    restored = declarations.restore(cancelled, an_act(NOW)).notice

    change = declarations.amend(restored, {"description": "b"}, None, an_act(NOW + HOUR, occurred_at=NOW - HOUR))

    assert change.notice.content_at == NOW - HOUR


def test_a_declaration_that_changes_nothing_does_not_advance_the_latest() -> None:
    same = declarations.publish(a_notice(NOW - DAY), a_publication(), an_act(NOW)).notice

    assert declarations.publish(same, a_publication(amount=1), an_act(NOW, occurred_at=NOW - HOUR)).events


def test_a_time_ahead_of_our_clock_counts_as_now() -> None:
    change = declarations.publish(None, a_publication(), an_act(occurred_at=NOW + 4 * 60 * SECOND))

    assert (change.notice.content_at, change.events[0].occurred_at) == (NOW, NOW)


def test_a_stale_declaration_is_refused_before_the_state_is_looked_at() -> None:
    notice = declarations.cancel(a_notice(), an_act()).notice

    with pytest.raises(StaleDeclaration):
        declarations.publish(notice, a_publication(), an_act(NOW + HOUR, occurred_at=NOW - HOUR))


def test_the_state_comes_before_the_rules_between_fields() -> None:
    cancelled = declarations.cancel(a_notice(), an_act()).notice

    with pytest.raises(NoticeCancelled):
        declarations.amend(cancelled, {"valid_from": ValidFrom.parse("2027-01-01")}, None, an_act())


def test_within_a_notice_time_never_runs_backwards() -> None:
    change = declarations.cancel(a_notice(NOW), an_act(NOW - HOUR))

    assert change.events[0].recorded_at == change.notice.updated_at == NOW


@pytest.mark.parametrize(
    ("money", "status", "types"),
    [
        (["receipt"], "PAID", ["published", "paid"]),
        (["line"], "REPORTED", ["published", "reported"]),
        (["receipt", "line"], "REPORTED", ["published", "paid", "reported"]),
        (["receipt", "another receipt"], "PAID", ["published", "paid"]),
        (["line of another transfer"], "PAID", ["published", "reported"]),
        (["revoked line"], "ACTIVE", ["published", "reported"]),
    ],
)
def test_a_notice_published_after_its_money_takes_what_the_money_says(
    money: list[str], status: str, types: list[str]
) -> None:
    known = None
    for fact in money:
        known = _record(known, fact)

    change = declarations.publish(known, a_publication(), an_act(), Precondition(is_new=True))

    assert [event.type for event in change.events] == types
    assert change.notice.status == status
    assert change.publishes
    assert change.notice.awaited_until is None
    assert [event.anomaly for event in change.events] == [None] * len(types)


def test_a_notice_published_after_its_money_names_the_first_receipt_and_the_first_line_that_counts() -> None:
    known, context = None, an_act(NOW - HOUR)
    for receipt in ("receipt-1", "receipt-2"):
        known = facts.record_payment(known, ADDRESS, a_payment(receipt), context).notice
    for line in (a_line(outcome_code=OutcomeCode.REVOKED), a_line("flow-2"), a_line("flow-3")):
        known = facts.record_settlement(known, ADDRESS, line, context).notice

    _, paid, reported = declarations.publish(known, a_publication(), an_act()).events

    assert (paid.payment, reported.settlement) == (a_payment("receipt-1"), a_line("flow-2"))


def test_a_notice_published_after_its_money_is_what_its_declarer_says_of_it() -> None:
    paid = facts.record_payment(None, ADDRESS, a_payment(), an_act(NOW - HOUR)).notice
    declared_at = NOW - DAY

    change = declarations.publish(
        paid, replace(a_publication(), iuv=Iuv("77")), an_act(occurred_at=declared_at, origin=Origin.GPD)
    )

    notice = change.notice
    assert (notice.iuv, notice.origin, notice.content_at, notice.published_at) == ("77", "gpd", declared_at, NOW)
    assert {(event.summary.iuv, event.summary.origin) for event in change.events} == {("77", "gpd")}


def _record(known: Notice | None, fact: str) -> Notice:
    context = an_act(NOW - HOUR)
    match fact:
        case "receipt" | "another receipt":
            return facts.record_payment(known, ADDRESS, a_payment(fact), context).notice
        case "line of another transfer":
            return facts.record_settlement(known, ADDRESS, a_line(transfer_id=2), context).notice
        case "revoked line":
            return facts.record_settlement(known, ADDRESS, a_line(outcome_code=OutcomeCode.REVOKED), context).notice
        case _:
            return facts.record_settlement(known, ADDRESS, a_line(), context).notice


def test_a_binding_due_date_in_the_past_is_no_obstacle_when_the_money_came_first() -> None:
    paid = facts.record_payment(None, ADDRESS, a_payment(), an_act(NOW - HOUR)).notice

    assert declarations.publish(paid, a_publication(**PAST), an_act()).notice.status is Status.PAID


def test_the_origin_comes_before_another_iuv() -> None:
    notice = replace(a_notice(), origin=Origin.GPD)

    with pytest.raises(ManagedByGpd):
        declarations.publish(notice, replace(a_publication(), iuv=Iuv("ANOTHER")), an_act())
    with pytest.raises(ManagedByGpd):
        declarations.cancel(notice, an_act(), iuv=Iuv("ANOTHER"))


def test_a_declared_time_that_only_our_slow_clock_has_not_reached_is_taken_and_kept() -> None:
    # Another host, whose clock is ahead of ours, took the latest declaration.
    notice = declarations.amend(a_notice(), {"amount": Amount(1)}, None, an_act(NOW + 2 * SECOND)).notice

    change = declarations.amend(notice, {"amount": Amount(2)}, None, an_act(NOW, occurred_at=NOW + SECOND))

    (event,) = change.events
    assert (event.occurred_at, change.notice.content_at) == (NOW + SECOND, NOW + SECOND)


def test_a_declared_time_that_has_passed_is_kept() -> None:
    notice = declarations.cancel(a_notice(), an_act(NOW + 2 * SECOND)).notice

    change = declarations.restore(notice, an_act(NOW + HOUR, occurred_at=NOW + 3 * SECOND))

    (event,) = change.events
    assert (event.occurred_at, change.notice.state_at) == (NOW + 3 * SECOND, NOW + 3 * SECOND)


def test_a_stale_declaration_says_which_time_the_archive_holds() -> None:
    notice = declarations.cancel(a_notice(), an_act(NOW + HOUR, occurred_at=NOW + SECOND)).notice

    with pytest.raises(StaleDeclaration) as refusal:
        declarations.restore(notice, an_act(NOW + HOUR, occurred_at=NOW))

    assert "2026-11-23T10:00:01.000Z" in refusal.value.detail


@pytest.mark.parametrize(
    ("precondition", "says"),
    [
        (Precondition(versions=frozenset({7})), "at version 1"),
        (Precondition(versions=frozenset()), '"3-ACTIVE"'),
        (Precondition(is_new=True), "without If-None-Match"),
    ],
)
def test_a_failed_precondition_says_what_to_send(precondition: Precondition, says: str) -> None:
    with pytest.raises(PreconditionFailed) as refusal:
        declarations.publish(a_notice(), a_publication(), an_act(), precondition)

    assert says in refusal.value.detail


def test_a_text_in_another_spelling_of_its_accents_changes_nothing() -> None:
    notice = a_notice(description="Città", metadata={"località": "Forlì"}, company_name="Società")
    decomposed = {name: normalize("NFD", text) for name, text in (("d", "Città"), ("k", "località"), ("v", "Forlì"))}
    again = a_publication(
        description=decomposed["d"], metadata={decomposed["k"]: decomposed["v"]}, company_name="Società"
    )

    assert declarations.publish(notice, again, an_act(NOW + HOUR)) == Change(notice)


def test_a_text_that_stays_keeps_its_spelling_when_another_field_changes() -> None:
    notice = a_notice(description="Città", amount=1)

    change = declarations.publish(notice, a_publication(description=normalize("NFD", "Città"), amount=2), an_act())

    assert change.events[0].changed == {"amount": (1, 2)}


def test_a_key_of_the_metadata_is_amended_and_cleared_in_either_spelling() -> None:
    notice = a_notice(metadata={"località": "Forlì", "b": "2"})
    key = normalize("NFD", "località")

    amended = declarations.amend(notice, {"metadata": {key: "Roma"}}, None, an_act()).notice
    cleared = declarations.amend(amended, {"metadata": {key: None}}, None, an_act()).notice

    assert amended.content is not None
    assert cleared.content is not None
    assert (amended.content.metadata, cleared.content.metadata) == ({"località": "Roma", "b": "2"}, {"b": "2"})


def test_a_notice_published_after_its_money_is_awaited_no_longer() -> None:
    until = NOW + DAY
    awaited = facts.record_payment(None, ADDRESS, a_payment(), an_act(NOW - HOUR), awaited_until=until).notice

    change = declarations.publish(awaited, a_publication(), an_act())

    assert (awaited.awaited_until, change.notice.awaited_until) == (until, None)


def test_another_iuv_comes_before_the_order_in_time() -> None:
    notice, too_late = declarations.cancel(a_notice(), an_act()).notice, an_act(occurred_at=NOW - SECOND)

    with pytest.raises(IuvIsFixed):
        declarations.publish(notice, replace(a_publication(), iuv=Iuv("ANOTHER")), too_late)
    with pytest.raises(IuvIsFixed):
        declarations.amend(notice, {}, None, too_late, iuv=Iuv("ANOTHER"))
    with pytest.raises(IuvIsFixed):
        declarations.cancel(notice, too_late, iuv=Iuv("ANOTHER"))
