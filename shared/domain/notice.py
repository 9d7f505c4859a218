"""A notice, and the one way to change it: by events. Each event makes a new version."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from shared.domain import lifecycle
from shared.domain.content import Content
from shared.domain.events import ARCHIVE, EndReason, NoticeEvent, Origin, Summary, WriteContext
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.lifecycle import Anomaly, Dates, EventType, Passage, Status
from shared.domain.money import Payment, Settlement


@dataclass(frozen=True, slots=True)
class Address:
    """The identity of a notice: its creditor institution and its number."""

    creditor_institution: InstitutionCode
    """The institution that issued the notice."""
    number: NoticeNumber
    """The number of the notice (numero avviso)."""


LIFE = {"life": True}
"""Marks a field that events change beside the content. It is shown where it has a value, and in the history."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice at one version.

    `status` is the stored one. The one that is true now is `status_at(now)`. Fields without a docstring are not shown.
    """

    address: Address
    iuv: Iuv
    """The identifier of the payment."""
    version: int
    """The number of events of the notice. Each change adds at least one."""
    status: Status = field(metadata=LIFE)
    """The status now: SCHEDULED (not yet payable), ACTIVE (payable), EXPIRED, CANCELLED, CLOSED (paid outside pagoPA),
    PAID, REPORTED (in a flusso di rendicontazione)."""
    updated_at: datetime
    """When it last changed."""
    origin: Origin | None = None
    """The party that published it and alone can change it: the institution (ec), or Gestione Posizioni Debitorie
    (gpd)."""
    published_at: datetime | None = None
    """When it was first published."""
    content: Content | None = None
    payments: tuple[Payment, ...] = field(default=(), metadata=LIFE)
    """The receipts (ricevute telematiche) of the notice."""
    settlements: tuple[Settlement, ...] = field(default=(), metadata=LIFE)
    """The lines of settlement flows (flussi di rendicontazione) for the notice."""
    end_reason: EndReason | None = field(default=None, metadata=LIFE)
    """Why it was cancelled or closed."""
    replaced_by: NoticeNumber | None = field(default=None, metadata=LIFE)
    """The notice that replaced this one."""
    anomalies: tuple[Anomaly, ...] = field(default=(), metadata=LIFE)
    """Payments and settlements that contradict the declarations, in order."""
    # The times of the latest declarations of content and of state, and the end of the wait for a notice that was paid
    # before it was communicated.
    content_at: datetime | None = None
    state_at: datetime | None = None
    awaited_until: datetime | None = None

    @property
    def is_communicated(self) -> bool:
        """Return whether the notice was communicated, so that it may be shown."""
        return lifecycle.is_communicated(self.status)

    @property
    def dates(self) -> Dates:
        """Return the instants at which time changes the notice."""
        return dates_of(self.content, self.awaited_until)

    @property
    def awaited_payment_day(self) -> date | None:
        """Return the day of the first payment of a notice that is awaited, None for one that was communicated."""
        facts: tuple[Payment | Settlement, ...] = (*self.payments, *self.settlements)
        return facts[0].paid_on if facts and not self.is_communicated else None

    @property
    def next_change_at(self) -> datetime | None:
        """Return when time will next change the notice. None while it never will."""
        return self.dates.of(self.status)

    def status_at(self, now: datetime) -> Status:
        """Return the status that is true at `now`, whether or not it was written down."""
        return lifecycle.status_at(self.status, self.dates, now)


def dates_of(content: Content | None, awaited_until: datetime | None = None) -> Dates:
    """Return the instants at which time changes a notice with this content."""
    if content is None:
        return Dates(awaited_until=awaited_until)
    starts_at = content.valid_from.instant if content.valid_from else None
    return Dates(starts_at, content.due_date.instant if content.switch_to_expired else None, awaited_until)


@dataclass(frozen=True, slots=True)
class Change:
    """A notice after some events, each of which made a version. No events if nothing changed."""

    notice: Notice
    events: tuple[NoticeEvent, ...] = ()

    @classmethod
    def first(cls, notice: Notice, event: EventType, context: WriteContext, **facts: Any) -> "Change":
        """Return the change that brings a notice into the archive, at version 1."""
        return cls(notice, (_event(None, notice, event, context, context.at, facts),))

    @classmethod
    def caught_up(cls, notice: Notice, context: WriteContext) -> "Change":
        """Return the changes that time made to the notice until now, as events."""
        change = cls(notice)
        for passage, at in lifecycle.passages(notice.status, notice.dates, context.now):
            change = change.by_time(passage, context, at)
        return change

    @property
    def expected_version(self) -> int:
        """Return the version of the notice that the change starts from; 0 when there was none."""
        return self.notice.version - len(self.events)

    @property
    def publishes(self) -> bool:
        """Return whether the change publishes the notice."""
        return any(event.type is EventType.PUBLISHED for event in self.events)

    def is_changed_by(self, event: EventType, context: WriteContext) -> bool:
        """Return whether the event changes the notice. Raises the refusal of the life cycle."""
        return lifecycle.effect_of(event, self.notice.status, self.notice.dates, context.now) is not None

    def then(
        self,
        event: EventType,
        context: WriteContext,
        changes: Mapping[str, Any],
        *,
        column: EventType | None = None,
        is_settled: bool = True,
        anomaly: Anomaly | None = None,
        **facts: Any,
    ) -> "Change":
        """Return the change with one more event, which sets the fields in `changes` and the status of the life cycle.

        `column` is the column of the life cycle's table, if it is not the event's own. `anomaly` counts where the table
        names none. `facts` are fields of the event.
        """
        dates = dates_of(changes.get("content", self.notice.content))
        effect = lifecycle.effect_of(column or event, self.notice.status, dates, context.now, is_settled=is_settled)
        assert effect is not None, "an event without effect is not written"
        assert event is EventType.PUBLISHED or not effect.earlier_payments, "they are applied to a publication"
        return self.record(
            event, context, {**changes, "status": effect.status}, anomaly=effect.anomaly or anomaly, **facts
        )

    def record(
        self,
        event: EventType,
        context: WriteContext,
        changes: Mapping[str, Any],
        *,
        anomaly: Anomaly | None = None,
        **facts: Any,
    ) -> "Change":
        """Return the change with one more event, which leaves the status as it is unless `changes` holds it."""
        if anomaly and anomaly not in self.notice.anomalies:
            changes = {**changes, "anomalies": (*self.notice.anomalies, anomaly)}
        return self._step(event, context, context.at, changes, {"anomaly": anomaly, **facts})

    def by_time(self, passage: Passage, context: WriteContext, at: datetime, **changes: Any) -> "Change":
        """Return the change with one more event, which time made at `at`."""
        context = replace(context, actor=ARCHIVE, cause=None, reason=None)
        return self._step(passage.event, context, at, {"status": passage.status, **changes}, {})

    def _step(
        self,
        event: EventType,
        context: WriteContext,
        at: datetime,
        changes: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> "Change":
        # Two hosts may disagree about the time; within a notice it never runs backwards.
        updated_at = max(context.now, self.notice.updated_at)
        after = replace(self.notice, version=self.notice.version + 1, updated_at=updated_at, **changes)
        return Change(after, (*self.events, _event(self.notice, after, event, context, at, facts)))


CONTENT_FIELDS = tuple(one.name for one in fields(Content))
LIFE_FIELDS = tuple(one.name for one in fields(Notice) if one.metadata == LIFE)


def _event(
    before: Notice | None,
    after: Notice,
    event: EventType,
    context: WriteContext,
    at: datetime,
    facts: Mapping[str, Any],
) -> NoticeEvent:
    content = after.content
    return NoticeEvent(
        creditor_institution=after.address.creditor_institution,
        number=after.address.number,
        version=after.version,
        type=event,
        recorded_at=after.updated_at,
        occurred_at=at,
        actor=context.actor,
        write_id=context.write_id,
        status_before=before.status if before else None,
        status_after=after.status,
        changed={} if before is None or event is EventType.PUBLISHED else _changed(before, after),
        summary=Summary(
            iuv=after.iuv,
            origin=after.origin,
            amount=content.amount if content else None,
            due_date=content.due_date if content else None,
            pay_stand_in=content.pay_stand_in if content else None,
            end_reason=after.end_reason,
        ),
        cause=context.cause,
        reason=context.reason,
        traceparent=context.traceparent,
        **facts,
    )


def _changed(before: Notice, after: Notice) -> dict[str, tuple[object, object]]:
    changed = _differences(before, after, LIFE_FIELDS)
    if before.content is not after.content:
        changed |= _differences(before.content, after.content, CONTENT_FIELDS)
    return changed


def _differences(before: object, after: object, names: tuple[str, ...]) -> dict[str, tuple[object, object]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return {name: (old, new) for name, old, new in pairs if old != new}
