"""The life of a notice: the tables that decide each status, and the one interpreter that executes them.

No caller assigns a status. Declarations (`published` to `restored`) come from the creditor institution and may be
refused. Facts (`paid`, `reported`) come from the platform and are never refused, because the money has moved. Time
changes a status too, and that change is true before the archive writes it down.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, NamedTuple, assert_never

from shared.domain.terms import Term
from shared.errors import (
    ArchiveError,
    NoticeCancelled,
    NoticeClosed,
    NoticeExpired,
    NoticeNotFound,
    NoticePaid,
    NoticeReported,
)


class Status(Term):
    """The status of a notice."""

    SCHEDULED = "SCHEDULED", "communicated, and not yet payable: `validFrom` lies ahead"
    ACTIVE = "ACTIVE", "payable"
    EXPIRED = "EXPIRED", "the due date has passed and is binding (`switchToExpired`)"
    CANCELLED = "CANCELLED", "annulled or replaced by another notice"
    CLOSED = "CLOSED", "paid outside pagoPA"
    PAID = "PAID", "paid through pagoPA: a receipt has come"
    REPORTED = "REPORTED", "settled: every transfer has a line in a *flusso di rendicontazione*"
    AWAITED = "AWAITED", "money came for a notice that was not communicated. GET answers 404"


class EventType(Term):
    """The type of an event. Permanent once published."""

    PUBLISHED = "published", "the whole notice was communicated, for the first time"
    AMENDED = "amended", "the content of the notice was changed, by PATCH or by another PUT"
    CANCELLED = "cancelled", "the institution took the notice back"
    CLOSED = "closed", "the institution was paid in another way"
    RESTORED = "restored", "a cancellation or closure was taken back"
    PAID = "paid", "a receipt came"
    REPORTED = "reported", "a settlement line came"
    ACTIVATED = "activated", "`validFrom` was reached"
    EXPIRED = "expired", "a binding due date passed"
    AWAITED = "awaited", "money came for a number that was not communicated"
    UNCOMMUNICATED = "uncommunicated", "the notice was not communicated in the given time"


StateEvent = Literal[EventType.CANCELLED, EventType.CLOSED, EventType.RESTORED]
"""The events that a creditor institution declares, except those about the content."""


class Anomaly(Term):
    """A fact that contradicts a declaration or another fact. Recorded, never refused."""

    PAID_AFTER_CANCELLATION = "paid_after_cancellation", "a receipt came for a cancelled notice"
    PAID_TWICE = "paid_twice", "a second receipt came, or one for a notice that was paid outside pagoPA"
    REPORTED_AFTER_CANCELLATION = "reported_after_cancellation", "a settlement line came for a cancelled notice"
    REPORTED_AFTER_CLOSURE = (
        "reported_after_closure",
        "a settlement line came for a notice that was paid outside pagoPA",
    )
    REPORTED_TWICE = "reported_twice", "a second settlement line came for the same transfer"
    PAYMENT_REVOKED = "payment_revoked", "a settlement line says that the payment was revoked (code 3)"


class Fault(Term):
    """The reason why a notice cannot be paid in Stand-In. The Nodo answers it to the PSP (paForNode, `faultCode`)."""

    UNKNOWN = "PAA_PAGAMENTO_SCONOSCIUTO", "no such notice, or it is not for Stand-In, or it is not payable yet"
    EXPIRED = "PAA_PAGAMENTO_SCADUTO", "a binding due date has passed"
    CANCELLED = "PAA_PAGAMENTO_ANNULLATO", "the institution cancelled the notice"
    DUPLICATE = "PAA_PAGAMENTO_DUPLICATO", "the debt was paid, through pagoPA or in another way"


@dataclass(frozen=True, slots=True)
class Becomes:
    """The event leads to this status. The anomaly says that it contradicts a declaration."""

    status: Status
    anomaly: Anomaly | None = None


class Rule(Enum):
    """An effect that the status alone does not decide."""

    BY_ITS_DATES = "by its dates"
    BY_EARLIER_PAYMENTS = "by earlier payments"
    NO_CHANGE = "no change"


Cell = Becomes | Rule | type[ArchiveError]
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
        _E.PUBLISHED: Rule.BY_EARLIER_PAYMENTS,
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
"""The effect of a declaration or a fact, by the status at its time. None is a number that the archive does not have."""


class Passage(NamedTuple):
    """A change that time makes: its event, the status after it, and the name of the date in Dates that brings it."""

    event: EventType
    status: Status
    date: str


TIME: Mapping[Status, Passage] = {
    _S.SCHEDULED: Passage(_E.ACTIVATED, _S.ACTIVE, "starts_at"),
    _S.ACTIVE: Passage(_E.EXPIRED, _S.EXPIRED, "ends_at"),
    _S.AWAITED: Passage(_E.UNCOMMUNICATED, _S.AWAITED, "awaited_until"),
}
"""The changes that time makes, by the status before."""


@dataclass(frozen=True, slots=True)
class StoredAs:
    """A stored status, and which of its dates have passed (None: it does not matter)."""

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


FAULTS: Mapping[Status, Fault | None] = {
    _S.SCHEDULED: Fault.UNKNOWN,
    _S.ACTIVE: None,
    _S.EXPIRED: Fault.EXPIRED,
    _S.CANCELLED: Fault.CANCELLED,
    _S.CLOSED: Fault.DUPLICATE,
    _S.PAID: Fault.DUPLICATE,
    _S.REPORTED: Fault.DUPLICATE,
    _S.AWAITED: Fault.DUPLICATE,
}
"""The fault that a status has in Stand-In. None: the notice is payable."""


def may_be_active(stored: Status) -> bool:
    """Return whether a notice that is stored with this status is ACTIVE at some time without a further event."""
    return any(active.status is stored for active in TRUE_NOW[Status.ACTIVE])


@dataclass(frozen=True, slots=True)
class Dates:
    """The instants at which time changes a notice. None where it never does.

    `starts_at` is validFrom. `ends_at` is the due date if it is binding. `awaited_until` is the end of the wait for a
    notice that was not communicated.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    awaited_until: datetime | None = None

    def of(self, status: Status) -> datetime | None:
        """Return the instant at which time moves a notice on from the status."""
        passage = TIME.get(status)
        at: datetime | None = getattr(self, passage.date) if passage else None
        return at


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of an event: the status after it, and the anomaly if it contradicts a declaration.

    `earlier_payments`: receipts and settlement lines that came before the notice are applied now.
    """

    status: Status
    anomaly: Anomaly | None = None
    earlier_payments: bool = False


def effect_of(
    event: EventType, status: Status | None, dates: Dates, now: datetime, *, is_settled: bool = True
) -> Effect | None:
    """Return the effect of an event on a notice in this status. None if nothing changes. Raise the refusal of the cell.

    `dates` are those of the notice after the event. `is_settled`: every transfer has a settlement line. A notice is
    PAID, not REPORTED, until then.
    """
    cell = TRANSITIONS[status][event]
    match cell:
        case Becomes(Status.REPORTED, anomaly) if not is_settled:
            return Effect(Status.PAID, anomaly)
        case Becomes(after, anomaly):
            return Effect(after, anomaly)
        case Rule.BY_ITS_DATES:
            return Effect(status_by_dates(dates, now))
        case Rule.BY_EARLIER_PAYMENTS:
            return Effect(status_by_dates(dates, now), earlier_payments=True)
        case Rule.NO_CHANGE:
            return None
        case type():
            raise cell
        case _:
            assert_never(cell)


def is_communicated(status: Status) -> bool:
    """Return whether the notice was communicated. A notice that was only paid is not shown."""
    return status is not Status.AWAITED


def status_by_dates(dates: Dates, now: datetime) -> Status:
    """Return the status of a payable notice by its dates alone."""
    if dates.starts_at is not None and now < dates.starts_at:
        return Status.SCHEDULED
    if dates.ends_at is not None and dates.ends_at <= now:
        return Status.EXPIRED
    return Status.ACTIVE


def passages(status: Status, dates: Dates, now: datetime) -> Iterator[tuple[Passage, datetime]]:
    """Yield the changes that time has made to a communicated notice and that are not written down, with their time."""
    while is_communicated(status) and (at := dates.of(status)) is not None and at <= now:
        yield TIME[status], at
        status = TIME[status].status


def status_at(status: Status, dates: Dates, now: datetime) -> Status:
    """Return the status that is true at `now` for a notice stored with `status`."""
    at = dates.of(status)
    if at is None or at > now:  # nearly always, so this is all that a read pays
        return status
    return [status, *(passage.status for passage, _ in passages(status, dates, now))][-1]
