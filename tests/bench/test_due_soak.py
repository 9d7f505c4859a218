"""The soak of due changes sees each fault that it looks for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.due_soak.notices import DueNotices
from shared.domain import facts
from shared.domain.amounts import Amount
from shared.domain.events import ARCHIVE, NoticeEvent, WriteContext
from shared.domain.lifecycle import EventType
from shared.domain.notice import Notice
from tests.support import EC, HOUR, NOW, SECOND

DUE = DueNotices(8, saved_at=NOW - HOUR, due_at=NOW)
KINDS = pytest.mark.parametrize("position", range(4))

Found = tuple[Notice, list[NoticeEvent]]


def found(position: int) -> Found:
    """Return a notice and its events after time was written down as it should be."""
    saved = DUE.change(position)
    written = facts.catch_up(saved.notice, WriteContext(NOW + HOUR, ARCHIVE, "a-run"))
    return written.notice, [*saved.events, *written.events]


@KINDS
def test_a_notice_to_which_time_was_written_down_once_has_no_fault(position: int) -> None:
    assert DUE.faults(position, *found(position)) == []


def test_each_kind_has_its_events() -> None:
    assert [[event.type for event in found(position)[1]] for position in range(4)] == [
        [EventType.PUBLISHED, EventType.ACTIVATED],
        [EventType.PUBLISHED, EventType.EXPIRED],
        [EventType.PUBLISHED, EventType.ACTIVATED, EventType.EXPIRED],
        [EventType.AWAITED, EventType.UNCOMMUNICATED],
    ]


def _last(**changes: object) -> Callable[[Found], Found]:
    def damaged(notice_and_events: Found) -> Found:
        notice, [*events, last] = notice_and_events
        return notice, [*events, replace(last, **changes)]  # type: ignore[arg-type]

    return damaged


FAULTS: dict[str, Callable[[Found], Found]] = {
    "lost": lambda it: (it[0], it[1][:-1]),
    "lost with the notice": lambda it: (replace(it[0], version=it[0].version - 1), it[1][:-1]),
    "twice": lambda it: (
        replace(it[0], version=it[0].version + 1),
        [*it[1], replace(it[1][-1], version=it[0].version + 1)],
    ),
    "a gap": _last(version=9),
    "another time": _last(occurred_at=NOW + HOUR),
    "a little late": _last(occurred_at=NOW + timedelta(milliseconds=1)),
    "another type": _last(type=EventType.PAID),
    "another status before": _last(status_before=None),
    "another actor": _last(actor=EC),
    "another change": _last(changed={"amount": (1, 2)}),
    "recorded early": _last(recorded_at=NOW - SECOND),
    "another first event": lambda it: (it[0], [replace(it[1][0], actor=ARCHIVE), *it[1][1:]]),
    "another field": lambda it: (replace(it[0], payments=(), published_at=NOW), it[1]),
    "not caught up": lambda it: (replace(it[0], version=1), it[1]),
    "no events": lambda it: (it[0], []),
}


@KINDS
@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_seen(position: int, kind: str) -> None:
    assert DUE.faults(position, *FAULTS[kind](found(position))) != []


def test_a_notice_that_is_gone_is_a_fault() -> None:
    assert DUE.faults(0, None, found(0)[1]) != []


def test_a_change_of_the_content_is_a_fault() -> None:
    notice, events = found(0)
    assert notice.content is not None

    assert DUE.faults(0, replace(notice, content=replace(notice.content, amount=Amount(1))), events) != []
