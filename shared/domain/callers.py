"""Callers and their grants. A caller has no access that is not granted here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.events import Actor, Role

EVERY = "*"
"""Every institution, or every segregation code."""

MAX_LIVE_KEYS = 2
"""The one in use, and the next or the last one: enough to change keys without a moment in which none opens."""


class Scope(StrEnum):
    """A kind of operation."""

    NOTICES_WRITE = "notices:write"
    NOTICES_READ = "notices:read"
    STAND_IN_READ = "stand-in:read"
    DEBTORS_READ = "debtors:read"


class TooManyKeys(Exception):
    """The caller has as many live keys as it may have."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, known by its hash alone (SHA-256, hexadecimal). It ends before `expires_at`."""

    hash: str
    expires_at: datetime | None = None

    @property
    def id(self) -> str:
        """Return the id of the key for people: the first 12 digits of its hash."""
        return self.hash[:12]

    def is_live(self, now: datetime) -> bool:
        """Return whether the key has not expired."""
        return _is_within(None, now, self.expires_at)


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that calls. `grants` names the segregation codes it acts for, by institution. `*` is every one."""

    name: str
    role: Role
    scopes: frozenset[Scope]
    grants: Mapping[str, frozenset[str]]
    keys: tuple[Key, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def actor(self) -> Actor:
        """Return the caller as events name it."""
        return Actor(self.role, self.name)

    def holds(self, key_hash: str, now: datetime) -> bool:
        """Return whether the key opens now: it belongs to the caller, and neither of them has expired."""
        return any(key.hash == key_hash for key in self.live_keys(now)) and self.is_valid(now)

    def is_valid(self, now: datetime) -> bool:
        """Return whether the caller may call now, with any of its keys."""
        return _is_within(self.valid_from, now, self.valid_until)

    def live_keys(self, now: datetime) -> tuple[Key, ...]:
        """Return the keys that have not run out."""
        return tuple(key for key in self.keys if key.is_live(now))

    def with_new_key(self, key_hash: str, old_ends_at: datetime, now: datetime) -> "Caller":
        """Return the caller with one more key. Those it has end then, unless sooner, and those that ran out are gone.

        Raises TooManyKeys when it has two live ones.
        """
        old = self.live_keys(now)
        if len(old) >= MAX_LIVE_KEYS:
            raise TooManyKeys
        ended = (replace(key, expires_at=min(key.expires_at or old_ends_at, old_ends_at)) for key in old)
        return replace(self, keys=(*ended, Key(key_hash)))

    def segregation_codes(self, institution: str) -> frozenset[str]:
        """Return the codes granted for an institution, `*` among them when all are. Empty when it is not granted."""
        nothing: frozenset[str] = frozenset()
        return self.grants.get(institution, nothing) | self.grants.get(EVERY, nothing)

    def acts_for(self, institution: str, segregation_code: str | None) -> bool:
        """Return whether a number is granted. A number without a segregation code needs the grant of every code."""
        granted = self.segregation_codes(institution)
        return EVERY in granted or (segregation_code is not None and segregation_code in granted)


def _is_within(first: datetime | None, now: datetime, end: datetime | None) -> bool:
    return (first is None or first <= now) and (end is None or now < end)
