"""What the archive answers: domain → JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.documents import changed_fields, content_fields, plain
from shared.domain.events import NoticeEvent
from shared.domain.notice import Notice


def notice(notice: Notice, now: datetime) -> dict[str, Any]:
    """Return a notice as it is shown, with the status that is true at `now`."""
    assert notice.content is not None, "only a communicated notice is shown"
    shown = {
        "creditorInstitution": notice.address.creditor_institution,
        "noticeNumber": notice.address.number,
        "iuv": notice.iuv,
        "origin": notice.origin,
        "status": notice.status_at(now),
        "version": notice.version,
        "publishedAt": plain(notice.published_at),
        "updatedAt": plain(notice.updated_at),
        **content_fields(notice.content),
    }
    for name, value in (
        ("payments", notice.payments),
        ("settlements", notice.settlements),
        ("endReason", notice.end_reason),
        ("replacedBy", notice.replaced_by),
        ("anomalies", notice.anomalies),
    ):
        if value:
            shown[name] = plain(value)
    return shown


def etag(notice: Notice, now: datetime) -> str:
    """Return the tag of what is shown: it changes with the version, and with the status that time brings."""
    return f'"{notice.version}-{notice.status_at(now)}"'


def history(events: Iterable[NoticeEvent], cursor: str | None) -> dict[str, Any]:
    """Return a page of the history of a notice and the cursor of the next, null at the end."""
    return {"items": [_event(event) for event in events], "nextCursor": cursor}


def listing(notices: Iterable[Notice], cursor: str | None, now: datetime) -> dict[str, Any]:
    """Return a page of notices and the cursor of the next, null at the end."""
    return {"items": [notice(one, now) for one in notices], "nextCursor": cursor}


def _event(event: NoticeEvent) -> dict[str, Any]:
    shown = {
        "version": event.version,
        "type": event.type,
        "recordedAt": plain(event.recorded_at),
        "occurredAt": plain(event.occurred_at),
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
