"""What operators do: changes of institutions and callers with their fields, messages sent again, readers reset."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """The kind of an entry."""

    INSTITUTION = "institution"
    CALLER = "caller"
    MESSAGE = "message"
    """A message of a queue. It is named here and has no document of its own."""
    READER = "reader"
    """A reader of the feed of changes. It has no document of its own here either."""


class Action(StrEnum):
    """The kind of a change."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    SENT = "sent"
    RESENT = "resent"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    RESET = "reset"


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
    """Names an institution by its fiscal code, a caller or a reader by its name, or a message by its queue and id."""

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
