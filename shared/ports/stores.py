"""The ports of the stores: notices, and the registry of institutions and callers.

Every method raises StoreUnavailable if the other side does not answer in time.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import Enum
from types import EllipsisType
from typing import NamedTuple, Protocol

from shared.domain.callers import EVERY, Caller
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.lifecycle import Anomaly, Status
from shared.domain.notice import Address, Change, Notice
from shared.domain.registry_changes import LOCAL_START, Action, Entry, Operator, RegistryChange
from shared.stored_notice import Shown, StoredNotice


class VersionConflict(Exception):
    """Another writer changed the notice first. `stored` is the notice as it is stored now."""

    def __init__(self, stored: StoredNotice | None) -> None:
        super().__init__("another writer came first")
        self.stored = stored

    @property
    def current(self) -> Notice | None:
        """Return the notice as it is now."""
        return self.stored.decode() if self.stored else None


@dataclass(frozen=True, slots=True)
class IuvClaim:
    """The notice number that an IUV names. Until `held_until` the publication of that notice may be in progress."""

    number: NoticeNumber
    held_until: datetime


class ChangedMeanwhile(Exception):
    """The registered entry is not the one that the change began with: another change came first."""


class Order(Enum):
    """The orders in which an institution's notices are listed. Ties are broken by number."""

    NUMBER = "number"
    DUE_DATE = "dueDate"
    UPDATE = "updatedAt"


class Cursor(NamedTuple):
    """A place in a list: the sort key of the last notice seen (empty in the order of numbers), and its number."""

    key: str
    number: str


@dataclass(frozen=True, slots=True)
class Search:
    """Which notices of an institution are listed.

    `due_from` and `due_to` are days, both inclusive. `updated_from` is inclusive, `updated_to` is not. `status` is the
    one that is true at `now`. `anomaly`: True for any, False for none, or one by name. `after` is the last notice seen.
    """

    creditor_institution: InstitutionCode
    now: datetime
    segregation_codes: frozenset[str] = field(default=frozenset({EVERY}))
    status: Status | None = None
    anomaly: Anomaly | bool | None = None
    due_from: date | None = None
    due_to: date | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    limit: int = 100
    after: Cursor | None = None

    @property
    def order(self) -> Order:
        """Return the order of the listing: by update where updates are asked for, then by due date, else by number."""
        if self.updated_from or self.updated_to:
            return Order.UPDATE
        return Order.DUE_DATE if self.due_from or self.due_to else Order.NUMBER


FILTERS = tuple(
    field.name
    for field in fields(Search)
    if field.name not in ("creditor_institution", "now", "segregation_codes", "limit", "after")
)
"""The filters of a list. The query parameters of the list have the same names, and its cursor is bound to them."""


class Listed(NamedTuple):
    """A notice of a list, and its place there: the sort key and the number."""

    key: str
    number: str
    shown: Shown

    @property
    def cursor(self) -> Cursor:
        """Return the place of the list after the notice."""
        return Cursor(self.key, self.number)


class NoticeStore(Protocol):
    """Where notices and their events are kept."""

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now, for a decision. One point read."""

    async def find(self, address: Address) -> StoredNotice | None:
        """Return the notice as it is stored, to be shown. One point read."""

    async def save(self, change: Change) -> StoredNotice:
        """Save the notice and its new events, both or neither. When it returns, they are durable.

        Returns the notice as it is stored then.

        Raises VersionConflict unless the notice is still at the version that the change starts from. Saving the same
        change again (same write id) changes nothing, so a save without an answer may be repeated.
        """

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        """Return the events that made the versions after `after`, oldest first, at most `limit`.

        Where events are large it returns fewer, but at least one if there is one.
        """

    def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        """Yield the events from the one that made `version` back to the first. Read page by page."""

    async def search(self, search: Search) -> list[Listed]:
        """Return the notices that match, in the order of the search, at most `limit`. Awaited notices never match."""

    def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices whose change by time is due and not written down, the longest due first."""

    def awaited(self) -> AsyncIterator[Notice]:
        """Yield the notices that were paid and are not communicated, by institution and number."""

    async def claim_iuv(
        self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None = None
    ) -> IuvClaim:
        """Save the claim if the IUV has none yet, or still has `instead_of`. Return the claim that it has then."""

    async def iuv_claim(self, institution: InstitutionCode, iuv: Iuv) -> IuvClaim | None:
        """Return the claim that the IUV has."""

    async def ping(self, now: datetime) -> None:
        """Return if the store writes. It replaces one document with the time."""

    async def close(self) -> None:
        """Close connections and files."""


@dataclass(frozen=True, slots=True)
class ChangeSearch:
    """Which changes of the registry are listed, the newest first.

    `since` is inclusive, `until` is not. `older_than` is the id of the last change seen.
    """

    entry: Entry | None = None
    since: datetime | None = None
    until: datetime | None = None
    older_than: str | None = None
    limit: int = 100


class Registry(Protocol):
    """Where creditor institutions and callers are registered.

    A save may name `before`: the entry that the change began with, or None for a new entry. The save raises
    ChangedMeanwhile if another entry is registered by then, and changes nothing. So does a removal, which takes the
    entry as it was read. Of several changes at once that began with the same entry, exactly one is made.

    A change is recorded with its operator and the time, and never without its record. A change that was refused has no
    record. A save that changes nothing needs none.
    """

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, if it is registered."""

    async def institutions(self) -> list[CreditorInstitution]:
        """Return every institution, by fiscal code."""

    async def save_institution(
        self,
        institution: CreditorInstitution,
        before: CreditorInstitution | EllipsisType | None = ...,
        by: Operator = LOCAL_START,
    ) -> None:
        """Register the institution, or replace its entry."""

    async def remove_institution(self, institution: CreditorInstitution, by: Operator = LOCAL_START) -> None:
        """Take the institution out of the register."""

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key with this hash, whether or not the key is still good."""

    async def caller_named(self, name: str) -> Caller | None:
        """Return the caller of this name, if it is registered."""

    async def callers(self) -> list[Caller]:
        """Return every caller, by name."""

    async def save_caller(
        self, caller: Caller, before: Caller | EllipsisType | None = ..., by: Operator = LOCAL_START
    ) -> None:
        """Register the caller, or replace its entry. Keys that are not in the new entry no longer open.

        Raises ChangedMeanwhile if one of its keys belongs to another caller.
        """

    async def remove_caller(self, caller: Caller, by: Operator = LOCAL_START) -> None:
        """Take the caller out of the register. Its keys stop naming it."""

    async def record(self, action: Action, entry: Entry, by: Operator, fields: Mapping[str, object]) -> None:
        """Record what an operator did with messages. `fields` say more about it."""

    async def changes(self, search: ChangeSearch) -> list[RegistryChange]:
        """Return the changes that were made, the newest first, at most `limit`."""
