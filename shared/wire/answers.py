"""Answers: domain → JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.codecs import camel
from shared.documents import CONTENT, changed_fields, encode_field
from shared.domain.dates import format_instant
from shared.domain.events import NoticeEvent
from shared.domain.notice import LIFE_FIELDS, Notice

_FACTS = {camel(name): name for name in LIFE_FIELDS if name != "status"}


def notice(notice: Notice, now: datetime) -> dict[str, Any]:
    """Return a notice as it is shown, with the status that is true at `now`."""
    assert notice.content is not None, "only a communicated notice is shown"
    assert notice.published_at is not None, "only a communicated notice is shown"
    return {
        "creditorInstitution": notice.address.creditor_institution,
        "noticeNumber": notice.address.number,
        "iuv": notice.iuv,
        "origin": notice.origin,
        "status": notice.status_at(now),
        "version": notice.version,
        "publishedAt": format_instant(notice.published_at),
        "updatedAt": format_instant(notice.updated_at),
        **CONTENT.encode(notice.content, nulls=True),
        **{public: encode_field(name, value) for public, name in _FACTS.items() if (value := getattr(notice, name))},
    }


def etag(notice: Notice, now: datetime) -> str:
    """Return the ETag of a notice. It changes with the version, and with a status that time changes."""
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
