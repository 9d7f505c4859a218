"""Stored JSON ⇄ domain, the same in every store. `schema` says how a document is decoded.

A notice lies beside its events: `id` is `notice`, or `event-` and the version that it made. Its document has three
parts: the fields that are shown, in their public form; fields that only decisions need; and the keys that stores search
by, which follow from other fields and are never decoded.
"""

from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.codecs import Document, PartCodec, camel, codec_of
from shared.domain.content import Content
from shared.domain.dates import format_instant
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.lifecycle import Status
from shared.domain.notice import LIFE_FIELDS, Address, Notice

SCHEMA = 1
EVENT = "event-"
"""The beginning of the ids of events."""

_NOTICE = PartCodec(Notice, without=("address", "content"))
_CONTENT = PartCodec(Content)
_EVENT = PartCodec(NoticeEvent, without=("creditor_institution", "number", "changed"))
_INSTANT = codec_of(datetime | None)
_CODECS = _NOTICE.codecs | _CONTENT.codecs
_FIELD_NAMES = {camel(name): name for name in (*_CONTENT.names, *LIFE_FIELDS)}
_HEAD = ("creditorInstitution", "noticeNumber", "iuv", "origin", "status", "version", "publishedAt", "updatedAt")
_ALWAYS = {*_HEAD, *_CONTENT.required}
"""The fields that every communicated notice has."""
_EMPTY: Document = dict.fromkeys((*_HEAD, *map(camel, _CONTENT.names))) | _CONTENT.defaults
"""The fields that are always shown, in order, with the values that they have where they are not stored."""
_KEPT = {camel(name): name for name in ("content_at", "state_at", "awaited_until")}
_FACTS = {camel(name): name for name in LIFE_FIELDS if name != "status"}


class NoticeDocument(NamedTuple):
    """The document of a notice, in parts. A field is in one of them."""

    shown: Document
    """The notice as it is shown, with the stored status."""
    kept: Document
    """The schema, and what only decisions need."""
    keys: Document
    """What stores search by. A key that is None is left out."""

    @property
    def whole(self) -> Document:
        """Return the document in one piece, without fields that are null or empty."""
        fields = {"id": "notice", **self.shown, **self.kept, **self.keys}
        # No number of a notice is 0, and no text is empty.
        return {name: value for name, value in fields.items() if value or value is False}


def notice_document(notice: Notice) -> NoticeDocument:
    """Return the document of a notice."""
    dates, content = notice.dates, notice.content
    keys = {"startsAt": dates.starts_at, "endsAt": dates.ends_at, "nextChangeAt": dates.of(notice.status)}
    return NoticeDocument(
        public_form(notice, notice.status),
        {"schema": SCHEMA, **_instants({public: getattr(notice, name) for public, name in _KEPT.items()})},
        {**({"dueDateKey": content.due_date.sort_key} if content else {}), **_instants(keys)},
    )


def public_form(notice: Notice, status: Status) -> Document:
    """Return a notice as it is shown with a status. Content fields are always there, facts where there are any."""
    return {
        **_identity(notice.address.creditor_institution, notice.address.number),
        "iuv": notice.iuv,
        "origin": notice.origin,
        "status": status,
        "version": notice.version,
        "publishedAt": _INSTANT.encode(notice.published_at),
        "updatedAt": format_instant(notice.updated_at),
        **(_CONTENT.encode(notice.content, nulls=True) if notice.content else {}),
        **{public: encode_field(name, value) for public, name in _FACTS.items() if (value := getattr(notice, name))},
    }


def open_form(notice: Notice) -> Document:
    """Return a notice as its debtor's list shows it, while it can be paid. The debtor is left out."""
    return {name: value for name, value in public_form(notice, Status.ACTIVE).items() if name != "debtor"}


def shown_part(document: Document) -> Document:
    """Return the part that is shown of the document of a communicated notice. Raises KeyError if it is damaged."""
    if not document.keys() >= _ALWAYS:
        raise KeyError(*(_ALWAYS - document.keys()))
    return _EMPTY | {name: document[name] for name in (*_EMPTY, *_FACTS) if name in document}


def kept_part(document: Document) -> Document:
    """Return the part of a whole document that only decisions need."""
    return {name: document[name] for name in ("schema", *_KEPT) if name in document}


def decode_notice(document: Document) -> Notice:
    """Return the notice of a document."""
    address = Address(InstitutionCode(document["creditorInstitution"]), NoticeNumber(document["noticeNumber"]))
    content = _CONTENT.decode(document) if "amount" in document else None
    return _NOTICE.decode(document, address=address, content=content)


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


class LaterSchema(Exception):
    """The document was written by a later version of the archive. It is not damaged."""


def decode_event(document: Document) -> NoticeEvent:
    """Return the event of a document. Raises LaterSchema, and any error if the document is damaged."""
    if document["schema"] > SCHEMA:
        raise LaterSchema
    return _EVENT.decode(
        document,
        creditor_institution=InstitutionCode(document["creditorInstitution"]),
        number=NoticeNumber(document["noticeNumber"]),
        changed={_FIELD_NAMES[name]: _decode_pair(name, pair) for name, pair in document["changed"].items()},
    )


def event_id(version: int) -> str:
    """Return the id of the event that made a version."""
    return f"{EVENT}{version:08}"


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


def _instants(fields: dict[str, datetime | None]) -> Document:
    return {name: format_instant(at) for name, at in fields.items() if at is not None}


def _decode_pair(name: str, pair: Document) -> tuple[object, object]:
    codec = _CODECS[_FIELD_NAMES[name]]
    before, after = (None if value is None else codec.decode(value) for value in (pair["from"], pair["to"]))
    return before, after
