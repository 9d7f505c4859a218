"""The port of the debtors' lists: a read model of the notices that debtors can pay, by debtor."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from shared.domain.notice import Address

REMOVED_FOR = timedelta(days=7)
"""How long an entry without a notice is kept. It stops a writer with an older version, which is late by seconds."""


class OpenNotice(NamedTuple):
    """A notice that its debtor can pay, as the list shows it."""

    place: str
    """The place in the list. Places compare as texts."""
    address: Address
    version: int
    json: bytes
    """The notice as GET shows it while it is ACTIVE, without its debtor."""


@dataclass(frozen=True, slots=True)
class DebtorEntry:
    """The entry of a notice in the list of a debtor, as it follows from one version of the notice."""

    debtor: str
    """The keyed hash of the debtor's tax code."""
    address: Address
    version: int
    notice: OpenNotice | None = None
    """None: the debtor cannot pay it, or does not owe it any more."""
    payable_from: datetime | None = None
    payable_until: datetime | None = None
    """It is payable before this time."""


class DebtorIndex(Protocol):
    """The lists of the debtors. Every method raises StoreUnavailable if the store does not answer in time."""

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry, unless there is one of the same or a later version.

        `repair`: also replace one of the same version. An entry without a notice is gone after REMOVED_FOR.
        """

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Return the notices that a debtor can pay now, from behind a place on, in the order of places.

        At most `limit`, and fewer only at the end of the list. `institutions` are those whose notices are wanted, None
        for all. An entry that is damaged is logged and left out.
        """
