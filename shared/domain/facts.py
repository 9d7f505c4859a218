"""Facts of the platform: receipts and settlement lines. They are never refused, because the money has moved.

A fact that is recorded already changes nothing. One that contradicts a declaration is recorded with its anomaly.
"""

from datetime import datetime

from shared.domain import lifecycle
from shared.domain.events import WriteContext
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import Anomaly, Dates, EventType
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
    """Record a receipt. If the number is not communicated, the notice is awaited until the given time."""
    if known is None:
        awaited = _awaited(address, context, EventType.PAID, iuv, awaited_until, payments=(payment,))
        return Change.first(awaited, EventType.AWAITED, context, payment=payment)
    if is_known_receipt(payment, known.payments):
        return Change(known)
    anomaly = Anomaly.PAID_TWICE if known.payments else None
    changes = {"payments": (*known.payments, payment)}
    change = Change.caught_up(known, context)
    return change.then(EventType.PAID, context, changes, anomaly=anomaly, payment=payment)


def record_settlement(
    known: Notice | None,
    address: Address,
    line: Settlement,
    context: WriteContext,
    *,
    awaited_until: datetime | None = None,
) -> Change:
    """Record a settlement line. If the number is not communicated, the notice is awaited until the given time."""
    revoked = Anomaly.PAYMENT_REVOKED if line.is_revocation else None
    if known is None:
        anomalies = (revoked,) if revoked else ()
        awaited = _awaited(
            address, context, EventType.REPORTED, None, awaited_until, settlements=(line,), anomalies=anomalies
        )
        return Change.first(awaited, EventType.AWAITED, context, settlement=line, anomaly=revoked)
    if is_known_line(line, known.settlements):
        return Change(known)
    lines = (*known.settlements, line)
    changes = {"settlements": lines}
    change = Change.caught_up(known, context)
    if revoked:  # no money moved, so the status stays
        return change.record(EventType.REPORTED, context, changes, anomaly=revoked, settlement=line)
    anomaly = Anomaly.REPORTED_TWICE if line.transfer_id in settled_transfers(known.settlements) else None
    is_settled = _is_settled(known, lines)
    return change.then(EventType.REPORTED, context, changes, is_settled=is_settled, anomaly=anomaly, settlement=line)


def apply_earlier_payments(change: Change, context: WriteContext) -> Change:
    """Apply to a publication the receipts and settlement lines that came before it. Their anomalies are on record."""
    notice = change.notice
    assert notice.payments or notice.settlements, "no payment came before the notice"
    if notice.payments:
        change = change.then(EventType.PAID, context, {}, payment=notice.payments[0])
    counted = [line for line in notice.settlements if not line.is_revocation]
    if counted:
        is_settled = _is_settled(notice, notice.settlements)
        return change.then(EventType.REPORTED, context, {}, is_settled=is_settled, settlement=counted[0])
    if notice.settlements:
        return change.record(EventType.REPORTED, context, {}, settlement=notice.settlements[0])
    return change


def catch_up(known: Notice, context: WriteContext) -> Change:
    """Write down the changes that time made: activated, expired, or paid and not communicated in time."""
    until = known.awaited_until
    if known.is_communicated or until is None or context.now < until:
        return Change.caught_up(known, context)
    return Change(known).by_time(lifecycle.TIME[known.status], context, until, awaited_until=None)


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
    effect = lifecycle.effect_of(fact, None, Dates(), context.now)
    assert effect is not None, "a fact has an effect"
    return Notice(
        address,
        iuv or address.number.iuv,
        version=1,
        status=effect.status,
        updated_at=context.now,
        payments=payments,
        settlements=settlements,
        anomalies=anomalies,
        awaited_until=awaited_until,
    )


def _is_settled(notice: Notice, lines: tuple[Settlement, ...]) -> bool:
    ids = notice.content.transfer_ids if notice.content else {1}
    return ids <= settled_transfers(lines)
