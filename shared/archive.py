"""The verbs of the archive. Each one loads, decides and saves. The rules of each decision are in the domain."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import random
from types import EllipsisType

from shared.concurrency import for_each
from shared.debtor_lists import DebtorLists
from shared.domain import declarations, facts, payability
from shared.domain.content import Changes
from shared.domain.declarations import ANYTHING, Precondition, Publication
from shared.domain.events import NoticeEvent, WriteContext
from shared.domain.history import as_recorded, undone
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.lifecycle import Fault, StateEvent
from shared.domain.money import Payment, Settlement
from shared.domain.notice import Address, Change, Notice
from shared.domain.payability import Payable
from shared.errors import (
    DueDateInPast,
    NotConfigured,
    NotDoneInTime,
    NoticeNotFound,
    PreconditionFailed,
    StoreUnavailable,
    Unavailable,
)
from shared.iuv_claims import IuvClaims
from shared.ports import Cursor, NoticeStore, Search, VersionConflict
from shared.registry import CachedRegistry
from shared.stored_notice import Shown, StoredNotice, show
from shared.telemetry import log_bug, log_failure
from shared.turns import Turns

ATTEMPTS = 100
"""Retries after a version conflict. In each round the write of one writer succeeds."""
HISTORY_PAGE = 500
"""Events that are read at once, if the whole history is read."""

DUE_AT_ONCE = 32
"""Notices whose changes by time are written down at the same time."""

Decide = Callable[[Notice | None, WriteContext], Change]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, as it is shown, and the place after which more follows. None at the end."""

    notices: list[Shown]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class History:
    """A part of the events of a notice, oldest first, and whether more follow."""

    events: list[NoticeEvent]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Done(Change):
    """A change that was decided and, if it has events, saved. `stored` is the notice as the store holds it then."""

    stored: StoredNotice | None = None

    def shown_at(self, now: datetime) -> Shown:
        """Return the notice as it is shown at `now`."""
        shown = self.stored.at(now) if self.stored else show(self.notice, now)
        assert shown is not None, "a declaration is about a notice that is communicated"
        return shown


