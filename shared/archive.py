"""What one can ask of the archive: each verb loads, decides and saves; what is decided stands in the domain."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import random
from types import EllipsisType

from shared.domain import declarations, facts
from shared.domain.content import Changes
from shared.domain.declarations import ANYTHING, Precondition, Publication
from shared.domain.events import EndReason, NoticeEvent, WriteContext
from shared.domain.history import as_recorded, undone
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.money import Payment, Settlement
from shared.domain.notice import Address, Change, Notice
from shared.errors import (
    DueDateInPast,
    NoIbanRegistered,
    NotDoneInTime,
    NoticeNotFound,
    PreconditionFailed,
    StoreUnavailable,
)
from shared.iuv_claims import IuvClaims
from shared.ports import NoticeStore, Search, VersionConflict
from shared.registry import CachedRegistry
from shared.turns import Turns

ATTEMPTS = 100
"""How often a change is decided anew because another writer came first. Each round somebody's write succeeds."""

Decide = Callable[[Notice | None, WriteContext], Change]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing, and whether more follows."""

    notices: list[Notice]
    has_more: bool


@dataclass(frozen=True, slots=True)
class History:
    """A part of the events of a notice, oldest first, and whether more follow."""

    events: list[NoticeEvent]
    has_more: bool


class Archive:
    """The archive of notices. `clock` tells the time in UTC, in whole milliseconds."""

    def __init__(
        self,
        store: NoticeStore,
        registry: CachedRegistry,
        clock: Callable[[], datetime],
        awaited_for: timedelta = timedelta(hours=24),
        longest_request: timedelta = timedelta(seconds=5),
    ) -> None:
        self.store = store
        self.registry = registry
        self.clock = clock
        self._awaited_for = awaited_for
        self._iuvs = IuvClaims(store, clock, longest_request)
        self._turns = Turns(longest_request)

    async def publish(
        self,
        publication: Publication,
        institution: CreditorInstitution,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
    ) -> Change:
        """Publish a notice, or state a known one anew; publishing it again is harmless. One round trip when it is new.

        Raises NoIbanRegistered, IuvAlreadyUsed, and what `declarations.publish` raises.
        """
        content = publication.content.with_iban(institution.default_iban)
        publication = replace(publication, content=content)

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

    async def amend(
        self,
        address: Address,
        changes: Changes,
        institution: CreditorInstitution,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
        iuv: Iuv | None = None,
    ) -> Change:
        """Change the named fields of a notice and keep the others; raises what `declarations.amend` raises."""
        default = institution.default_iban
        if default is None and "iban" in changes and changes["iban"] is None and not changes.get("transfers"):
            raise NoIbanRegistered  # whatever is known of the notice

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.amend(known, changes, default, context, precondition, iuv)

        return await self._change(address, decide, context)

    async def publish_or_amend(
        self,
        publication: Publication,
        changes: Changes,
        institution: CreditorInstitution,
        context: WriteContext,
        known: Notice | EllipsisType | None = ...,
    ) -> Change:
        """Publish a notice that is not known; of one that is, change the named fields and keep the others.

        An IBAN that the registry gave is taken from it anew. `known` is what `find_by_iuv` returned, if it was asked.
        Raises what `publish` and `amend` raise.
        """
        default = institution.default_iban

        def decide(known: Notice | None, context: WriteContext) -> Change:
            if known is None or not known.is_communicated:
                content = publication.content.with_iban(default)
                return declarations.publish(known, replace(publication, content=content), context)
            return declarations.amend(known, changes, default, context, iuv=publication.iuv, refresh_iban=True)

        async with self._turns.of(publication.address):
            if known is ...:
                known = await self.store.load(publication.address)
            return await self._save_with_iuv(publication, institution, decide, known, context)

    async def find_by_iuv(self, institution: CreditorInstitution, iuv: Iuv) -> tuple[NoticeNumber, Notice | None]:
        """Return the number that the IUV leads to, `3` + IUV if to none, and the notice that is stored there."""
        return await self._iuvs.find(institution, iuv)

    async def cancel(
        self,
        address: Address,
        context: WriteContext,
        precondition: Precondition = ANYTHING,
        replaced_by: NoticeNumber | None = None,
        end_reason: EndReason = EndReason.CANCELLED,
        iuv: Iuv | None = None,
    ) -> Change:
        """Cancel a notice; again, it changes nothing. Raises what `declarations.cancel` raises."""

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.cancel(
                known, context, precondition, replaced_by=replaced_by, end_reason=end_reason, iuv=iuv
            )

        return await self._change(address, decide, context)

    async def close(self, address: Address, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
        """Close a notice paid outside pagoPA; again, it changes nothing. Raises what `declarations.close` raises."""

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.close(known, context, precondition)

        return await self._change(address, decide, context)

    async def restore(self, address: Address, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
        """Take a cancellation or closure back; raises what `declarations.restore` raises."""

        def decide(known: Notice | None, context: WriteContext) -> Change:
            return declarations.restore(known, context, precondition)

        return await self._change(address, decide, context)

    async def record_payment(
        self, address: Address, payment: Payment, context: WriteContext, iuv: Iuv | None = None
    ) -> Change:
        """Record a receipt; never refused, and harmless when it comes again."""
        async with self._turns.of(address):
            known = await self.store.load(address)
            until = await self._awaited_until(known, address, payment.paid_on, context)

            def decide(known: Notice | None, context: WriteContext) -> Change:
                return facts.record_payment(known, address, payment, context, iuv=iuv, awaited_until=until)

            return await self._save(decide, known, context)

    async def record_settlement(self, address: Address, line: Settlement, context: WriteContext) -> Change:
        """Record a settlement line; never refused, and harmless when it comes again."""
        async with self._turns.of(address):
            known = await self.store.load(address)
            until = await self._awaited_until(known, address, line.paid_on, context)

            def decide(known: Notice | None, context: WriteContext) -> Change:
                return facts.record_settlement(known, address, line, context, awaited_until=until)

            return await self._save(decide, known, context)

    async def apply_due_changes(self, context: WriteContext, deadline: datetime) -> int:
        """Write down what time has done to the notices that are due, until the deadline; return how many were changed.

        Run twice at once, or stopped half-way, it only does less or nothing.
        """
        changed = 0
        async for notice in self.store.due(context.now):
            if self.clock() >= deadline:
                break
            # A rule that came after the money covers it as well.
            day = notice.unheard_payment_day
            excluded = day is not None and await self._is_excluded(notice.address, day)

            def decide(known: Notice | None, context: WriteContext, excluded: bool = excluded) -> Change:
                assert known is not None, "notices are never deleted"
                return Change(known) if excluded else facts.catch_up(known, context)

            try:
                async with self._turns.of(notice.address):
                    changed += bool((await self._save(decide, notice, context)).events)
            except NotDoneInTime:
                continue  # it is still due a minute from now
        return changed

    async def get(self, address: Address) -> Notice:
        """Return the notice; one point read. Raises NoticeNotFound."""
        return _shown(await self.store.load(address))

    async def get_as_of(self, address: Address, at: datetime) -> Notice:
        """Return the notice as the archive knew it at a moment; raises NoticeNotFound. Reads only what came later."""
        notice = _shown(await self.store.load(address))
        async for event in self.store.latest_events(address, notice.version):
            if event.recorded_at <= at:
                return as_recorded(notice, event)
            before = undone(notice, event)
            if before is None:
                break
            notice = before
        raise NoticeNotFound

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> History:
        """Return events of the notice, oldest first, from the version behind `after` on; raises NoticeNotFound."""
        notice = _shown(await self.store.load(address))
        left = notice.version - after
        if left <= 0:
            return History([], has_more=False)
        events = await self.store.history(address, after, min(limit, left))
        if not events:
            raise StoreUnavailable  # a version has its event: the store answered with an older state
        return History(events, has_more=events[-1].version < notice.version)

    async def list(self, search: Search) -> Page:
        """Return a page of the notices of an institution that the search wants, in its order."""
        found = await self.store.search(replace(search, limit=search.limit + 1))
        return Page(found[: search.limit], has_more=len(found) > search.limit)

    async def _save_with_iuv(
        self,
        publication: Publication,
        institution: CreditorInstitution,
        decide: Decide,
        known: Notice | None,
        context: WriteContext,
    ) -> Change:
        """Decide and save. First make sure that no other notice has the IUV of one that is published now.

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

    async def _change(self, address: Address, decide: Decide, context: WriteContext) -> Change:
        """Load, decide and save, after the writers of this notice that came before."""
        async with self._turns.of(address):
            return await self._save(decide, await self.store.load(address), context)

    async def _save(self, decide: Decide, known: Notice | None, context: WriteContext) -> Change:
        """Decide and save; when another writer came first, decide again on what it left."""
        for attempt in range(ATTEMPTS):
            change = decide(known, context)
            if not change.events:
                return change
            try:
                await self.store.save(change)
            except VersionConflict as overtaken:
                known = overtaken.current
            else:
                return change
            if attempt:
                # Writers that lose together would meet again together; what was known before the wait is old after it.
                await asyncio.sleep(random() * min(0.001 * 2**attempt, 0.05))
                known = await self.store.load(change.notice.address)
            context = replace(context, now=self.clock())
        raise NotDoneInTime


def _shown(notice: Notice | None) -> Notice:
    if notice is None or not notice.is_communicated:
        raise NoticeNotFound
    return notice
