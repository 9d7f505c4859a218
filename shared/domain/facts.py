"""What the platform reports of a notice: receipts and settlement lines. Facts are never refused; money has moved.

A fact that was recorded before changes nothing. One that contradicts what was declared is recorded with its anomaly.
"""

from datetime import datetime

from shared.domain import lifecycle
from shared.domain.events import WriteContext
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import Anomaly, Becomes, EventType
from shared.domain.money import Payment, Settlement, is_known_line, is_known_receipt, settled_transfers
from shared.domain.notice import Address, Change, Notice


def record_payment(
    known: Notice | None,
    address: Address,
    payment: Payment,
    context: WriteContext,
    *,
    iuv: Iuv | None = None,
    awaited_until: datetime | None = None,
) -> Change:
    """Record a receipt. For a number nobody communicated the notice is awaited, until the given time."""
    if known is None:
        awaited = _awaited(address, context, EventType.PAID, iuv, awaited_until, payments=(payment,))
        return Change.first(awaited, EventType.AWAITED, context, payment=payment)
    if is_known_receipt(payment, known.payments):
        return Change(known)
    change = Change.caught_up(known, context)
    to = _becomes(change.notice, EventType.PAID)
    anomaly = to.anomaly or (Anomaly.PAID_TWICE if known.payments else None)
    changes = {"status": to.status, "payments": (*known.payments, payment)}
    return change.then(EventType.PAID, context, changes, anomaly=anomaly, payment=payment)


def record_settlement(
    known: Notice | None,
    address: Address,
    line: Settlement,
    context: WriteContext,
    *,
    awaited_until: datetime | None = None,
) -> Change:
    """Record a settlement line. For a number nobody communicated the notice is awaited, until the given time."""
    anomaly = Anomaly.PAYMENT_REVOKED if line.is_revocation else None
    if known is None:
        anomalies = (anomaly,) if anomaly else ()
        awaited = _awaited(
            address, context, EventType.REPORTED, None, awaited_until, settlements=(line,), anomalies=anomalies
        )
        return Change.first(awaited, EventType.AWAITED, context, settlement=line, anomaly=anomaly)
    if is_known_line(line, known.settlements):
        return Change(known)
    change = Change.caught_up(known, context)
    changes: dict[str, object] = {"settlements": (*known.settlements, line)}
    if not line.is_revocation:
        to = _becomes(change.notice, EventType.REPORTED)
        twice = line.transfer_id in settled_transfers(known.settlements)
        anomaly = to.anomaly or (Anomaly.REPORTED_TWICE if twice else None)
        changes["status"] = lifecycle.as_settled(to.status, complete=_is_complete(known, (*known.settlements, line)))
    return change.then(EventType.REPORTED, context, changes, anomaly=anomaly, settlement=line)


def apply_earlier_payments(change: Change, context: WriteContext) -> Change:
    """Add to a publication what the money had said of the notice before; its anomalies stand where they were found."""
    notice = change.notice
    if notice.payments:
        to = _becomes(change.notice, EventType.PAID)
        change = change.then(EventType.PAID, context, {"status": to.status}, payment=notice.payments[0])
    if notice.settlements:
        counted = [line for line in notice.settlements if not line.is_revocation]
        status = change.notice.status
        if counted:
            to = _becomes(change.notice, EventType.REPORTED)
            status = lifecycle.as_settled(to.status, complete=_is_complete(notice, notice.settlements))
        line = (counted or notice.settlements)[0]
        change = change.then(EventType.REPORTED, context, {"status": status}, settlement=line)
    return change


def catch_up(known: Notice, context: WriteContext) -> Change:
    """Write down what time has done: activated, expired, or that nobody communicated in time what was paid."""
    until = known.awaited_until
    if known.is_communicated or until is None or context.now < until:
        return Change.caught_up(known, context)
    return Change(known).by_time(EventType.UNCOMMUNICATED, context, until, awaited_until=None)


def _awaited(
    address: Address,
    context: WriteContext,
    fact: EventType,
    iuv: Iuv | None,
    awaited_until: datetime | None,
    *,
    payments: tuple[Payment, ...] = (),
    settlements: tuple[Settlement, ...] = (),
    anomalies: tuple[Anomaly, ...] = (),
) -> Notice:
    to = lifecycle.outcome(None, fact)
    assert isinstance(to, Becomes)
    return Notice(
        address,
        iuv or address.number.iuv,
        version=1,
        status=to.status,
        updated_at=context.now,
        payments=payments,
        settlements=settlements,
        anomalies=anomalies,
        awaited_until=awaited_until,
    )


def _becomes(notice: Notice, fact: EventType) -> Becomes:
    to = lifecycle.outcome(notice.status, fact)
    assert isinstance(to, Becomes), "the table names a status for every fact"
    return to


def _is_complete(notice: Notice, lines: tuple[Settlement, ...]) -> bool:
    ids = notice.content.transfer_ids if notice.content else {1}
    return ids <= settled_transfers(lines)
