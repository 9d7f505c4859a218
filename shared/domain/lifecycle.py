"""The life of a notice: everything that decides a status lives here, as tables that the code and the docs read.

A status is never assigned by a caller: it is what a table says of an event. Declarations (`published` to `restored`)
come from the creditor institution and may be refused. Facts (`paid`, `reported`) come from the platform and never are:
money has moved. Time does the rest, and what time has done is true before anybody wrote it down.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from shared.errors import (
    ArchiveError,
    NoticeCancelled,
    NoticeClosed,
    NoticeExpired,
    NoticeNotFound,
    NoticePaid,
    NoticeReported,
)


class Status(StrEnum):
    """Where a notice stands."""

    SCHEDULED = "SCHEDULED"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    CLOSED = "CLOSED"
    PAID = "PAID"
    REPORTED = "REPORTED"
    AWAITED = "AWAITED"


class EventType(StrEnum):
    """What happens to a notice; permanent once published."""

    PUBLISHED = "published"
    AMENDED = "amended"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    RESTORED = "restored"
    PAID = "paid"
    REPORTED = "reported"
    ACTIVATED = "activated"
    EXPIRED = "expired"
    AWAITED = "awaited"
    UNCOMMUNICATED = "uncommunicated"


class Anomaly(StrEnum):
    """A fact that contradicts what was declared; recorded, never refused."""

    PAID_AFTER_CANCELLATION = "paid_after_cancellation"
    PAID_TWICE = "paid_twice"
    REPORTED_AFTER_CANCELLATION = "reported_after_cancellation"
    REPORTED_AFTER_CLOSURE = "reported_after_closure"
    REPORTED_TWICE = "reported_twice"
    PAYMENT_REVOKED = "payment_revoked"


@dataclass(frozen=True, slots=True)
class Becomes:
    """The event leads to this status, and contradicts what was declared where an anomaly is named."""

    status: Status
    anomaly: Anomaly | None = None


class Rule(Enum):
    """An outcome that the status alone does not decide."""

    BY_ITS_DATES = "by its dates"
    AS_THE_MONEY_SAYS = "as the money says"
    NO_CHANGE = "no change"


Outcome = Becomes | Rule
Cell = Outcome | type[ArchiveError]
"""A refusal is the class of its error."""

_S, _E, _A = Status, EventType, Anomaly

TRANSITIONS: Mapping[Status | None, Mapping[EventType, Cell]] = {
    None: {
        _E.PUBLISHED: Rule.BY_ITS_DATES,
        _E.AMENDED: NoticeNotFound,
        _E.CANCELLED: NoticeNotFound,
        _E.CLOSED: NoticeNotFound,
        _E.RESTORED: NoticeNotFound,
        _E.PAID: Becomes(_S.AWAITED),
        _E.REPORTED: Becomes(_S.AWAITED),
    },
    _S.AWAITED: {
        _E.PUBLISHED: Rule.AS_THE_MONEY_SAYS,
        _E.AMENDED: NoticeNotFound,
        _E.CANCELLED: NoticeNotFound,
        _E.CLOSED: NoticeNotFound,
        _E.RESTORED: NoticeNotFound,
        _E.PAID: Becomes(_S.AWAITED),
        _E.REPORTED: Becomes(_S.AWAITED),
    },
    _S.SCHEDULED: {
        _E.PUBLISHED: Rule.BY_ITS_DATES,
        _E.AMENDED: Rule.BY_ITS_DATES,
        _E.CANCELLED: Becomes(_S.CANCELLED),
        _E.CLOSED: Becomes(_S.CLOSED),
        _E.RESTORED: Rule.NO_CHANGE,
        _E.PAID: Becomes(_S.PAID),
        _E.REPORTED: Becomes(_S.REPORTED),
    },
    _S.ACTIVE: {
        _E.PUBLISHED: Rule.BY_ITS_DATES,
        _E.AMENDED: Rule.BY_ITS_DATES,
        _E.CANCELLED: Becomes(_S.CANCELLED),
        _E.CLOSED: Becomes(_S.CLOSED),
        _E.RESTORED: Rule.NO_CHANGE,
        _E.PAID: Becomes(_S.PAID),
        _E.REPORTED: Becomes(_S.REPORTED),
    },
    _S.EXPIRED: {
        _E.PUBLISHED: Rule.BY_ITS_DATES,
        _E.AMENDED: Rule.BY_ITS_DATES,
        _E.CANCELLED: Becomes(_S.CANCELLED),
        _E.CLOSED: Becomes(_S.CLOSED),
        _E.RESTORED: NoticeExpired,
        _E.PAID: Becomes(_S.PAID),
        _E.REPORTED: Becomes(_S.REPORTED),
    },
    _S.CANCELLED: {
        _E.PUBLISHED: NoticeCancelled,
        _E.AMENDED: NoticeCancelled,
        _E.CANCELLED: Rule.NO_CHANGE,
        _E.CLOSED: NoticeCancelled,
        _E.RESTORED: Rule.BY_ITS_DATES,
        _E.PAID: Becomes(_S.PAID, _A.PAID_AFTER_CANCELLATION),
        _E.REPORTED: Becomes(_S.REPORTED, _A.REPORTED_AFTER_CANCELLATION),
    },
    _S.CLOSED: {
        _E.PUBLISHED: NoticeClosed,
        _E.AMENDED: NoticeClosed,
        _E.CANCELLED: NoticeClosed,
        _E.CLOSED: Rule.NO_CHANGE,
        _E.RESTORED: Rule.BY_ITS_DATES,
        _E.PAID: Becomes(_S.PAID, _A.PAID_TWICE),
        _E.REPORTED: Becomes(_S.REPORTED, _A.REPORTED_AFTER_CLOSURE),
    },
    _S.PAID: {
        _E.PUBLISHED: NoticePaid,
        _E.AMENDED: NoticePaid,
        _E.CANCELLED: NoticePaid,
        _E.CLOSED: NoticePaid,
        _E.RESTORED: NoticePaid,
        _E.PAID: Becomes(_S.PAID),
        _E.REPORTED: Becomes(_S.REPORTED),
    },
    _S.REPORTED: {
        _E.PUBLISHED: NoticeReported,
        _E.AMENDED: NoticeReported,
        _E.CANCELLED: NoticeReported,
        _E.CLOSED: NoticeReported,
        _E.RESTORED: NoticeReported,
        _E.PAID: Becomes(_S.REPORTED),
        _E.REPORTED: Becomes(_S.REPORTED, _A.REPORTED_TWICE),
    },
}
"""What a declaration or a fact does, by the status true when it happens; None is a number nobody has heard of."""

TIME: Mapping[Status, tuple[EventType, Status]] = {
    _S.SCHEDULED: (_E.ACTIVATED, _S.ACTIVE),
    _S.ACTIVE: (_E.EXPIRED, _S.EXPIRED),
    _S.AWAITED: (_E.UNCOMMUNICATED, _S.AWAITED),
}
"""What time does: at `validFrom`, at a binding due date, at the end of the wait for a notice nobody communicated."""


@dataclass(frozen=True, slots=True)
class StoredAs:
    """A status as written down, and which of its dates have passed (None: whether or not)."""

    status: Status
    started: bool | None = None
    ended: bool | None = None


TRUE_NOW: Mapping[Status, tuple[StoredAs, ...]] = {
    _S.SCHEDULED: (StoredAs(_S.SCHEDULED, started=False),),
    _S.ACTIVE: (StoredAs(_S.ACTIVE, ended=False), StoredAs(_S.SCHEDULED, started=True, ended=False)),
    _S.EXPIRED: (
        StoredAs(_S.EXPIRED),
        StoredAs(_S.ACTIVE, ended=True),
        StoredAs(_S.SCHEDULED, started=True, ended=True),
    ),
    **{status: (StoredAs(status),) for status in (_S.CANCELLED, _S.CLOSED, _S.PAID, _S.REPORTED)},
}
"""How the notices that have a status *now* are stored, for stores that search by status. AWAITED is in no list."""


def outcome(status: Status | None, event: EventType) -> Outcome:
    """Tell what the event does to a notice with this status; raise the refusal where the table names one."""
    cell = TRANSITIONS[status][event]
    if isinstance(cell, type):
        raise cell
    return cell


def is_communicated(status: Status) -> bool:
    """Tell whether somebody communicated the notice; one that was only paid is shown to nobody."""
    return status is not Status.AWAITED


@dataclass(frozen=True, slots=True)
class Dates:
    """The instants at which time changes a notice; None where it never does.

    `starts_at` is validFrom, `ends_at` the due date if it is binding, `awaited_until` the end of the wait for a notice
    nobody communicated.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    awaited_until: datetime | None = None

    def of(self, status: Status) -> datetime | None:
        """Return the instant at which time moves a notice on from the status."""
        match status:
            case Status.SCHEDULED:
                return self.starts_at
            case Status.ACTIVE:
                return self.ends_at
            case Status.AWAITED:
                return self.awaited_until
            case _:
                return None


def status_by_dates(dates: Dates, now: datetime) -> Status:
    """Return the status of a payable notice by its dates alone."""
    if dates.starts_at is not None and now < dates.starts_at:
        return Status.SCHEDULED
    if dates.ends_at is not None and dates.ends_at <= now:
        return Status.EXPIRED
    return Status.ACTIVE


def passed(status: Status, dates: Dates, now: datetime) -> Iterator[tuple[EventType, Status, datetime]]:
    """Yield what time has done to a communicated notice and nobody wrote down: the event, the status, since when."""
    while is_communicated(status) and (at := dates.of(status)) is not None and at <= now:
        event, status = TIME[status]
        yield event, status, at


def as_settled(status: Status, *, complete: bool) -> Status:
    """Return the status that a settlement line leads to: REPORTED when every transfer has a line, PAID until then."""
    return Status.PAID if status is Status.REPORTED and not complete else status


def status_at(status: Status, dates: Dates, now: datetime) -> Status:
    """Return the status that is true at `now` for a notice stored with `status`."""
    at = dates.of(status)
    if at is None or at > now:  # nearly always, so this is all that a read pays
        return status
    return [status, *(after for _, after, _ in passed(status, dates, now))][-1]
