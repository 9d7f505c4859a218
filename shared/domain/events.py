"""The events of a notice. Each is written once, with the version that it made. They are history, audit and outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.amounts import Amount
from shared.domain.dates import DueDate
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.lifecycle import Anomaly, EventType, Status
from shared.domain.money import Payment, Settlement


class Role(StrEnum):
    """The role of a caller."""

    CREDITOR_INSTITUTION = "creditor_institution"
    BROKER = "broker"
    PLATFORM = "platform"
    OPERATOR = "operator"
    ARCHIVE = "archive"


class Origin(StrEnum):
    """Who communicated the notice, and so alone declares what happens to it."""

    EC = "ec"
    GPD = "gpd"


class EndReason(StrEnum):
    """Why a notice ended unpaid, or paid elsewhere."""

    CANCELLED = "cancelled"
    REPLACED = "replaced"
    PAID_ELSEWHERE = "paid_elsewhere"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted: the caller's role and its name in the registry."""

    role: Role
    name: str


ARCHIVE = Actor(Role.ARCHIVE, "archive")
"""The actor of what time does."""


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Who writes, when and why. The same in every retry of a request.

    By `write_id` a store recognises its own write. `occurred_at` is the time of the declaration, `origin` the side of
    the declarer, `cause` the id of the inbound message, `reason` a free text, `traceparent` the W3C trace context.
    """

    now: datetime
    actor: Actor
    write_id: str
    occurred_at: datetime | None = None
    origin: Origin = Origin.EC
    cause: str | None = None
    reason: str | None = None
    traceparent: str | None = None

    @property
    def at(self) -> datetime:
        """Return the declared time, or now if that is in the future."""
        return self.now if self.occurred_at is None else min(self.occurred_at, self.now)

    def because(self, reason: str | None) -> "WriteContext":
        """Return the context with a reason."""
        return replace(self, reason=reason)


@dataclass(frozen=True, slots=True)
class Summary:
    """The fields of the notice that every reader of an event needs. Never the debtor."""

    iuv: Iuv
    origin: Origin | None
    amount: Amount | None
    due_date: DueDate | None
    pay_stand_in: bool | None
    end_reason: EndReason | None


@dataclass(frozen=True, slots=True)
class NoticeEvent:
    """One thing that happened to a notice.

    `changed` holds the fields that the event changed, by their names in the domain, as (before, after).
    """

    creditor_institution: InstitutionCode
    number: NoticeNumber
    version: int
    type: EventType
    recorded_at: datetime
    occurred_at: datetime
    actor: Actor
    write_id: str
    status_before: Status | None
    status_after: Status
    changed: Mapping[str, tuple[object, object]]
    summary: Summary
    cause: str | None = None
    reason: str | None = None
    anomaly: Anomaly | None = None
    payment: Payment | None = None
    settlement: Settlement | None = None
    traceparent: str | None = None
