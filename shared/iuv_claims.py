"""Decides which notice of an institution has an IUV, where the notice number does not contain it (ADR 21).

The publication of such a notice first saves a claim: this IUV names this number. A claim counts while its notice has
the IUV, or while the request that made the claim may still save the notice. Any other claim is taken over.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Notice
from shared.errors import IuvAlreadyUsed, NotDoneInTime
from shared.ports import IuvClaim, NoticeStore

WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, *(0.5,) * 8)
"""Seconds between looks at the notice of another claim: longer than its publication takes, on a busy machine too."""
CLOCK_DIFFERENCE = timedelta(seconds=5)
"""How far the clocks of two hosts may differ."""


class IuvClaims:
    """The claims in a store. `longest_request` is the time in which a request saves the notice of its claim."""

    def __init__(self, store: NoticeStore, clock: Callable[[], datetime], longest_request: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._hold = longest_request + CLOCK_DIFFERENCE

    async def find(self, institution: CreditorInstitution, iuv: Iuv) -> tuple[NoticeNumber, Notice | None]:
        """Return the number that the IUV leads to, and the notice that is stored there. `3` + IUV where there is none.

        That number is tried first, except in lenient institutions, where any number may have any IUV.
        """
        own, known = Address(institution.fiscal_code, iuv.number), None
        if not institution.lenient:
            known = await self._store.load(own)
            if _has(known, iuv):
                return own.number, known
        claim = await self._store.iuv_claim(institution.fiscal_code, iuv)
        if claim is not None and claim.number != own.number:
            claimed = await self._store.load(Address(institution.fiscal_code, claim.number))
            if _has(claimed, iuv):
                return claim.number, claimed
        return own.number, await self._store.load(own) if institution.lenient else known

    async def check(self, address: Address, iuv: Iuv) -> None:
        """Return if this notice has the IUV, or no other one claims it. Raises IuvAlreadyUsed, NotDoneInTime."""
        claim = await self._store.iuv_claim(address.creditor_institution, iuv)
        if claim is None or claim.number == address.number:
            return
        if not _has(await self._store.load(address), iuv):
            await self._outlive(claim, address.creditor_institution, iuv)

    async def claim(self, address: Address, iuv: Iuv) -> None:
        """Let the IUV name this notice. Raises IuvAlreadyUsed, NotDoneInTime."""
        institution = address.creditor_institution
        if _has(await self._store.load(Address(institution, iuv.number)), iuv):
            raise IuvAlreadyUsed
        mine = IuvClaim(address.number, self._clock() + self._hold)
        claim = await self._store.claim_iuv(institution, iuv, mine)
        while claim != mine:
            if claim.number != address.number:
                await self._outlive(claim, institution, iuv)
            claim = await self._store.claim_iuv(institution, iuv, mine, instead_of=claim)

    async def _outlive(self, claim: IuvClaim, institution: InstitutionCode, iuv: Iuv) -> None:
        """Return once the claim does not count. Raises IuvAlreadyUsed if it does, NotDoneInTime if that stays open."""
        for wait in WAITS:
            other = await self._store.load(Address(institution, claim.number))
            if other is not None and other.is_communicated:
                if other.iuv == iuv:
                    raise IuvAlreadyUsed
                return  # the IUV of a notice never changes
            if claim.held_until <= self._clock():
                return
            await asyncio.sleep(wait)
        raise NotDoneInTime(retry_after=(claim.held_until - self._clock()).total_seconds())


def _has(notice: Notice | None, iuv: Iuv) -> bool:
    return notice is not None and notice.is_communicated and notice.iuv == iuv
