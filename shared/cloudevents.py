"""NoticeEvent → CloudEvents 1.0, in the message that carries it (AMQP binding, structured JSON).

No event holds the code or the name of a debtor, or a free text. Readers with a grant ask for the notice over HTTP.
"""

from datetime import datetime

import orjson

from shared.codecs import Document, camel, codec_of
from shared.domain.dates import format_instant
from shared.domain.events import NoticeEvent
from shared.domain.money import Payment, Settlement
from shared.messages import Message, Property
from shared.ports import FeedEvent

PREFIX, VERSION = "it.pagopa.notice.", ".v1"
"""A type is the prefix, the name of the event, and the version."""
GAP = "gap"
"""The event in the place of one that cannot be read."""
FILTERED = ("type", "creditorInstitution", "status", "standIn", "anomaly", "replayFor")
"""The application properties, by which subscriptions filter. One without a value is absent."""

MAX_SIZE = 64 * 1024
"""Bytes of an event, at most. None comes near it. A damaged document might."""

_PAYMENT, _SETTLEMENT = codec_of(Payment), codec_of(Settlement)


def event_type(name: str) -> str:
    """Return the CloudEvents type of an event."""
    return f"{PREFIX}{name}{VERSION}"


def message_of(event: NoticeEvent) -> Message:
    """Return the message that tells of an event."""
    type_ = event_type(event.type)
    envelope = _envelope(event.creditor_institution, event.number, event.version, type_, event.occurred_at)
    if event.traceparent is not None:
        envelope["traceparent"] = event.traceparent
    properties: dict[str, Property | None] = {
        "type": type_,
        "creditorInstitution": str(event.creditor_institution),
        "status": event.status_after.value,
        "standIn": event.summary.pay_stand_in,
        "anomaly": event.anomaly and event.anomaly.value,
    }
    return _message(envelope, _data(event), properties)


def gap_message(unreadable: FeedEvent, found_at: datetime) -> Message:
    """Return the message in the place of an event that cannot be read. Its `sequence` is that of the event.

    It has an id of its own: neither the bus nor a subscriber may take the event for a repetition, once it is repaired.
    """
    type_, institution = event_type(GAP), unreadable.creditor_institution
    envelope = _envelope(institution, unreadable.number, unreadable.version, type_, found_at)
    envelope["id"] = f"{unreadable.id}.{GAP}"
    data = {"creditorInstitution": institution, "noticeNumber": unreadable.number, "version": unreadable.version}
    return _message(envelope, data, {"type": type_, "creditorInstitution": institution})


def _envelope(institution: str, number: str, version: int, type_: str, time: datetime) -> Document:
    return {
        "specversion": "1.0",
        "id": f"{institution}.{number}.{version}",
        "source": f"/creditor-institutions/{institution}/notices/{number}",
        "type": type_,
        "subject": f"{institution}/{number}",
        "time": format_instant(time),
        "datacontenttype": "application/json",
        "sequence": version,
    }


def _data(event: NoticeEvent) -> Document:
    summary = event.summary
    data = {
        "creditorInstitution": event.creditor_institution,
        "noticeNumber": event.number,
        "iuv": summary.iuv,
        "origin": summary.origin,
        "version": event.version,
        "changed": sorted(camel(name) for name in event.changed),
        "statusBefore": event.status_before,
        "statusAfter": event.status_after,
        "amount": summary.amount,
        "dueDate": summary.due_date and str(summary.due_date),
        "payment": event.payment and _PAYMENT.encode(event.payment),
        "settlement": event.settlement and _SETTLEMENT.encode(event.settlement),
        "endReason": summary.end_reason,
        "anomaly": event.anomaly,
    }
    return {name: value for name, value in data.items() if value is not None or name == "statusBefore"}


def _message(envelope: Document, data: Document, properties: dict[str, Property | None]) -> Message:
    body = orjson.dumps({**envelope, "data": data})
    if len(body) > MAX_SIZE:
        raise ValueError("the event is too large")
    return Message(
        envelope["id"],
        body,
        {name: value for name, value in properties.items() if value is not None},
        session_id=envelope["subject"].replace("/", "."),
    )
