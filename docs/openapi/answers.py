"""The schemas of answers. `shared/wire/answers.py` makes the answers, and tests compare every one."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from docs.openapi.json_schema import Plain, Schema, list_of, never_null, object_of
from docs.openapi.payability import payability
from shared.codecs import camel
from shared.domain.content import IbanSource
from shared.domain.events import EndReason, Origin, Role
from shared.domain.lifecycle import TRUE_NOW, Anomaly, EventType, Status
from shared.domain.money import OutcomeCode, Payment, Settlement
from shared.wire import forms
from shared.wire.bodies import ADDED_BY_THE_ARCHIVE
from shared.wire.positions import GPD_STATUS


def answers(bodies: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schema of each answer and its parts, by name. Declared fields have the schema of the bodies."""
    shown = _shown(bodies["Notice"])
    return {
        **_facts(),
        **_ANSWERS,
        "NoticeShown": shown,
        "OpenNotice": _open(shown),
        "PositionShown": _position_shown(bodies["Position"]),
        **payability(bodies, _DATE),
    }


def _shown(notice: Schema) -> Schema:
    always_said = ("switchToExpired", "payStandIn", "transfers", "metadata")
    content = {
        name: never_null(field) if name in always_said else dict(field)
        for name, field in notice["properties"].items()
        if name not in {"iuv", "occurredAt", *ADDED_BY_THE_ARCHIVE}
    }
    always = {
        "creditorInstitution": dict(forms.INSTITUTION),
        "noticeNumber": dict(forms.NUMBER),
        "iuv": dict(forms.IUV),
        "origin": dict(forms.one_of(*Origin)),
        "status": dict(forms.one_of(*TRUE_NOW)),
        "version": dict(_VERSION),
        "publishedAt": dict(_INSTANT),
        "updatedAt": dict(_INSTANT),
        **content,
        "dueDate": dict(_DATE),
        "validFrom": {**_DATE, "type": ["string", "null"]},
        "ibanSource": {"type": ["string", "null"], "enum": [*IbanSource, None]},
    }
    sometimes = {
        "payments": list_of("Payment"),
        "settlements": list_of("Settlement"),
        "endReason": dict(forms.one_of(*EndReason)),
        "replacedBy": dict(forms.NUMBER),
        "anomalies": {"type": "array", "minItems": 1, "items": dict(forms.one_of(*Anomaly))},
    }
    text = "A notice as it is shown: its content, and the fields that the archive adds."
    return object_of({**always, **sometimes}, list(always), text)


def _open(shown: Schema) -> Schema:
    """Return the schema of a notice in the list of its debtor."""
    fields = {name: dict(field) for name, field in shown["properties"].items() if name != "debtor"}
    fields["status"] = {"type": "string", "const": Status.ACTIVE}
    return object_of(
        fields,
        [name for name in shown["required"] if name != "debtor"],
        "A notice that its debtor can pay: as GET shows it, without the debtor.",
    )


def _position_shown(position: Schema) -> Schema:
    asked = {name: {**never_null(field), "type": "string"} for name, field in position["properties"].items()}
    always = {
        **{
            name: asked[name]
            for name in ("paFiscalCode", "entityType", "entityFiscalCode", "entityFullName", "iuv", "nav")
        },
        "companyName": {"type": "string"},
        "amount": {**position["properties"]["amount"], "minimum": 1},
        "description": asked["description"],
        "expirationDate": {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
            "examples": ["2026-12-17T00:00:00"],
        },
        "switchToExpired": {"type": "boolean"},
        "status": dict(forms.one_of(*dict.fromkeys(GPD_STATUS.values()))),
    }
    sometimes = {"iban": {**forms.IBAN}, "postalIban": {**forms.POSTAL_IBAN}}
    return object_of({**always, **sometimes}, list(always), "A position as it is now.")


def _facts() -> dict[str, Schema]:
    """Return the schemas of receipts and settlement lines, whose fields are shown where they are known."""
    facts = {}
    for kind in (Payment, Settlement):
        schema = TypeAdapter(kind).json_schema(schema_generator=Plain)
        properties = {camel(name): never_null(field) for name, field in schema["properties"].items()}
        facts[kind.__name__] = object_of(properties, [camel(name) for name in schema["required"]], _FACTS[kind])
    facts["Settlement"]["properties"]["outcomeCode"] = {"type": "integer", "enum": [*map(int, OutcomeCode)]}
    return facts


