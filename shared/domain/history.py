"""A notice as the archive knew it at a moment: the notice of today with the later events undone."""

from dataclasses import replace
from typing import Any

from shared.domain.events import NoticeEvent
from shared.domain.lifecycle import EventType
from shared.domain.notice import CONTENT_FIELDS, Notice


def undone(notice: Notice, event: NoticeEvent) -> Notice | None:
    """Return the notice without its latest event. None if that event is its publication.

    `version` and `updated_at` stay: they follow from the event before, see `as_recorded`.
    """
    if event.type is EventType.PUBLISHED:
        return None
    before: dict[str, Any] = {name: old for name, (old, _) in event.changed.items()}
    said = {name: before.pop(name) for name in CONTENT_FIELDS if name in before}
    content = replace(notice.content, **said) if notice.content and said else notice.content
    return replace(notice, content=content, **before)


def as_recorded(notice: Notice, event: NoticeEvent) -> Notice:
    """Return the notice as the event left it, once every later event is undone."""
    return replace(notice, version=event.version, updated_at=event.recorded_at)
