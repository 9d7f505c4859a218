"""What money does to a notice: recorded whatever the status, recognised when it comes again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain import declarations, facts
from shared.domain.dates import ValidFrom
from shared.domain.events import Role, WriteContext
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import Anomaly, Status
from shared.domain.money import OutcomeCode
from shared.domain.notice import Change, Notice
from tests.support import ADDRESS, DAY, HOUR, NOW, a_line, a_notice, a_payment, a_publication, a_transfer, an_act

REVOKED = OutcomeCode.REVOKED


def paid(known: Notice | None, receipt_id: str = "receipt-1") -> Change:
    """Return the change that a receipt makes."""
    return facts.record_payment(known, ADDRESS, a_payment(receipt_id), an_act())


def reported(known: Notice | None, flow_id: str = "flow-1", transfer_id: int = 1, **changes: object) -> Change:
    """Return the change that a settlement line makes."""
    return facts.record_settlement(known, ADDRESS, a_line(flow_id, transfer_id, **changes), an_act())


def with_two_transfers() -> Notice:
    """Return a notice whose money goes two ways."""
    return a_notice(iban=None, transfers=(a_transfer(1, 12000), a_transfer(2, 50)))


def test_a_receipt_is_kept_on_the_notice_and_on_the_event() -> None:
    change = paid(a_notice())

    assert change.notice.payments == (a_payment(),)
    assert change.events[0].payment == a_payment()
    assert change.events[0].changed == {"status": ("ACTIVE", "PAID"), "payments": ((), (a_payment(),))}


@pytest.mark.parametrize("status", ["AWAITED", "PAID", "REPORTED"])
def test_a_repeated_receipt_or_line_changes_nothing_in_any_status(status: str) -> None:
    notice = paid(None if status == "AWAITED" else a_notice()).notice
    notice = notice if status == "PAID" else reported(notice).notice
    assert notice.status == status

    assert paid(notice) == Change(notice)
    if status != "PAID":
        assert reported(notice) == Change(notice)


def test_the_first_receipt_of_a_settled_notice_is_no_anomaly() -> None:
    change = paid(reported(a_notice()).notice)

    assert (change.notice.status, change.events[0].anomaly) == (Status.REPORTED, None)


def test_the_first_receipt_of_a_notice_that_is_settled_in_part_is_no_anomaly() -> None:
    change = paid(reported(with_two_transfers()).notice)

    assert (change.notice.status, change.events[0].anomaly) == (Status.PAID, None)


def test_a_second_receipt_is_paid_twice_and_both_stay() -> None:
    change = paid(paid(a_notice()).notice, "receipt-2")

    assert change.events[0].anomaly is Anomaly.PAID_TWICE
    assert change.notice.anomalies == (Anomaly.PAID_TWICE,)
    assert [payment.receipt_id for payment in change.notice.payments] == ["receipt-1", "receipt-2"]


def test_a_notice_is_reported_when_every_transfer_has_a_line_and_paid_until_then() -> None:
    first = reported(with_two_transfers(), transfer_id=1).notice
    second = reported(first, transfer_id=2).notice

    assert (first.status, second.status) == (Status.PAID, Status.REPORTED)


def test_a_line_for_a_transfer_the_notice_lacks_completes_nothing() -> None:
    change = reported(a_notice(), transfer_id=5)

    assert (change.notice.status, change.events[0].anomaly) == (Status.PAID, None)


def test_another_line_for_a_transfer_that_has_one_is_reported_twice() -> None:
    change = reported(reported(with_two_transfers()).notice, "flow-2")

    assert (change.notice.status, change.events[0].anomaly) == (Status.PAID, Anomaly.REPORTED_TWICE)


def test_a_line_for_a_transfer_that_a_settled_notice_lacks_is_reported_twice() -> None:
    change = reported(reported(a_notice()).notice, "flow-2", transfer_id=9)

    assert (change.notice.status, change.events[0].anomaly) == (Status.REPORTED, Anomaly.REPORTED_TWICE)


def test_a_revoked_line_changes_no_status_and_does_not_count_as_a_line() -> None:
    revoked = reported(a_notice(), outcome_code=REVOKED)
    after = reported(revoked.notice, "flow-2")

    assert (revoked.notice.status, revoked.events[0].anomaly) == (Status.ACTIVE, Anomaly.PAYMENT_REVOKED)
    assert (after.notice.status, after.events[0].anomaly) == (Status.REPORTED, None)


@pytest.mark.parametrize("flow_id", ["flow-1", "flow-2"])
def test_a_revocation_of_a_settled_notice_is_only_recorded(flow_id: str) -> None:
    notice = reported(a_notice(), "flow-0").notice

    change = reported(notice, flow_id, outcome_code=REVOKED)

    assert (change.notice.status, change.events[0].anomaly) == (Status.REPORTED, Anomaly.PAYMENT_REVOKED)


@pytest.mark.parametrize(
    ("end", "anomaly"),
    [(declarations.cancel, "reported_after_cancellation"), (declarations.close, "reported_after_closure")],
)
def test_a_line_that_does_not_complete_an_ended_notice_makes_it_paid_with_the_anomaly(
    end: Callable[[Notice, WriteContext], Change], anomaly: str
) -> None:
    change = reported(end(with_two_transfers(), an_act()).notice)

    assert (change.notice.status, change.events[0].anomaly) == (Status.PAID, anomaly)


def test_money_for_a_number_nobody_communicated_is_awaited() -> None:
    until = NOW + timedelta(hours=24)

    change = facts.record_payment(None, ADDRESS, a_payment(), an_act(), iuv=Iuv("77"), awaited_until=until)

    (event,) = change.events
    assert (event.type, event.status_before, event.status_after, event.changed) == ("awaited", None, "AWAITED", {})
    assert (event.payment, event.summary.amount, event.summary.iuv) == (a_payment(), None, "77")
    assert (change.expected_version, change.notice.version, change.notice.next_change_at) == (0, 1, until)
    assert not change.notice.is_communicated


def test_later_money_of_an_awaited_notice_is_recorded_under_its_own_name() -> None:
    change = reported(paid(None).notice)

    assert (change.events[0].type, change.notice.status) == ("reported", Status.AWAITED)


def test_an_anomaly_found_while_awaited_is_not_repeated_when_the_notice_is_published() -> None:
    first = paid(None)
    twice = paid(first.notice, "receipt-2")
    published = declarations.publish(twice.notice, a_publication(), an_act())

    assert [event.anomaly for event in (*first.events, *twice.events)] == [None, Anomaly.PAID_TWICE]
    assert [(event.type, event.anomaly) for event in published.events] == [("published", None), ("paid", None)]
    assert twice.notice.anomalies == published.notice.anomalies == (Anomaly.PAID_TWICE,)


def test_a_revocation_for_a_number_nobody_communicated_is_an_anomaly_of_the_notice_and_of_its_event() -> None:
    change = reported(None, outcome_code=REVOKED)

    assert (change.notice.anomalies, change.events[0].anomaly) == (
        (Anomaly.PAYMENT_REVOKED,),
        Anomaly.PAYMENT_REVOKED,
    )


def test_a_line_too_many_does_not_keep_a_notice_from_being_reported() -> None:
    notice = reported(a_notice(), transfer_id=5).notice

    assert reported(notice, "flow-2").notice.status is Status.REPORTED


def test_an_awaited_notice_is_given_up_once_when_the_wait_is_over() -> None:
    awaited = facts.record_payment(None, ADDRESS, a_payment(), an_act(), awaited_until=NOW + DAY).notice

    before = facts.catch_up(awaited, an_act(NOW + DAY - timedelta(milliseconds=1)))
    change = facts.catch_up(awaited, an_act(NOW + DAY + HOUR))
    again = facts.catch_up(change.notice, an_act(NOW + 2 * DAY))

    (event,) = change.events
    assert (event.type, event.actor.role, event.occurred_at) == ("uncommunicated", Role.ARCHIVE, NOW + DAY)
    assert (change.notice.status, change.notice.next_change_at) == (Status.AWAITED, None)
    assert before.events == again.events == ()


def test_money_that_comes_before_valid_from_pays_a_scheduled_notice() -> None:
    change = paid(a_notice(valid_from=ValidFrom(NOW + DAY, False)))

    assert [event.type for event in change.events] == ["paid"]


def test_an_anomaly_that_happens_again_is_listed_once_on_the_notice_and_stands_on_each_event() -> None:
    notice = a_notice()
    changes = []
    for receipt in ("receipt-1", "receipt-2", "receipt-3"):
        changes.append(facts.record_payment(notice, ADDRESS, a_payment(receipt), an_act()))
        notice = changes[-1].notice

    assert notice.anomalies == (Anomaly.PAID_TWICE,)
    assert [change.events[0].anomaly for change in changes] == [None, Anomaly.PAID_TWICE, Anomaly.PAID_TWICE]
    assert "anomalies" not in changes[-1].events[0].changed
