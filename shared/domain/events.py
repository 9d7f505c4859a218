"""What happened to a notice: events, each written once, with the version it made; history, audit and outbox in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.amounts import Amount
from shared.domain.dates import DueDate
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.lifecycle import Anomaly, EventType, Status
from shared.domain.money import Payment, Settlement


class Role(StrEnum):
    """On whose behalf somebody acts."""

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
    """One attempt to change a notice: who, when, and on what ground.

    `write_id` is the same in every attempt of one request, so that a store recognises its own write. `occurred_at` is
    what the declarer says, `origin` on whose side it stands; `cause` is the id of the message that brought it, `reason`
    the declarer's free text.
    """

    now: datetime
    actor: Actor
    write_id: str
    occurred_at: datetime | None = None
    origin: Origin = Origin.EC
    cause: str | None = None
    reason: str | None = None

    @property
    def at(self) -> datetime:
        """When it happened: as declared, unless that is ahead of our clock."""
        return self.now if self.occurred_at is None else min(self.occurred_at, self.now)


@dataclass(frozen=True, slots=True)
class Summary:
    """What every reader of an event needs of the notice, without asking for it; never the debtor."""

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
