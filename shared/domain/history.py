"""A notice as the archive knew it at a moment: the notice of today with the later events undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.events import NoticeEvent
from shared.domain.lifecycle import EventType
from shared.domain.notice import CONTENT_FIELDS, Notice

_BEGINNINGS = (EventType.PUBLISHED, EventType.AWAITED)


def as_of(notice: Notice, events: Sequence[NoticeEvent], at: datetime) -> Notice | None:
    """Return the notice as recorded at `at`, given all its events in order; None before its publication."""
    known = [event for event in events if event.recorded_at <= at]
    for event in reversed(events[len(known) :]):
        if event.type in _BEGINNINGS:
            return None
        notice = _undone(notice, event)
    if not known or not notice.is_communicated:
        return None
    return replace(notice, version=known[-1].version, updated_at=known[-1].recorded_at)


def _undone(notice: Notice, event: NoticeEvent) -> Notice:
    before: dict[str, Any] = {name: old for name, (old, _) in event.changed.items()}
    said = {name: before.pop(name) for name in CONTENT_FIELDS if name in before}
    content = replace(notice.content, **said) if notice.content and said else notice.content
    return replace(notice, content=content, **before)
