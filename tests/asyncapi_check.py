"""Compares a message with the AsyncAPI document: its body, its application properties, its other properties."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import yaml

from docs.asyncapi.fields import OPEN
from shared.cloudevents import PREFIX, VERSION
from shared.messages import Message

DOCS = Path(__file__).parents[1] / "docs"
BASE = "https://archive.test/docs"


@cache
def document(name: str = "asyncapi.yaml") -> dict[str, Any]:
    """Return the document of the messages, as it lies in the folder, or the one that it refers to."""
    loaded: dict[str, Any] = yaml.load((DOCS / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


def described() -> dict[str, dict[str, Any]]:
    """Return the described messages, by their names."""
    messages: dict[str, dict[str, Any]] = document()["components"]["messages"]
    return messages


def faults_of(message: Message) -> list[str]:
    """Return the differences between a message of the archive and its description, fields that are too many too."""
    event = orjson.loads(message.body)
    name = "event-" + event["type"].removeprefix(PREFIX).removesuffix(VERSION)
    if name not in described():
        return [f"{name} is not described"]
    faults = [f"{name}: {fault}" for fault in [*_payload(name, event, closed=True), *_headers(name, message)]]
    if message.content_type != described()[name]["contentType"]:
        faults.append(f"{name}: the content type is {message.content_type}")
    return faults


def payload_faults(name: str, event: object) -> list[str]:
    """Return the faults of a body by its schema. Other fields than the described ones are allowed."""
    return [*_payload(name, event, closed=False)]


def _payload(name: str, event: object, *, closed: bool) -> Iterator[str]:
    for fault in _validator(f"#/components/messages/{name}/payload", closed).iter_errors(event):
        yield f"{'/'.join(map(str, fault.instance_path))}: {fault.message}"


def _headers(name: str, message: Message) -> Iterator[str]:
    values = {"message-id": message.id, "group-id": message.session_id}
    for fault in _validator(f"#/components/messages/{name}/headers", True).iter_errors(dict(message.properties)):
        yield f"{'/'.join(map(str, fault.instance_path))}: {fault.message}"
    for each in described()[name]["x-amqp-properties"]:
        pointer = f"#/components/messages/{name}/x-amqp-properties/{each}"
        for fault in _validator(pointer, True).iter_errors(values[each]):
            yield f"{each}: {fault.message}"


@cache
def _validator(pointer: str, closed: bool) -> jsonschema_rs.Draft7Validator:
    schema = {"$ref": f"{BASE}/asyncapi.yaml{pointer}"}
    return jsonschema_rs.Draft7Validator(schema, registry=_registry(closed), validate_formats=True)


@cache
def _registry(closed: bool) -> jsonschema_rs.Registry:
    names = ("asyncapi.yaml", "openapi.yaml")
    documents = [(f"{BASE}/{name}", _closed(document(name)) if closed else document(name)) for name in names]
    return jsonschema_rs.Registry(documents, draft=jsonschema_rs.Draft7)


def _closed(part: Any) -> Any:
    """Return the part, whose schemas allow only the fields and values that they name. Readers allow more."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    inner = {name: _closed(each) for name, each in part.items()}
    if OPEN in inner:
        inner["enum"] = inner[OPEN]
    is_object = part.get("type") == "object" and isinstance(part.get("properties"), dict)
    return {"additionalProperties": False, **inner} if is_object else inner