_FACTS = {Payment: "A receipt (ricevuta telematica).", Settlement: "A line of a settlement flow."}


_VERSION: Schema = {"type": "integer", "minimum": 1}
_INSTANT: Schema = {"type": "string", "format": "date-time", "pattern": "Z$", "examples": ["2026-11-24T14:42:49.123Z"]}
_DATE: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)?$",
    "description": "A day in Italy, or a time in UTC: the one or the other, as it was declared.",
    "examples": ["2026-12-16", "2026-12-16T11:00:00.000Z"],
}

_NEXT_CURSOR: Schema = {
    "type": ["string", "null"],
    "description": "The `cursor` of the next page; null on the last one.",
}

_ANSWERS: dict[str, Schema] = {
    "History": object_of(
        {
            "items": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/NoticeEvent"},
                "description": "Events, one for each version, oldest first. Empty behind the last event.",
            },
            "nextCursor": _NEXT_CURSOR,
        },
        ["items", "nextCursor"],
        "A page of the history of a notice.",
    ),
    "NoticeEvent": object_of(
        {
            "version": {**_VERSION, "description": "The version that the event made."},
            "type": {**forms.one_of(*EventType), "description": "What happened."},
            "recordedAt": {**_INSTANT, "description": "When the archive wrote it down."},
            "occurredAt": {**_INSTANT, "description": "When it happened, as declared."},
            "actor": {
                **object_of(
                    {
                        "role": {**forms.one_of(*Role), "description": "On whose behalf."},
                        "name": {"type": "string", "description": "The caller, as it is registered."},
                    },
                    ["role", "name"],
                    "Who did it.",
                ),
            },
            "statusBefore": {
                "type": ["string", "null"],
                "enum": [*Status, None],
                "description": "Where the notice stood; null before the first event.",
            },
            "statusAfter": {**forms.one_of(*Status), "description": "Where it stands after the event."},
            "changed": {
                "type": "object",
                "description": "The fields that changed, by name, whole; empty where the notice was published.",
                "additionalProperties": {
                    "type": "object",
                    "required": ["from", "to"],
                    "properties": {"from": {"description": "Before."}, "to": {"description": "After."}},
                },
            },
            "anomaly": {**forms.one_of(*Anomaly), "description": "The contradiction, if there is one."},
            "reason": {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "description": "Why, in the declarer's words.",
            },
        },
        ["version", "type", "recordedAt", "occurredAt", "actor", "statusBefore", "statusAfter", "changed"],
        "One thing that happened to a notice.",
    ),
    "NoticeList": object_of(
        {
            "items": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/NoticeShown"},
                "description": "The notices; none where no notice is as asked.",
            },
            "nextCursor": _NEXT_CURSOR,
        },
        ["items", "nextCursor"],
        "A page of notices.",
    ),
    "OpenNoticeList": object_of(
        {
            "items": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/OpenNotice"},
                "description": "The notices, the first due first. Empty if there is none.",
            },
            "nextCursor": _NEXT_CURSOR,
        },
        ["items", "nextCursor"],
        "A page of the notices that a debtor can pay.",
    ),
    "Health": object_of(
        {
            "status": {"type": "string", "const": "up", "description": "Whether the archive works."},
            "store": {"type": "string", "const": "up", "description": "Whether its store answers."},
            "relay": object_of(
                {
                    "oldestUnsentSeconds": {
                        "type": ["number", "null"],
                        "minimum": 0,
                        "description": "The age of the oldest event that is not sent yet, in seconds. 0: all events"
                        " are sent. null: it is not known now.",
                    }
                },
                ["oldestUnsentSeconds"],
                "Whether events are sent.",
            ),
        },
        ["status", "store", "relay"],
        "The archive works.",
    ),
    "Contract": {"type": "object", "description": "This document.", "required": ["openapi", "info", "paths"]},
}
