"""The inbound messages: from the models that parse them. The docstring under a field is its description."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from docs.asyncapi.examples import EXAMPLES
from docs.asyncapi.fields import CONTRACT, TRACE, address
from docs.openapi.fields import meanings
from docs.openapi.json_schema import Plain, Schema
from shared import errors
from shared.domain.lifecycle import TRANSITIONS, EventType
from shared.domain.money import OutcomeCode
from shared.errors import ArchiveError, NoticeNotFound
from shared.messages import CLOUD_EVENT
from shared.wire.inbound import BODIES, REASONS, EnvelopeBody, InboundType

NAME = "inbound-{}"
"""The name of an inbound message in the document."""
REJECTED = "rejected"

_COLUMNS = (EventType.PUBLISHED, EventType.CANCELLED, EventType.CLOSED)
REFUSALS: tuple[type[ArchiveError], ...] = (
    NoticeNotFound,
    *dict.fromkeys(
        cell
        for row in TRANSITIONS.values()
        for column in _COLUMNS
        if isinstance(cell := row[column], type) and cell is not NoticeNotFound
    ),
    errors.ManagedByEc,
    errors.DueDateInPast,
    errors.NoIbanRegistered,
    errors.IuvAlreadyUsed,
    errors.IuvIsFixed,
)
"""With these errors a declaration is refused. Their codes are reasons. A notice that is not known is waited for."""

MEANINGS: Mapping[InboundType, str] = {
    InboundType.PUBLISH: "A position of GPD: the whole notice. It is published, or its content is replaced.",
    InboundType.PAID: "A receipt: the notice was paid through pagoPA.",
    InboundType.REPORTED: "A line of a settlement flow.",
    InboundType.CANCEL: "The notice is cancelled: the institution takes it back.",
    InboundType.CLOSE: "The notice is closed: it was paid outside pagoPA.",
}
_SUBJECT: Schema = {"type": "string", "pattern": address("/")}
_RULES: Mapping[str, Schema] = {
    "outcomeCode": {"enum": [*map(int, OutcomeCode)]},
    "traceparent": {"examples": TRACE["examples"]},
    "notice": {"$ref": f"{CONTRACT}/Notice"},
}
"""The rules of fields that the models check with code."""


def messages() -> dict[str, Any]:
    """Return the inbound messages and the rejected one, by their names in the document."""
    inbound = {NAME.format(type_.value): _message(type_) for type_ in InboundType}
    return {**inbound, REJECTED: _rejected()}


def _message(type_: InboundType) -> dict[str, Any]:
    payload = _schema(EnvelopeBody)
    payload["properties"]["type"] |= {"const": type_.cloud_event_type}
    payload["properties"]["subject"] |= _SUBJECT
    payload["properties"]["data"] = {
        **_schema(BODIES[type_]),
        "description": f"{payload['properties']['data']['description']} Other fields are ignored.",
    }
    return {
        "name": type_.cloud_event_type,
        "title": type_.value,
        "summary": MEANINGS[type_],
        "contentType": CLOUD_EVENT,
        "payload": payload,
        "x-amqp-properties": {
            "message-id": {
                "type": "string",
                "minLength": 1,
                "maxLength": 128,
                "description": "The `id` of the event, which is unique among all producers. `:r`, `:o` or `:w` and a"
                " number follow where it is sent again: by an operator, or because it came before its notice.",
            }
        },
        "examples": [
            {"name": name, "summary": summary, "payload": event}
            for name, (summary, event) in EXAMPLES.items()
            if event["type"] == type_.cloud_event_type
        ],
    }


def _rejected() -> dict[str, Any]:
    reasons = {**REASONS, **{error.code: f"{error.title}." for error in REFUSALS}}
    reason = {
        "type": "string",
        "enum": [*reasons],
        "description": "Why it can never be applied.\n\n"
        + "".join(f"- `{word}`: {meaning}\n" for word, meaning in reasons.items()),
    }
    description = {"type": "string", "description": "Names the fields and the rules that they break. Never a value."}
    return {
        "name": REJECTED,
        "title": REJECTED,
        "summary": "An inbound message that can never be applied, as it came. Two properties say why.",
        "headers": {
            "type": "object",
            "properties": {"reason": reason, "description": description},
            "required": ["reason", "description"],
        },
        "payload": {"description": "The body of the inbound message as it came. It may be no JSON."},
        "x-amqp-properties": {
            "message-id": {"type": "string", "description": "That of the inbound message."},
            "content-type": {"type": "string", "description": "That of the inbound message."},
        },
    }


def _schema(kind: type[BaseModel]) -> Schema:
    """Return the schema of a model with the meaning of each field. Fields that it does not name are allowed."""
    schema = TypeAdapter(kind).json_schema(schema_generator=Plain)
    told = meanings(kind)
    if missing := schema["properties"].keys() - told.keys():
        raise LookupError(f"{', '.join(sorted(missing))} of {kind.__name__} has no docstring under its declaration")
    fields = {name: _field(form, _RULES.get(name, {}), told[name]) for name, form in schema["properties"].items()}
    return {"type": "object", "properties": fields, "required": schema["required"]}


def _field(form: Schema, rule: Schema, meaning: str) -> Schema:
    if "$ref" in rule:
        return dict(rule)
    return {**form, **rule, "description": f"{meaning} {form.get('description', '')}".strip()}