class Archive:
    """The archive of notices. `clock` returns the time in UTC, in whole milliseconds."""

    def __init__(
        self,
        store: NoticeStore,
        registry: CachedRegistry,
        clock: Callable[[], datetime],
        awaited_for: timedelta = timedelta(hours=24),
        longest_request: timedelta = timedelta(seconds=5),
        debtor_lists: DebtorLists | None = None,
    ) -> None:
        self.store = store
        self.registry = registry
        self.clock = clock
        self._awaited_for = awaited_for
        self._debtor_lists = debtor_lists
        self._iuvs = IuvClaims(store, clock, longest_request)
        self._turns = Turns(longest_request)

    async def publish(
        self,
        publication: Publication,
        institution: CreditorInstitution,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
    ) -> Done:
        """Publish a notice, or replace the content of a known one. One round trip when it is new.

        Raises NoIbanRegistered, IuvAlreadyUsed, and the errors of `declarations.publish`.
        """
        publication = publication.with_iban(institution.default_iban)

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.publish(known, publication, context, precondition)

        async with self._turns.of(publication.address):
            try:
                known = await self.store.load(publication.address) if publication.needs_claim else None
                return await self._save_with_iuv(publication, institution, decide, known, context)
            except (DueDateInPast, PreconditionFailed):
                # It was refused as a new notice. It may be a known one.
                known = await self.store.load(publication.address)
                return await self._save_with_iuv(publication, institution, decide, known, context)

    async def publish_or_amend(
        self,
        publication: Publication,
        changes: Changes,
        institution: CreditorInstitution,
        context: WriteContext,
        known: Notice | EllipsisType | None = ...,
    ) -> Done:
        """Publish a notice that is not known, or change the named fields of one that is.

        `known` is the result of `find_by_iuv`, if it was called. Raises the errors of `publish` and `amend`.
        """
        default = institution.default_iban

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.publish_or_amend(known, publication, changes, default, context)

        async with self._turns.of(publication.address):
            if known is ...:
                known = await self.store.load(publication.address)
            return await self._save_with_iuv(publication, institution, decide, known, context)

    async def find_by_iuv(self, institution: CreditorInstitution, iuv: Iuv) -> tuple[NoticeNumber, Notice | None]:
        """Return the number that the IUV leads to, else `3` + IUV, and the notice that is stored there."""
        return await self._iuvs.find(institution, iuv)

    async def amend(
        self,
        address: Address,
        changes: Changes,
        institution: CreditorInstitution,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
        iuv: Iuv | None = None,
    ) -> Done:
        """Change the named fields of a notice and keep the others. Raises the errors of `declarations.amend`."""
        default = institution.default_iban
        return await self._change(
            address, context, lambda known, now: declarations.amend(known, changes, default, now, precondition, iuv)
        )

    async def declare(
        self,
        address: Address,
        event: StateEvent,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
        replaced_by: NoticeNumber | None = None,
    ) -> Done:
        """Cancel, close or restore a notice. Raises the errors of `declarations.declare`."""
        return await self._change(
            address, context, lambda known, now: declarations.declare(known, event, now, precondition, replaced_by)
        )

    async def cancel_position(self, address: Address, iuv: Iuv, context: WriteContext) -> Done:
        """Cancel a notice as paCreatePosition does. Raises the errors of `declarations.cancel_position`."""
        return await self._change(address, context, lambda known, now: declarations.cancel_position(known, iuv, now))

    async def record_payment(
        self, address: Address, payment: Payment, context: WriteContext, iuv: Iuv | None = None
    ) -> Done:
        """Record a receipt. It is never refused, and a repetition changes nothing."""
        async with self._turns.of(address):
            known = await self.store.load(address)
            until = await self._awaited_until(known, address, payment.paid_on, context)

            def decide(known: Notice | None, context: WriteContext) -> Change:
                return facts.record_payment(known, address, payment, context, iuv=iuv, awaited_until=until)

            return await self._save(decide, known, context)

    async def record_settlement(self, address: Address, line: Settlement, context: WriteContext) -> Done:
        """Record a settlement line. It is never refused, and a repetition changes nothing."""
        async with self._turns.of(address):
            known = await self.store.load(address)
            until = await self._awaited_until(known, address, line.paid_on, context)

            def decide(known: Notice | None, context: WriteContext) -> Change:
                return facts.record_settlement(known, address, line, context, awaited_until=until)

            return await self._save(decide, known, context)

    async def apply_due_changes(self, context: WriteContext, deadline: datetime) -> int:
        """Write down the changes that time made to notices, until the deadline. Return the number of changed notices.

        It may run twice at once, and it may be stopped at any time. A notice that fails is logged. Raises
        StoreUnavailable if the due notices cannot be read.
        """
        changed = 0

        async def due() -> AsyncIterator[Notice]:
            async for notice in self.store.due(context.now):
                if self.clock() >= deadline:
                    break
                yield notice

        async def write_down(notice: Notice) -> None:
            nonlocal changed
            try:
                is_changed = await self._write_down(notice, context)
            # It is still due a minute from now. Whatever is wrong with one notice, it must not stop the others.
            except Unavailable as error:
                log_failure("due_change_failed", error, **_key(notice))
            except Exception as error:  # noqa: BLE001
                log_bug("due_change_failed", error, **_key(notice))
            else:
                changed += is_changed

        await for_each(due(), write_down, DUE_AT_ONCE)
        return changed

    async def uncommunicated(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices that were paid and not communicated in time, unless an exclusion rule covers them."""
        async for notice in self.store.awaited():
            day = notice.awaited_payment_day
            is_late = notice.awaited_until is None or notice.awaited_until <= now
            if day is not None and is_late and not await self._is_excluded(notice.address, day):
                yield notice

    async def get(self, address: Address) -> Notice:
        """Return the notice. One point read. Raises NoticeNotFound."""
        return _communicated(await self.store.load(address))

    async def show(self, address: Address, now: datetime) -> Shown:
        """Return the notice as it is shown at `now`. One point read. Raises NoticeNotFound."""
        stored = await self.store.find(address)
        return _found(stored and stored.at(now))

    async def payability(
        self, address: Address | None, institution: CreditorInstitution, now: datetime
    ) -> Payable | Fault:
        """Return the notice if it can be paid in Stand-In at `now`, else the fault. One point read.

        `address` is None if no notice of the institution can have the number.
        """
        known = await self.store.load(address) if address else None
        return payability.decide(known, institution, now)

    async def show_as_of(self, address: Address, at: datetime) -> Shown:
        """Return the notice as it was recorded at a moment. Raises NoticeNotFound."""
        return _found(show(await self.get_as_of(address, at), at))

    async def get_as_of(self, address: Address, at: datetime) -> Notice:
        """Return the notice as it was recorded at a moment. Raises NoticeNotFound. Reads only the later events."""
        notice = _communicated(await self.store.load(address))
        async for event in self.store.latest_events(address, notice.version):
            if event.recorded_at <= at:
                return as_recorded(notice, event)
            before = undone(notice, event)
            if before is None:
                break
            notice = before
        raise NoticeNotFound

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> History:
        """Return events of the notice, oldest first, from the version behind `after` on. Raises NoticeNotFound."""
        return await self._history(_communicated(await self.store.load(address)), after, limit)

    async def whole_history(self, address: Address) -> tuple[Notice, Sequence[NoticeEvent]]:
        """Return a notice with all its events, oldest first. Raises NoticeNotFound. Read page by page.

        It is for operators: it also returns a notice that was paid and not communicated.
        """
        notice = await self.store.load(address)
        if notice is None:
            raise NoticeNotFound
        events: list[NoticeEvent] = []
        while len(events) < notice.version:
            events += (await self._history(notice, len(events), HISTORY_PAGE)).events
        return notice, events

    async def list(self, search: Search) -> Page:
        """Return a page of the notices of an institution that match the search, in its order."""
        found = await self.store.search(replace(search, limit=search.limit + 1))
        shown = [each.shown for each in found[: search.limit]]
        return Page(shown, found[search.limit - 1].cursor if len(found) > search.limit else None)

    @property
    def debtor_lists(self) -> DebtorLists:
        """Return the lists of the debtors. Raises NotConfigured if the settings have no debtor keys."""
        if self._debtor_lists is None:
            raise NotConfigured
        return self._debtor_lists

    async def _history(self, notice: Notice, after: int, limit: int) -> History:
        left = notice.version - after
        if left <= 0:
            return History([], has_more=False)
        events = await self.store.history(notice.address, after, min(limit, left))
        if not events:
            raise StoreUnavailable  # a version has its event: the store answered with an older state
        return History(events, has_more=events[-1].version < notice.version)

    async def _save_with_iuv(
        self,
        publication: Publication,
        institution: CreditorInstitution,
        decide: Decide,
        known: Notice | None,
        context: WriteContext,
    ) -> Done:
        """Decide and save. A notice that is published now needs an IUV that no other notice has.

        Raises IuvAlreadyUsed and NotDoneInTime.
        """
        is_published_now = known is None or not known.is_communicated
        if is_published_now and (publication.needs_claim or institution.lenient):
            decide(known, context)  # a notice that is refused claims nothing
            check = self._iuvs.claim if publication.needs_claim else self._iuvs.check
            await check(publication.address, publication.full_iuv)
        return await self._save(decide, known, context)

    async def _awaited_until(
        self, known: Notice | None, address: Address, day: date, context: WriteContext
    ) -> datetime | None:
        if known is not None or await self._is_excluded(address, day):
            return None
        return context.now + self._awaited_for

    async def _is_excluded(self, address: Address, day: date) -> bool:
        institution = await self.registry.find_institution(address.creditor_institution)
        return institution is not None and institution.excludes(address.number, day)

    async def _write_down(self, notice: Notice, context: WriteContext) -> bool:
        """Write down what time has done to a notice. Return whether that changed it."""
        # An exclusion rule that came after the payment covers it too.
        day = notice.awaited_payment_day
        excluded = day is not None and await self._is_excluded(notice.address, day)

        def decide(known: Notice | None, context: WriteContext) -> Change:
            assert known is not None, "notices are never deleted"
            return Change(known) if excluded else facts.catch_up(known, context)

        async with self._turns.of(notice.address):
            return bool((await self._save(decide, notice, context)).events)

    async def _change(self, address: Address, context: WriteContext, decide: Decide) -> Done:
        """Load, decide and save, after the earlier writers of this notice."""
        async with self._turns.of(address):
            return await self._save(decide, await self.store.load(address), context)

    async def _save(self, decide: Decide, known: Notice | None, context: WriteContext) -> Done:
        """Decide and save. After a version conflict, decide again on the new state."""
        stored: StoredNotice | None = None
        for attempt in range(ATTEMPTS):
            change = decide(known, context)
            if not change.events:
                return Done(change.notice, stored=stored)
            try:
                return Done(change.notice, change.events, await self.store.save(change))
            except VersionConflict as overtaken:
                stored, known = overtaken.stored, overtaken.current
            if attempt:
                # Writers that lose together would meet again. After the wait, the loaded notice is old.
                await asyncio.sleep(random() * min(0.001 * 2**attempt, 0.05))
                stored, known = None, await self.store.load(change.notice.address)
            context = replace(context, now=self.clock())
        raise NotDoneInTime


def _key(notice: Notice) -> dict[str, str]:
    return {"institution": notice.address.creditor_institution, "number": notice.address.number}


def _communicated(notice: Notice | None) -> Notice:
    if notice is None or not notice.is_communicated:
        raise NoticeNotFound
    return notice


def _found(shown: Shown | None) -> Shown:
    if shown is None:
        raise NoticeNotFound
    return shown
