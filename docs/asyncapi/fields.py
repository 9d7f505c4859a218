"""The form and the meaning of the fields of outbound messages. A field that has none here fails by its name."""

from collections.abc import Iterable, Mapping
from typing import Any

from docs.openapi.json_schema import Schema
from shared.codecs import camel
from shared.domain.amounts import MAX_AMOUNT, MIN_AMOUNT
from shared.domain.events import EndReason, Origin
from shared.domain.lifecycle import Anomaly, Status
from shared.domain.notice import CONTENT_FIELDS, LIFE_FIELDS
from shared.messages import subscriptions
from shared.wire import forms

CONTRACT = "openapi.yaml#/components/schemas"
"""Where the schemas stand that HTTP has too."""
TRACE: Schema = {
    "type": "string",
    "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "description": "The W3C trace context of the request or message that led to the event.",
    "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
}

_INSTITUTION: Schema = {**forms.INSTITUTION}
_VERSION: Schema = {"type": "integer", "minimum": 1}
_NAMES = sorted(camel(name) for name in (*CONTENT_FIELDS, *LIFE_FIELDS))
OPEN = "x-extensible-enum"
"""Names the values of a text to which others may be added. A reader takes them too, so it is no `enum`."""
MORE = "Values may be added."


def address(between: str, before: str = "^", after: str = "$") -> str:
    """Return the pattern of a text that holds the institution and the number."""
    return f"{before}[0-9]{{11}}{between}[A-Za-z0-9]{{1,35}}{after}"


ENVELOPE: Mapping[str, Schema] = {
    "specversion": {"type": "string", "const": "1.0", "description": "The version of CloudEvents."},
    "id": {
        "type": "string",
        "pattern": address(r"\.", after=r"\.[1-9][0-9]*(\.gap)?$"),
        "description": "Identifies the event: institution, notice number and sequence, with points between them. The"
        " same whenever the event is sent again. `.gap` follows on a `gap`.",
    },
    "source": {
        "type": "string",
        "pattern": address("/notices/", before="^/creditor-institutions/"),
        "description": "The notice, as its path over HTTP below `/api/v1`.",
    },
    "type": {"type": "string", "description": "What happened, with the version of the type."},
    "subject": {
        "type": "string",
        "pattern": address("/"),
        "description": "The notice: institution, a slash, notice number.",
    },
    "time": {
        "type": "string",
        "format": "date-time",
        "pattern": "Z$",
        "description": "When it happened, as declared. On a `gap`: when the damage was found. It does not order the"
        " events: `sequence` does.",
    },
    "datacontenttype": {"type": "string", "const": "application/json", "description": "The form of `data`."},
    "sequence": {
        **_VERSION,
        "description": "The place of the event in the life of its notice: 1, 2, 3, without a missing one. Drop an event"
        " whose `id` you have seen. Update your copy of a notice only from an event whose sequence is not lower than"
        " that of the copy.",
    },
    "traceparent": TRACE,
    "data": {"type": "object", "description": "The fields of the event. Some may be added: ignore unknown ones."},
}
DATA: Mapping[str, Schema] = {
    "creditorInstitution": _INSTITUTION,
    "noticeNumber": {**forms.NUMBER},
    "iuv": {**forms.IUV},
    "origin": {
        **forms.one_of(*Origin),
        "description": "The party that published the notice and alone can change it: the institution (ec), or Gestione"
        " Posizioni Debitorie (gpd).",
    },
    "version": {**_VERSION, "description": "The version of the notice that the event made. The same as `sequence`."},
    "changed": {
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "string", OPEN: _NAMES},
        "description": "The names of the fields that the event changed, sorted. Empty where the notice was published."
        f" Their values before and after are in the history, over HTTP. {MORE}",
    },
    "statusBefore": {"description": f"The status before the event. {MORE}"},
    "statusAfter": {"description": f"The status after the event. {MORE}"},
    "amount": {
        "type": "integer",
        "minimum": MIN_AMOUNT,
        "maximum": MAX_AMOUNT,
        "description": "The amount of the notice after the event, in euro cents. Absent if the notice is AWAITED.",
    },
    "dueDate": {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)?$",
        "description": "The due date of the notice after the event: a day in Italy, or a time in UTC, as it was"
        " declared. Absent if the notice is AWAITED.",
    },
    "payment": {"$ref": f"{CONTRACT}/Payment"},
    "settlement": {"$ref": f"{CONTRACT}/Settlement"},
    "endReason": {"description": f"Why the notice is or was cancelled or closed. {MORE}"},
    "anomaly": {"description": f"The contradiction, if the event contradicts a declaration or another fact. {MORE}"},
}
PROPERTIES: Mapping[str, Schema] = {
    "type": {"type": "string", "description": "The CloudEvents type."},
    "creditorInstitution": _INSTITUTION,
    "status": {"description": f"The status after the event. {MORE}"},
    "standIn": {
        "type": "boolean",
        "description": "True: the notice may be paid while the system of its institution is down (`payStandIn`)."
        " Absent if the notice is AWAITED. It is not the `standIn` of a receipt.",
    },
    "anomaly": {"description": f"The contradiction. Absent if there is none. {MORE}"},
    "replayFor": {
        "type": "string",
        OPEN: [*subscriptions()],
        "description": "The name of a subscription. Only on a message that is sent again to one subscription. Absent"
        f" otherwise. {MORE}",
    },
}
TERMS: Mapping[str, Iterable[str]] = {
    "statusBefore": Status,
    "statusAfter": Status,
    "status": Status,
    "endReason": EndReason,
    "anomaly": Anomaly,
}
"""The fields whose values are terms. Each type of event names those that it can have."""

AMQP: Mapping[str, Schema] = {
    "message-id": {
        "type": "string",
        "pattern": address(r"\.", after=r"\.[1-9][0-9]*(\.gap)?(:[sr][0-9]+)*$"),
        "description": "The `id` of the event. `:r` and a number follow where a dead letter is sent again, `:s` and a"
        " number where an operator sends events again.",
    },
    "group-id": {
        "type": "string",
        "pattern": address(r"\."),
        "description": "The session (SessionId): institution, a point, notice number. For subscriptions with sessions.",
    },
}
"""The properties of an AMQP 1.0 message beside its content type."""


def term(name: str, values: Iterable[Any]) -> Schema:
    """Return the form of a field whose values are these terms, in their order. Others may be added."""
    known = set(values)
    listed: list[Any] = [str(each) for each in TERMS[name] if each in known]
    if None in known:
        return {"type": ["string", "null"], OPEN: [*listed, None]}
    return {"type": "string", OPEN: listed}
