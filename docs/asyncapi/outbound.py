"""The outbound messages: one for each type of event, with the fields that the walk through the lives has seen."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from docs.asyncapi.fields import AMQP, DATA, ENVELOPE, OPEN, PROPERTIES, TERMS, term
from docs.asyncapi.lives import Sent, sent
from docs.openapi.json_schema import Schema
from shared.cloudevents import GAP, event_type
from shared.domain.lifecycle import EventType
from shared.messages import CLOUD_EVENT

NAME = "event-{}"
"""The name of an outbound message in the document."""
GAP_MEANING = (
    "it replaces an event whose document cannot be read. It has the sequence of that event and no other content"
)
MEANINGS: Mapping[str, str] = {**{each.value: each.meaning for each in EventType}, GAP: GAP_MEANING}
"""What each type of event means."""


def messages() -> dict[str, Any]:
    """Return the outbound messages, by their names in the document."""
    found = sent()
    if missing := MEANINGS.keys() - found.keys():
        raise LookupError(f"docs/asyncapi/lives.py makes no event {', '.join(sorted(missing))}")
    return {NAME.format(name): _message(name, found[name]) for name in MEANINGS}


def schemas() -> dict[str, Schema]:
    """Return the schemas of the fields that are the same in every type, by their names in the document."""
    parts = (("envelope", ENVELOPE), ("data", DATA), ("property", PROPERTIES), ("amqp", AMQP))
    own = {*TERMS, "type"}
    return {
        f"{part}.{name}": dict(form)
        for part, forms in parts
        for name, form in forms.items()
        if name not in own and form.get("type") != "object" and "$ref" not in form
    }


def _message(name: str, found: Sequence[Sent]) -> dict[str, Any]:
    type_ = event_type(name)
    bodies = [orjson.loads(each.message.body) for each in found]
    properties = [dict(each.message.properties) for each in found]
    # A replay has one property more.
    possible = [*properties, {**properties[0], "replayFor": ""}]
    payload = _object("envelope", ENVELOPE, bodies)
    payload["properties"]["type"] = {**ENVELOPE["type"], "const": type_}
    data = _object("data", DATA, [body["data"] for body in bodies])
    payload["properties"]["data"] = {**data, "description": ENVELOPE["data"]["description"]}
    headers = _object("property", PROPERTIES, possible)
    headers["properties"]["type"] = {**PROPERTIES["type"], "const": type_}
    meaning = MEANINGS[name]
    return {
        "name": type_,
        "title": name,
        "summary": f"{meaning[0].upper()}{meaning[1:]}.",
        "contentType": CLOUD_EVENT,
        "headers": headers,
        "payload": payload,
        "x-amqp-properties": {each: _reference("amqp", each) for each in AMQP},
        "examples": [_example(each) for each in _chosen(found)],
    }


def _object(part: str, forms: Mapping[str, Schema], seen: Sequence[Mapping[str, Any]]) -> Schema:
    """Return the schema of an object: which of the fields it has, and which it has always."""
    names = {name for each in seen for name in each}
    if unknown := names - forms.keys():
        raise LookupError(f"{', '.join(sorted(unknown))} of events is not described in docs/asyncapi/fields.py")
    return {
        "type": "object",
        "properties": {
            name: _field(part, name, form, (each.get(name) for each in seen if name in each))
            for name, form in forms.items()
            if name in names
        },
        "required": [name for name in forms if all(name in each for each in seen)],
    }


def _field(part: str, name: str, form: Schema, values: Iterable[Any]) -> Schema:
    if name in TERMS:
        schema = {**term(name, values), **form}
        if None in schema[OPEN]:
            schema["description"] += " Null if the archive did not know the number."
        return schema
    return dict(form) if "$ref" in form else _reference(part, name)


def _reference(part: str, name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{part}.{name}"}


def _chosen(found: Sequence[Sent]) -> list[Sent]:
    """Return the first message without an anomaly, and the first with each."""
    chosen: dict[object, Sent] = {}
    for each in found:
        chosen.setdefault(each.event and each.event.anomaly, each)
    return sorted(chosen.values(), key=lambda each: each.event is not None and each.event.anomaly is not None)


def _example(each: Sent) -> dict[str, Any]:
    anomaly = each.event and each.event.anomaly
    return {
        "name": anomaly.value if anomaly else "plain",
        "summary": f"{anomaly.meaning[0].upper()}{anomaly.meaning[1:]}" if anomaly else "Without an anomaly",
        "headers": dict(each.message.properties),
        "payload": orjson.loads(each.message.body),
    }
