"""Stored JSON ⇄ domain, the same in every store. `schema` says how a document is decoded.

A notice lies beside its events: `id` is `notice`, or `event-` and the version that it made. Stores search by
`dueDateKey`, `startsAt`, `endsAt` and `nextChangeAt`. These follow from other fields and are never decoded.
"""

from datetime import datetime
from typing import Any

import orjson

from shared.codecs import Document, PartCodec, camel, codec_of
from shared.domain.content import Content
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import LIFE_FIELDS, Address, Notice

SCHEMA = 1

NOTICE = PartCodec(Notice, without=("address", "content"))
CONTENT = PartCodec(Content)
_EVENT = PartCodec(NoticeEvent, without=("creditor_institution", "number", "changed"))
_INSTANT = codec_of(datetime | None)
_CODECS = NOTICE.codecs | CONTENT.codecs
_FIELD_NAMES = {camel(name): name for name in (*CONTENT.names, *LIFE_FIELDS)}


def notice_document(notice: Notice) -> Document:
    """Return the document of a notice."""
    dates = notice.dates
    document = {
        "id": "notice",
        "schema": SCHEMA,
        **_identity(notice.address.creditor_institution, notice.address.number),
        **NOTICE.encode(notice),
        "startsAt": _INSTANT.encode(dates.starts_at),
        "endsAt": _INSTANT.encode(dates.ends_at),
        "nextChangeAt": _INSTANT.encode(dates.of(notice.status)),
    }
    if notice.content is not None:
        document |= CONTENT.encode(notice.content)
        document["dueDateKey"] = notice.content.due_date.sort_key
    # No number of a notice is 0, and no text is empty.
    return {name: value for name, value in document.items() if value or value is False}


def decode_notice(document: Document) -> Notice:
    """Return the notice of a document."""
    address = Address(InstitutionCode(document["creditorInstitution"]), NoticeNumber(document["noticeNumber"]))
    content = CONTENT.decode(document) if "amount" in document else None
    return NOTICE.decode(document, address=address, content=content)


def event_document(event: NoticeEvent) -> Document:
    """Return the document of an event."""
    return {
        "id": event_id(event.version),
        "schema": SCHEMA,
        **_identity(event.creditor_institution, event.number),
        "statusBefore": None,
        **_EVENT.encode(event),
        "changed": changed_fields(event),
    }


def decode_event(document: Document) -> NoticeEvent:
    """Return the event of a document."""
    return _EVENT.decode(
        document,
        creditor_institution=InstitutionCode(document["creditorInstitution"]),
        number=NoticeNumber(document["noticeNumber"]),
        changed={_FIELD_NAMES[name]: _decode_pair(name, pair) for name, pair in document["changed"].items()},
    )


def event_id(version: int) -> str:
    """Return the id of the event that made a version."""
    return f"event-{version:08}"


def changed_fields(event: NoticeEvent) -> Document:
    """Return the fields that an event changed, by their public names."""
    return {
        camel(name): {"from": encode_field(name, old), "to": encode_field(name, new)}
        for name, (old, new) in event.changed.items()
    }


def encode_field(name: str, value: object) -> Any:
    """Return the value of a field of a notice or of its content as JSON."""
    return None if value is None else _CODECS[name].encode(value)


def dumps(document: Document) -> bytes:
    """Return the document as bytes of JSON."""
    return orjson.dumps(document)


def loads(data: bytes) -> Document:
    """Return the document that the bytes hold."""
    document: Document = orjson.loads(data)
    return document


def _identity(institution: InstitutionCode, number: NoticeNumber) -> Document:
    return {"creditorInstitution": institution, "noticeNumber": number}


def _decode_pair(name: str, pair: Document) -> tuple[object, object]:
    codec = _CODECS[_FIELD_NAMES[name]]
    before, after = (None if value is None else codec.decode(value) for value in (pair["from"], pair["to"]))
    return before, after
