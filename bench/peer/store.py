"""Where the peer keeps notices, events, institutions and callers. `sqlite.py` is one such store."""

from dataclasses import dataclass
from typing import Protocol

from bench.peer.notices import Change, Institution, Stored


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that calls, with its grants: segregation codes by institution. `*` is every one."""

    name: str
    role: str
    scopes: frozenset[str]
    grants: dict[str, frozenset[str]]

    def codes(self, institution: str) -> frozenset[str]:
        """Return the segregation codes that are granted for an institution."""
        return self.grants.get(institution, frozenset()) | self.grants.get("*", frozenset())


@dataclass(frozen=True, slots=True)
class Listing:
    """Which notices of an institution are listed, in the order of their numbers."""

    institution: str
    now: str
    codes: frozenset[str]
    status: str | None
    after: str
    limit: int


class IuvTaken(Exception):
    """Another notice of the institution has the IUV."""


class Store(Protocol):
    """The store of the peer."""

    decides_unread: bool
    """A publication is first decided as that of a new notice. Worth it where a read costs as much as a write."""

    async def load(self, institution: str, number: str) -> Stored | None:
        """Return the notice as it is now."""

    async def save(self, change: Change) -> bool:
        """Save a notice and its new events, both or neither. Return False if another writer came first.

        Raises IuvTaken.
        """

    async def history(self, institution: str, number: str, after: int, limit: int) -> list[bytes]:
        """Return events as JSON, from the version behind `after` on."""

    async def list(self, listing: Listing) -> list[Stored]:
        """Return the notices of a page."""

    async def institution(self, fiscal_code: str) -> Institution | None:
        """Return the institution, None if it is not registered."""

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key."""
