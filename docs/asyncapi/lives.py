"""The messages of every kind of event, found by walking through the lives that a notice can have.

Each step is one of the domain, so the messages are those that the archive sends. What a type of event always has, and
what it sometimes has, is seen here. It is written nowhere else.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from docs.asyncapi.fields import TRACE
from docs.openapi.examples import ADDRESS, DEFAULT, NOW
from shared.cloudevents import GAP, gap_message, message_of
from shared.domain import facts
from shared.domain.amounts import Amount
from shared.domain.content import Content, Debtor, DebtorType, Transfer
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.declarations import Publication, amend, cancel, cancel_position, close, publish, restore
from shared.domain.events import Actor, NoticeEvent, Origin, Role, WriteContext
from shared.domain.identifiers import DebtorCode, Iban, NoticeNumber
from shared.domain.money import OutcomeCode, Payment, Settlement, settled_transfers
from shared.domain.notice import Change, Notice
from shared.errors import ArchiveError
from shared.messages import Message
from shared.ports import FeedEvent

Step = Callable[[Notice | None, WriteContext], Change]

_DAY = timedelta(days=1)
_LATER = (timedelta(0), 15 * _DAY, 40 * _DAY)
"""When steps are made: before the validity date, after it, after the due date."""
_BINDING = DueDate.parse("2026-12-16")
_FROM = ValidFrom.parse("2026-12-01")


def _transfer(number: int, amount: int) -> Transfer:
    iban = Iban("IT60X0542811101000000123456")
    return Transfer(number, Amount(amount), ADDRESS.creditor_institution, iban, None, None, "TARI 2026", "9/0101100IM/")


_PLAIN = Content(
    amount=Amount(12050),
    description="TARI 2026 prima rata",
    due_date=_BINDING,
    debtor=Debtor(DebtorType.F, DebtorCode("RSSMRA80A01H501U"), "Mario Rossi"),
    transfers=(_transfer(1, 10000), _transfer(2, 2050)),
)


def _publish(content: Content) -> Step:
    return lambda known, context: publish(known, Publication(ADDRESS, content), context)


def _amend(**changes: Any) -> Step:
    return lambda known, context: amend(known, changes, DEFAULT, context)


def _pay(known: Notice | None, context: WriteContext) -> Change:
    serial = len(known.payments) if known else 0
    receipt = Payment(f"c110729d258c4ab1b765fe902aae41d{serial}", Amount(12050), context.now, False, "ABI03069")
    return facts.record_payment(known, ADDRESS, receipt, context, awaited_until=context.now + _DAY)


def _report(transfer: int, code: OutcomeCode) -> Step:
    def report(known: Notice | None, context: WriteContext) -> Change:
        flow = f"2026-11-24ABI03069-{len(known.settlements) if known else 0:04}"
        line = Settlement(flow, transfer, 12050 if transfer == 1 else 2050, code, date(2026, 11, 23))
        return facts.record_settlement(known, ADDRESS, line, context, awaited_until=context.now + _DAY)

    return report


def _wait(known: Notice | None, context: WriteContext) -> Change:
    return facts.catch_up(_known(known), context)


def _known(known: Notice | None) -> Notice:
    assert known is not None, "the walk begins with a publication or a fact"
    return known


_FIRST: tuple[Step, ...] = (
    _publish(_PLAIN),
    _publish(replace(_PLAIN, valid_from=_FROM, switch_to_expired=True)),
    _pay,
    _report(1, OutcomeCode.PAID),
    _report(1, OutcomeCode.REVOKED),
)
_NEXT: tuple[Step, ...] = (
    *_FIRST,
    _report(2, OutcomeCode.PAID),
    _amend(amount=Amount(12550), iban=None),
    _amend(valid_from=_FROM),
    _amend(due_date=DueDate.parse("2026-12-31"), switch_to_expired=True),
    _amend(due_date=DueDate.parse("2027-01-31"), switch_to_expired=False),
    cancel,
    lambda known, context: cancel(known, context, replaced_by=NoticeNumber("347000000000000225")),
    lambda known, context: cancel_position(known, _known(known).iuv, context),
    close,
    restore,
    _wait,
)
_PLATFORM = Actor(Role.PLATFORM, "/gpd")
_SIDES = (
    WriteContext(NOW, Actor(Role.CREDITOR_INSTITUTION, "comune-di-prova"), "write"),
    WriteContext(
        NOW,
        _PLATFORM,
        "write",
        origin=Origin.GPD,
        traceparent=TRACE["examples"][0],
    ),
)


@dataclass(frozen=True)
class Sent:
    """A message that the archive sends, and the event in it. None for a gap."""

    message: Message
    event: NoticeEvent | None = None


@cache
def walked() -> tuple[NoticeEvent, ...]:
    """Return an event of each form, from the shortest life that has it."""
    found: dict[object, NoticeEvent] = {}
    for side in _SIDES:
        seen: set[object] = set()
        waiting: deque[tuple[Notice | None, int]] = deque([(None, 0)])
        while waiting:
            known, phase = waiting.popleft()
            for change, then in _changes(known, phase, side):
                for event in change.events:
                    found.setdefault(_form(event), event)
                if (kind := (_kind(change.notice), then)) not in seen:
                    seen.add(kind)
                    waiting.append((change.notice, then))
    return tuple(found.values())


@cache
def sent() -> Mapping[str, tuple[Sent, ...]]:
    """Return the messages of each type, by the name of the event."""
    messages: dict[str, list[Sent]] = {}
    for event in walked():
        messages.setdefault(event.type.value, []).append(Sent(message_of(event), event))
    damaged = FeedEvent(ADDRESS.creditor_institution, ADDRESS.number, 3, _unreadable)
    messages[GAP] = [Sent(gap_message(damaged, NOW))]
    return {name: tuple(each) for name, each in messages.items()}


def _changes(known: Notice | None, phase: int, side: WriteContext) -> Iterator[tuple[Change, int]]:
    """Yield the changes of each step, made now and made later."""
    for then in range(phase, len(_LATER)) if known else [phase]:
        context = replace(side, now=max(NOW + _LATER[then], known.updated_at if known else NOW))
        for step in _NEXT if known else _FIRST:
            try:
                change = step(known, context)
            except ArchiveError:
                continue
            if change.events:
                yield change, then


def _form(event: NoticeEvent) -> object:
    """Return what decides which fields the message has, and their terms."""
    summary = event.summary
    return (
        *(event.type, event.status_before, event.status_after, event.anomaly, summary.end_reason, summary.origin),
        *(event.payment is None, event.settlement is None, summary.amount is None, event.traceparent is None),
    )


def _kind(notice: Notice) -> object:
    """Return what decides the events that can follow."""
    content = notice.content
    return (
        notice.status,
        notice.end_reason,
        content and (content.valid_from is not None, content.switch_to_expired),
        bool(notice.payments),
        frozenset(settled_transfers(notice.settlements)),
        notice.awaited_until is not None,
    )


def _unreadable() -> NoticeEvent:
    raise ValueError
