"""The list of a debtor: the notices that the debtor can pay now, of every institution, by due date."""

from dataclasses import dataclass
from datetime import date, datetime

from shared.debtor_hashes import DebtorHashes
from shared.domain.callers import Caller
from shared.domain.notice import Address
from shared.ports import DebtorIndex, OpenNotice


@dataclass(frozen=True, slots=True)
class DebtorSearch:
    """Which notices of a debtor are listed. `due_from` is a day, inclusive."""

    debtor: tuple[str, ...]
    """The hashes of the debtor's tax code under each key, the newest first."""
    now: datetime
    due_from: date | None = None
    limit: int = 50
    after: str | None = None
    """The place of the last notice seen."""


@dataclass(frozen=True, slots=True)
class DebtorPage:
    """A part of a debtor's list, and the place after which more follows. None at the end."""

    notices: list[OpenNotice]
    after: str | None


class DebtorLists:
    """Reads the lists. `hashes` are those under which they are kept."""

    def __init__(self, index: DebtorIndex, hashes: DebtorHashes) -> None:
        self._index = index
        self.hashes = hashes

    async def page(self, search: DebtorSearch, caller: Caller) -> DebtorPage:
        """Return a page of those notices of the debtor that are granted to the caller."""
        found: dict[Address, OpenNotice] = {}
        # A place begins with the day.
        after = max(search.after or "", search.due_from.isoformat() if search.due_from else "")
        while len(found) <= search.limit:
            some = await self._next(search, after)
            for notice in some:
                if caller.acts_for(notice.address.creditor_institution, notice.address.number.segregation_code):
                    found.setdefault(notice.address, notice)
            if len(some) <= search.limit:
                break
            after = some[-1].place
        page = [*found.values()][: search.limit]
        return DebtorPage(page, page[-1].place if len(found) > search.limit else None)

    async def _next(self, search: DebtorSearch, after: str) -> list[OpenNotice]:
        """Return the next notices, one more than a page has. While a key is replaced, they are under several hashes."""
        some = [
            notice
            for debtor in search.debtor
            for notice in await self._index.open_notices(debtor, search.now, after, search.limit + 1)
        ]
        return sorted(some)[: search.limit + 1]
