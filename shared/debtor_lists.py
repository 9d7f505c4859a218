"""The list of a debtor: the notices that the debtor can pay now, of every institution, by due date."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from shared.concurrency import gather_all
from shared.debtor_hashes import DebtorHashes
from shared.domain.callers import EVERY, Caller
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
        institutions = None if EVERY in caller.grants else caller.grants.keys()
        # A place begins with the day.
        after = max(search.after or "", search.due_from.isoformat() if search.due_from else "")
        while len(found) <= search.limit:
            some = await self._next(search, after, institutions)
            for notice in some:
                known = found.get(notice.address)
                if (known is None or known.version < notice.version) and _is_granted(notice.address, caller):
                    found[notice.address] = notice
            if len(some) <= search.limit:
                break
            after = some[-1].place
        page = sorted(found.values())[: search.limit]
        return DebtorPage(page, page[-1].place if len(found) > search.limit else None)

    async def _next(self, search: DebtorSearch, after: str, institutions: Collection[str] | None) -> list[OpenNotice]:
        """Return the next notices, one more than a page has. While a key is replaced, they are under several hashes."""
        lists = await gather_all(
            self._index.open_notices(debtor, search.now, after, search.limit + 1, institutions)
            for debtor in search.debtor
        )
        return sorted(chain.from_iterable(lists))[: search.limit + 1]


def _is_granted(address: Address, caller: Caller) -> bool:
    return caller.acts_for(address.creditor_institution, address.number.segregation_code)
