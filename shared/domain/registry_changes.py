"""Changes of the registry: who changed which institution or caller, when, and which of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """The kind of an entry."""

    INSTITUTION = "institution"
    CALLER = "caller"


class Action(StrEnum):
    """The kind of a change."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who changes the registry, as their own machine says.

    `user` is the user of the operating system, `identity` is how the store lets them in.
    """

    user: str
    machine: str | None = None
    identity: str | None = None


LOCAL_START = Operator("local start")
"""Registers the first entries of a local archive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Names one institution, by its fiscal code, or one caller, by its name."""

    kind: Kind
    name: str

    @property
    def id(self) -> str:
        """Return the id of its document."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The value of a field before and after, as JSON. None where there was, or is, no value."""

    before: object
    after: object


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """One change of one entry. Ids are sorted by time. Keys appear by their ids only, never by their hashes."""

    id: str
    at: datetime
    by: Operator
    action: Action
    entry: Entry
    fields: Mapping[str, FieldChange]
