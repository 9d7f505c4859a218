"""How an event changed a notice: field by field, in the words of a clerk."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any

from ops.output import printable
from ops.views import format_in_rome
from shared.domain.content import Debtor, Stamp, Transfer
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.events import NoticeEvent
from shared.domain.lifecycle import EventType
from shared.domain.money import Payment, Settlement

MISSING = "none"
"""The word for a value that is not there."""


def differences(event: NoticeEvent) -> list[str]:
    """Return a line for each value that the event changed: its name, the value before, the value after.

    No line has control characters, whatever the texts of the notice are.
    """
    return [printable(line) for line in (*_first_values(event), *_changes(event))]


def _first_values(event: NoticeEvent) -> Iterator[str]:
    """Yield the main values of an event that brings a notice into the archive. It names no changed fields."""
    summary = event.summary
    if event.type in (EventType.PUBLISHED, EventType.AWAITED):
        yield f"status: {event.status_before or MISSING} → {event.status_after}"
    if event.type is EventType.PUBLISHED:
        yield f"amount: {_words('amount', summary.amount)}"
        yield f"due date: {_words('due date', summary.due_date)}"
    elif event.type is EventType.AWAITED:
        facts = (("payments", event.payment), ("settlements", event.settlement))
        yield from (f"{label}: + {_words(label, fact)}" for label, fact in facts if fact is not None)


def _changes(event: NoticeEvent) -> Iterator[str]:
    for name, (before, after) in event.changed.items():
        yield from _differences(_label(name), before, after)


def _differences(label: str, before: Any, after: Any) -> Iterator[str]:
    """Yield the lines of one field. Parts that can change alone have a line each."""
    match before, after:
        case (Debtor(), Debtor()) | (Transfer(), Transfer()):
            yield from _parts(label, _values(before), _values(after))
        case Mapping(), Mapping():
            yield from _parts(label, before, after)
        case tuple(), tuple() if any(isinstance(each, Transfer) for each in (*before, *after)):
            yield from _transfers(before, after)
        case tuple(), tuple():
            # Receipts, settlement lines and anomalies are only added.
            yield from (f"{label}: + {_words(label, each)}" for each in after if each not in before)
        case _:
            yield f"{label}: {_words(label, before)} → {_words(label, after)}"


def _parts(label: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for part in dict.fromkeys((*before, *after)):
        old, new = before.get(part), after.get(part)
        if old != new:
            yield from _differences(f"{label} {part}", old, new)


def _transfers(before: tuple[Transfer, ...], after: tuple[Transfer, ...]) -> Iterator[str]:
    """Yield the parts of each transfer that changed. If there are other transfers now, yield a summary."""
    if [transfer.id for transfer in before] == [transfer.id for transfer in after]:
        for old, new in zip(before, after, strict=True):
            yield from _differences(f"transfer {old.id}", old, new)
    else:
        yield f"transfers: {_summary(before)} → {_summary(after)}"


def _summary(transfers: Iterable[Transfer]) -> str:
    return "; ".join(f"{each.id}: {_transfer(each)}" for each in transfers) or MISSING


def _transfer(transfer: Transfer) -> str:
    destination = transfer.iban or "a stamp"
    return f"{_amount(transfer.amount)} to {transfer.creditor_institution}, {destination}"


def _payment(payment: Payment) -> str:
    paid = f"{_amount(payment.amount)} paid {format_in_rome(payment.paid_at)}"
    way = " through Stand-In" if payment.stand_in else ""
    return f"{paid}{way} at {payment.psp_name or payment.psp_id}, receipt {payment.receipt_id}"


def _settlement(line: Settlement) -> str:
    outcome = f"{line.outcome_code.name.lower().replace('_', ' ')} (code {line.outcome_code})"
    paid = f"{_amount(line.amount)} of transfer {line.transfer_id} paid {line.payment_date}"
    return f"{paid}, {outcome}, flow {line.flow_id}"


def _words(label: str, value: Any) -> str:
    """Return a value as text for people."""
    match value:
        case None:
            return MISSING
        case bool():
            return "yes" if value else "no"
        case int() if label.endswith("amount"):
            return _amount(value)
        case DueDate() | ValidFrom():
            return value.day.isoformat() if value.whole_day else format_in_rome(value.instant)
        case Payment():
            return _payment(value)
        case Settlement():
            return _settlement(value)
        case Stamp():
            return f"type {value.stamp_type}, {value.provincial_residence}, {value.hash_document}"
        case Enum():
            return str(value.value).replace("_", " ")
    return str(value)


def _amount(cents: int) -> str:
    """Return an amount in euro: `€ 1,120.50`."""
    return f"€ {cents // 100:,}.{cents % 100:02}"


def _values(part: Debtor | Transfer) -> dict[str, Any]:
    """Return the values of a part, by their names in words."""
    return {_label(each.name): getattr(part, each.name) for each in fields(part)}


def _label(name: str) -> str:
    """Return the name of a field in words: `postal_iban` is `postal IBAN`."""
    words = name.replace("stand_in", "Stand-In").replace("iban", "IBAN").replace("iupd", "IUPD")
    return words.replace("_", " ")
