"""Any life a notice can have: declarations, money and time in any order, and what holds after each of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.documents import decode_event, decode_notice, dumps, event_document, loads, notice_document
from shared.domain import declarations, facts
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.events import NoticeEvent
from shared.domain.history import as_recorded, undone
from shared.domain.lifecycle import TRANSITIONS, Becomes, EventType, Rule, Status
from shared.domain.money import OutcomeCode
from shared.domain.notice import Change, Notice
from shared.errors import ArchiveError, DueDateInPast, InvalidBody, StaleDeclaration
from tests.support import ADDRESS, HOUR, NOW, a_line, a_payment, a_publication, a_transfer, an_act

ENDS = {Status.PAID, Status.REPORTED}
TWO_WAYS = (a_transfer(1, 12000), a_transfer(2, 50))

dates = st.fixed_dictionaries(
    {
        "due_date": st.integers(1, 30).map(lambda hours: DueDate(NOW + hours * HOUR, whole_day=False)),
        "valid_from": st.none() | st.just(ValidFrom(NOW + HOUR - HOUR / 2, whole_day=False)),
        "switch_to_expired": st.booleans(),
        "description": st.sampled_from(["a", "b"]),
    }
)


class LifeOfANotice(RuleBasedStateMachine):
    """One notice; each rule is something that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.notice: Notice | None = None
        self.events: list[NoticeEvent] = []
        self.seen: list[tuple[datetime, Notice]] = []

    @rule(hours=st.integers(1, 12))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(content=dates)
    def published(self, content: dict[str, Any]) -> None:
        transfers: dict[str, Any] = {"iban": None, "transfers": TWO_WAYS} if content["description"] == "b" else {}
        publication = a_publication(**content, **transfers)
        self._declare(EventType.PUBLISHED, lambda: declarations.publish(self.notice, publication, self._act()))

    @rule(hours=st.integers(-5, 20), description=st.sampled_from(["a", "c"]))
    def amended(self, hours: int, description: str) -> None:
        due = DueDate(self.now + hours * HOUR, whole_day=False)
        self._declare(
            EventType.AMENDED,
            lambda: declarations.amend(self.notice, {"due_date": due, "description": description}, None, self._act()),
        )

    @rule(before=st.integers(0, 30))
    def cancelled(self, before: int) -> None:
        context = self._act(occurred_at=self.now - before * HOUR)
        self._declare(EventType.CANCELLED, lambda: declarations.cancel(self.notice, context))

    @rule()
    def closed(self) -> None:
        self._declare(EventType.CLOSED, lambda: declarations.close(self.notice, self._act()))

    @rule()
    def restored(self) -> None:
        self._declare(EventType.RESTORED, lambda: declarations.restore(self.notice, self._act()))

    @rule(receipt=st.sampled_from(["r1", "r2"]))
    def paid(self, receipt: str) -> None:
        self._report(
            EventType.PAID,
            facts.record_payment(self.notice, ADDRESS, a_payment(receipt), self._act(), awaited_until=self.now + HOUR),
        )

    @rule(flow=st.sampled_from(["f1", "f2"]), transfer=st.integers(1, 3), revoked=st.booleans())
    def reported(self, flow: str, transfer: int, revoked: bool) -> None:
        code = OutcomeCode.REVOKED if revoked else OutcomeCode.PAID
        line = a_line(flow, transfer, outcome_code=code)
        until = self.now + HOUR
        self._report(
            EventType.REPORTED,
            facts.record_settlement(self.notice, ADDRESS, line, self._act(), awaited_until=until),
        )

    @precondition(lambda self: self.notice is not None)
    @rule()
    def due_changes_are_applied(self) -> None:
        assert self.notice is not None
        self._keep(facts.catch_up(self.notice, self._act()))
        assert self.notice.next_change_at is None or self.notice.next_change_at > self.now

    @invariant()
    def events_are_the_versions_of_the_notice_and_each_begins_where_the_one_before_ended(self) -> None:
        assert [event.version for event in self.events] == list(range(1, len(self.events) + 1))
        assert (self.notice.version if self.notice else 0) == len(self.events)
        befores, afters = [e.status_before for e in self.events], [e.status_after for e in self.events]
        assert befores == [None, *afters][: len(befores)]
        assert sorted(e.recorded_at for e in self.events) == [e.recorded_at for e in self.events]

    @invariant()
    def money_is_final(self) -> None:
        money = [event.status_after in ENDS for event in self.events]
        assert money == sorted(money)

    @invariant()
    def what_was_known_at_any_moment_can_be_told(self) -> None:
        for at, known in self.seen:
            assert self.notice is not None
            told = as_of(self.notice, self.events, at)
            if not known.is_communicated:
                assert told is None
                continue
            assert told is not None
            assert (told.version, told.content, told.status_at(at)) == (
                known.version,
                known.content,
                known.status_at(at),
            )
            assert (told.payments, told.settlements, told.anomalies) == (
                known.payments,
                known.settlements,
                known.anomalies,
            )
            assert (told.end_reason, told.replaced_by) == (known.end_reason, known.replaced_by)

    @invariant()
    def documents_hold_all_of_it(self) -> None:
        if self.notice is not None:
            assert decode_notice(loads(dumps(notice_document(self.notice).whole))) == self.notice
        if self.events:
            assert decode_event(loads(dumps(event_document(self.events[-1])))) == self.events[-1]

    def _act(self, **changes: Any) -> Any:
        return an_act(self.now, **changes)

    def _declare(self, event: EventType, declare: Any) -> None:
        status = self.notice.status_at(self.now) if self.notice else None
        cell = TRANSITIONS[status][event]
        refusal: type[ArchiveError] | None = None
        change: Change | None = None
        try:
            change = declare()
        except (StaleDeclaration, DueDateInPast, InvalidBody):
            return  # for reasons that the table does not know
        except ArchiveError as error:
            refusal = type(error)
        assert refusal is (cell if isinstance(cell, type) else None)
        if change is None:
            return
        assert cell is not Rule.NO_CHANGE or not change.events
        if isinstance(cell, Becomes):
            assert change.notice.status is cell.status
        self._keep(change)

    def _report(self, event: EventType, change: Change) -> None:
        status = self.notice.status_at(self.now) if self.notice else None
        cell = TRANSITIONS[status][event]
        assert isinstance(cell, Becomes)
        if change.events and (anomaly := cell.anomaly) and change.events[-1].anomaly != "payment_revoked":
            assert change.events[-1].anomaly == anomaly
        self._keep(change)

    def _keep(self, change: Change) -> None:
        assert change.expected_version == len(self.events)
        self.notice = change.notice
        self.events += change.events
        if change.events:
            self.now += HOUR / 60  # the next one is recorded later
            self.seen.append((change.notice.updated_at, replace(change.notice)))


TestLifeOfANotice = LifeOfANotice.TestCase
TestLifeOfANotice.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def as_of(notice: Notice, events: list[NoticeEvent], at: datetime) -> Notice | None:
    """Return the notice as the archive knew it then: each later event is undone."""
    for event in reversed(events):
        if event.recorded_at <= at:
            return as_recorded(notice, event) if notice.is_communicated else None
        before = undone(notice, event)
        if before is None:
            return None
        notice = before
    return None
