"""The document of the messages: valid, complete, and silent about the debtor."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from docs.asyncapi.fields import OPEN, PROPERTIES
from docs.asyncapi.inbound import REFUSALS
from docs.asyncapi.lives import walked
from shared.cloudevents import FILTERED, GAP, event_type
from shared.domain.lifecycle import TIME, TRANSITIONS, Anomaly, Cell, EventType, Status
from shared.errors import ArchiveError
from shared.messages import CLOUD_EVENT, entities, subscriptions
from shared.wire.inbound import REASONS, InboundType
from tests.asyncapi_check import described, document, payload_faults

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests" / "asyncapi_schema"
OUTBOUND = {name: message for name, message in described().items() if name.startswith("event-")}
INBOUND = {name: message for name, message in described().items() if name.startswith("inbound-")}
OF_THE_DEBTOR = {"debtor", "fiscalCode", "fullName", "reason", "description", "metadata"}
"""Fields of a notice and its history that are the debtor, or a free text."""


def official() -> jsonschema_rs.Validator:
    """Return the validator of AsyncAPI itself."""
    schema = json.loads((SCHEMA / "3.0.0.json").read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def test_the_document_is_valid_asyncapi() -> None:
    assert [f"{fault.instance_path}: {fault.message}" for fault in official().iter_errors(document())] == []


@pytest.mark.parametrize(
    "change",
    [
        {"asyncapi": "2.6.0"},
        {"info": {"title": "A"}},
        {"channels": {"a": {"address": 1}}},
        {"operations": {"a": {"action": "publish", "channel": {"$ref": "#/channels/a"}}}},
        {"components": {"messages": {"a": {"content": "a"}}}},
        {"components": {"messages": {"a": {"payload": {"type": "text"}}}}},
        {"more": 1},
    ],
)
def test_a_document_that_is_not_valid_is_seen(change: dict[str, Any]) -> None:
    assert not official().is_valid({**document(), **change})


def test_the_schema_of_asyncapi_is_the_one_that_its_readme_names() -> None:
    text = (SCHEMA / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(\S+)` \| `([0-9a-f]{64})` \|$", text, re.MULTILINE))

    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in SCHEMA.iterdir() if file.name != "README.md"}

    assert found == table


def test_every_reference_leads_somewhere() -> None:
    for reference in references(document()):
        name, _, pointer = reference.partition("#/")
        target: Any = document(name) if name else document()
        for step in pointer.split("/"):
            assert step in target, reference
            target = target[step]


def test_every_schema_is_valid_in_the_draft_of_asyncapi() -> None:
    for message in described().values():
        for part in ("payload", "headers"):
            jsonschema_rs.meta.validate(
                {"$schema": "http://json-schema.org/draft-07/schema#", "not": message.get(part, {})}
            )


@pytest.mark.parametrize("name", [*EventType, GAP])
def test_every_type_of_event_is_a_message_of_the_topic(name: str) -> None:
    message = described()[f"event-{name}"]

    assert message["name"] == event_type(name)
    assert message["contentType"] == CLOUD_EVENT
    assert f"event-{name}" in document()["channels"]["notice-events"]["messages"]
    assert message["examples"]


@pytest.mark.parametrize("type_", InboundType)
def test_every_inbound_type_is_a_message_of_the_queue(type_: InboundType) -> None:
    message = described()[f"inbound-{type_}"]

    assert message["name"] == type_.cloud_event_type
    assert f"inbound-{type_}" in document()["channels"]["inbound-events"]["messages"]
    assert message["examples"]


def test_there_are_no_other_messages() -> None:
    names = {*(f"event-{name}" for name in (*EventType, GAP)), *(f"inbound-{type_}" for type_ in InboundType)}

    assert described().keys() == {*names, "rejected"}


@pytest.mark.parametrize("anomaly", Anomaly)
def test_every_anomaly_is_a_value_of_an_event_and_has_an_example(anomaly: Anomaly) -> None:
    having = [
        message
        for message in OUTBOUND.values()
        if anomaly in message["payload"]["properties"]["data"]["properties"].get("anomaly", {OPEN: []})[OPEN]
    ]

    assert having
    for message in having:
        assert anomaly in message["headers"]["properties"]["anomaly"][OPEN]
        assert anomaly in [example["name"] for example in message["examples"]]


@pytest.mark.parametrize("status", Status)
def test_every_status_is_a_value_of_an_event(status: Status) -> None:
    values = [
        message["payload"]["properties"]["data"]["properties"].get("statusAfter", {OPEN: []})[OPEN]
        for message in OUTBOUND.values()
    ]

    assert any(status in each for each in values)


def test_null_is_explained_where_it_is_allowed_and_nowhere_else() -> None:
    explained = {
        name: ("null" in field["type"], "Null if" in field["description"])
        for name, message in OUTBOUND.items()
        if (field := message["payload"]["properties"]["data"]["properties"].get("statusBefore"))
    }

    assert {*explained.values()} == {(True, True), (False, False)}


@pytest.mark.parametrize("reason", [*REASONS, *(error.code for error in REFUSALS)])
def test_every_reason_of_a_rejection_is_explained(reason: str) -> None:
    described_reason = described()["rejected"]["headers"]["properties"]["reason"]

    assert reason in described_reason["enum"]
    assert f"- `{reason}`: " in described_reason["description"]


def test_the_queues_and_the_topic_are_those_that_are_deployed_with_their_settings() -> None:
    shown = {name: channel["x-service-bus"] for name, channel in document()["channels"].items()}
    deployed = {
        name: {"kind": kind.removesuffix("s"), **settings}
        for kind, found in entities().items()
        for name, settings in found.items()
    }

    assert shown == deployed


@pytest.mark.parametrize("name", subscriptions())
def test_every_subscription_is_shown_with_its_filter(name: str) -> None:
    shown = document()["channels"]["notice-events"]["x-service-bus"]["subscriptions"]

    assert shown[name]["filter"] == subscriptions()[name]["filter"]
    assert name in document()["components"]["schemas"]["property.replayFor"][OPEN]


def test_the_application_properties_are_those_of_the_filters() -> None:
    assert tuple(PROPERTIES) == FILTERED


def test_no_outbound_event_has_a_field_of_the_debtor() -> None:
    for name, message in OUTBOUND.items():
        fields = {field for part in ("payload", "headers") for field in field_names(message[part])}
        assert fields & OF_THE_DEBTOR == set(), name
        assert fields, name


def test_every_field_of_a_message_is_described() -> None:
    for name, message in {**OUTBOUND, **INBOUND}.items():
        for part in ("payload", "headers"):
            for field, schema in properties(message.get(part, {})):
                assert schema.get("description"), f"{name}: {field}"


def test_every_example_of_an_event_is_as_its_schema_says() -> None:
    for name, message in {**OUTBOUND, **INBOUND}.items():
        for example in message["examples"]:
            assert payload_faults(name, example["payload"]) == [], f"{name}: {example['name']}"


def test_the_lives_of_the_document_go_through_every_cell_of_the_life_cycle() -> None:
    seen = {(event.status_before, event.type) for event in walked()}
    first = {EventType.PAID: EventType.AWAITED, EventType.REPORTED: EventType.AWAITED}

    for status, row in TRANSITIONS.items():
        for event, cell in row.items():
            if is_taken(status, event, cell):
                assert (status, event if status else first.get(event, event)) in seen, (status, event)
    for status, passage in TIME.items():
        assert (status, passage.event) in seen


def is_taken(status: Status | None, event: EventType, cell: Cell) -> bool:
    """Return whether an event with this name can follow: a PUT of a known notice is `amended`."""
    is_refused = isinstance(cell, type) and issubclass(cell, ArchiveError)
    is_no_change = getattr(cell, "value", None) == "no change"
    is_amended = event is EventType.PUBLISHED and status not in (None, Status.AWAITED)
    return not (is_refused or is_no_change or is_amended)


def references(part: Any) -> Iterator[str]:
    """Yield every reference."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def resolved(schema: Any, name: str = "asyncapi.yaml") -> tuple[Any, str]:
    """Return the schema that a reference in a document names, and the document in which it stands."""
    while "$ref" in schema:
        other, _, pointer = schema["$ref"].partition("#/")
        name = other or name
        schema = document(name)
        for step in pointer.split("/"):
            schema = schema[step]
    return schema, name


def properties(schema: Any, name: str = "asyncapi.yaml") -> Iterator[tuple[str, Any]]:
    """Yield each property of an object and of the objects in it."""
    schema, name = resolved(schema, name)
    for field, inner in schema.get("properties", {}).items():
        yield field, {**resolved(inner, name)[0], **inner}
        yield from properties(inner, name)


def field_names(schema: Any) -> set[str]:
    """Return the names of all fields of an object and of the objects in it."""
    return {name for name, _ in properties(schema)}
