"""The notices that all fall due at one moment, of four kinds in turn, and the events that time must give them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bench.growth.notices import address_of
from shared.domain import declarations, facts
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.events import ARCHIVE, NoticeEvent, WriteContext
from shared.domain.lifecycle import EventType, Status
from shared.domain.notice import Address, Change, Notice
from tests.support import EC, a_payment, a_publication

AFTERWARDS = timedelta(seconds=1)
"""The time from the activation to the end of a notice that has both."""
_KINDS = 4


class Passage(NamedTuple):
    """An event that time must give a notice."""

    type: EventType
    at: datetime
    before: Status | None
    after: Status


@dataclass(frozen=True, slots=True)
class DueNotices:
    """So many notices that were saved at `saved_at` and fall due at `due_at`. A position decides what a notice is."""

    count: int
    saved_at: datetime
    due_at: datetime

    def change(self, position: int) -> Change:
        """Return the change that saves the notice at a position."""
        address, start, end = address_of(position), ValidFrom(self.due_at, False), DueDate(self.due_at, False)
        context = WriteContext(self.saved_at, EC, f"{position:024x}")
        match position % _KINDS:
            case 0:
                return _published(address, context, valid_from=start)
            case 1:
                return _published(address, context, due_date=end, switch_to_expired=True)
            case 2:
                end = DueDate(self.due_at + AFTERWARDS, False)
                return _published(address, context, valid_from=start, due_date=end, switch_to_expired=True)
            case _:
                payment = a_payment(f"receipt-{position}", paid_at=self.saved_at)
                return facts.record_payment(None, address, payment, context, awaited_until=self.due_at)

    def passages(self, position: int) -> Sequence[Passage]:
        """Return the events that time must give the notice at a position, each once."""
        activated = Passage(EventType.ACTIVATED, self.due_at, Status.SCHEDULED, Status.ACTIVE)
        expired = Passage(EventType.EXPIRED, self.due_at, Status.ACTIVE, Status.EXPIRED)
        match position % _KINDS:
            case 0:
                return (activated,)
            case 1:
                return (expired,)
            case 2:
                return (activated, expired._replace(at=self.due_at + AFTERWARDS))
            case _:
                return (Passage(EventType.UNCOMMUNICATED, self.due_at, Status.AWAITED, Status.AWAITED),)

    def in_order(self) -> list[Address]:
        """Return the addresses in the order in which the notices are written down: by institution and number."""
        addresses = map(address_of, range(self.count))
        return sorted(addresses, key=lambda address: (address.creditor_institution, address.number))

    def faults(self, position: int, notice: Notice | None, events: Sequence[NoticeEvent]) -> list[str]:
        """Return what is wrong with a notice and its events, as they are in the end."""
        saved, passages, faults = self.change(position), self.passages(position), list[str]()
        name = f"{saved.notice.address.creditor_institution}/{saved.notice.address.number}"
        if [event.version for event in events] != [*range(1, len(passages) + 2)]:
            faults.append(f"{name}: it has events of the versions {[event.version for event in events]}")
        if tuple(events[:1]) != saved.events:
            faults.append(f"{name}: its first event has changed")
        found = [
            Passage(event.type, event.occurred_at, event.status_before, event.status_after) for event in events[1:]
        ]
        if found != [*passages]:
            faults.append(f"{name}: {_shown(found)} is written down, {_shown(passages)} is expected")
        if not all(_is_of_time(event) for event in events[1:]):
            faults.append(f"{name}: an event of time has another actor, other changes or an early record")
        if events and notice != self._afterwards(saved.notice, passages, events[-1].recorded_at):
            faults.append(f"{name}: the notice is not as it was saved, at version {notice and notice.version}")
        return faults

    def _afterwards(self, saved: Notice, passages: Sequence[Passage], recorded_at: datetime) -> Notice:
        """Return the notice as it must be in the end. Only these fields may have changed."""
        version, status = saved.version + len(passages), passages[-1].after
        return replace(saved, version=version, status=status, updated_at=recorded_at, awaited_until=None)


def _published(address: Address, context: WriteContext, **changes: object) -> Change:
    return declarations.publish(None, a_publication(address, **changes), context)


def _passage(event: NoticeEvent) -> Passage:
    return Passage(event.type, event.occurred_at, event.status_before, event.status_after)


def _is_of_time(event: NoticeEvent) -> bool:
    is_changed = event.status_before is not event.status_after
    changed = {"status": (event.status_before, event.status_after)} if is_changed else {}
    return event.actor == ARCHIVE and event.changed == changed and event.recorded_at >= event.occurred_at


def _shown(passages: Iterable[Passage]) -> str:
    return ", ".join(f"{passage.type} at {passage.at}" for passage in passages) or "nothing"
