"""Answers: domain → JSON."""

from collections.abc import Iterable
from typing import Any, Protocol

import orjson

from shared.documents import changed_fields
from shared.domain.dates import format_instant
from shared.domain.events import NoticeEvent
from shared.stored_notice import Shown


def etag(notice: Shown) -> str:
    """Return the ETag of a notice. It changes with the version, and with a status that time changes."""
    return f'"{notice.version}-{notice.status}"'


def history(events: Iterable[NoticeEvent], cursor: str | None) -> dict[str, Any]:
    """Return a page of the history of a notice and the cursor of the next, null at the end."""
    return {"items": [_event(event) for event in events], "nextCursor": cursor}


class _Json(Protocol):
    @property
    def json(self) -> bytes: ...


def listing(notices: Iterable[_Json], cursor: str | None) -> bytes:
    """Return a page of notices and the cursor of the next, null at the end, as JSON."""
    return b'{"items":[%b],"nextCursor":%b}' % (b",".join([notice.json for notice in notices]), orjson.dumps(cursor))


def _event(event: NoticeEvent) -> dict[str, Any]:
    shown = {
        "version": event.version,
        "type": event.type,
        "recordedAt": format_instant(event.recorded_at),
        "occurredAt": format_instant(event.occurred_at),
        "actor": {"role": event.actor.role, "name": event.actor.name},
        "statusBefore": event.status_before,
        "statusAfter": event.status_after,
        "changed": changed_fields(event),
    }
    if event.anomaly is not None:
        shown["anomaly"] = event.anomaly
    if event.reason is not None:
        shown["reason"] = event.reason
    return shown
