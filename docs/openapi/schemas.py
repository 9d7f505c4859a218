"""The shapes of what is sent and shown, in JSON Schema 2020-12: bodies as the models read them, answers beside them."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from docs.openapi.fields import FIELDS
from shared.documents import camel
from shared.domain.content import IbanSource
from shared.domain.events import EndReason, Origin, Role
from shared.domain.lifecycle import TRUE_NOW, Anomaly, EventType, Status
from shared.domain.money import OutcomeCode, Payment, Settlement
from shared.pa_create_position import GPD_STATUS, PositionBody
from shared.wire import forms
from shared.wire.bodies import ADDED_BY_THE_ARCHIVE, LifeCycleBody, NoticeBody, PatchBody

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """Return every schema of the contract but that of problems, by name."""
    named = {**_bodies(), **_facts()}
    for name, rule in _RULES.items():
        named[name] |= rule
    named["NoticeShown"] = _shown(named["Notice"])
    named["Notice"]["properties"] |= {
        name: dict(_IGNORED) for name in named["NoticeShown"]["properties"] if name in ADDED_BY_THE_ARCHIVE
    }
    for field, form in _OF_POSITION.items():
        named["Position"]["properties"][field] |= form
    named["PositionShown"] = _position_shown(named["Position"])
    named |= _ANSWERS
    return {name: _described(name, named[name]) for name in sorted(named)}


def parameters_of(query: type[BaseModel]) -> Iterable[Schema]:
    """Return the parameters in the query that a model reads."""
    for name, schema in query.model_json_schema(schema_generator=_Plain)["properties"].items():
        if isinstance(schema.get("type"), list):
            schema["type"] = schema["type"][0]  # A parameter is there or not; it is never null.
        rule = schema.pop("description", "")
        yield {
            "name": name,
            "in": "query",
            "description": f"{FIELDS[query.__name__][name]} {rule}".strip(),
            "schema": schema,
        }


class _Plain(GenerateJsonSchema):
    """Says what is needed and no more: no titles, no null as a default, null as one of the types."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return (
            super().default_schema(schema)
            if schema.get("default") is not None
            else self.generate_inner(schema["schema"])
        )

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "type" in inner:
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        # A key with a pattern would let every other key be anything.
        whole = super().dict_schema(schema)
        for pattern, values in whole.pop("patternProperties", {}).items():
            whole |= {
                "propertyNames": {**whole.get("propertyNames", {}), "pattern": pattern},
                "additionalProperties": values,
            }
        return whole

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        whole = super().model_schema(schema)
        whole.pop("title", None)
        return whole


_IGNORED: Schema = {"readOnly": True, "description": "Shown by the archive; when sent back, it is ignored."}


def _bodies() -> dict[str, Schema]:
    template = "#/components/schemas/{model}"
    _, whole = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in (NoticeBody, PatchBody, LifeCycleBody, PositionBody)],
        ref_template=template,
        schema_generator=_Plain,
    )
    return {_NAMES[name]: _renamed(schema) for name, schema in whole["$defs"].items()}


_NAMES = {
    "NoticeBody": "Notice",
    "PatchBody": "NoticePatch",
    "LifeCycleBody": "LifeCycleEvent",
    "PositionBody": "Position",
    "DebtorBody": "Debtor",
    "DebtorPatchBody": "DebtorPatch",
    "TransferBody": "Transfer",
    "StampBody": "Stamp",
}
"""What people who do not know the code call the bodies."""


_ONE_WAY: Schema = {
    "if": {"properties": {"transfers": {"type": "array", "minItems": 1}}, "required": ["transfers"]},
    "then": {"properties": {"iban": {"type": "null"}, "postalIban": {"type": "null"}}},
}
_RULES: Mapping[str, Schema] = {
    "Notice": _ONE_WAY,
    "NoticePatch": _ONE_WAY,
    "Transfer": {
        "if": {"properties": {"stamp": {"type": "object"}}, "required": ["stamp"]},
        "then": {"properties": {"iban": {"type": "null"}, "postalIban": {"type": "null"}}},
        "else": {"properties": {"iban": {"type": "string"}}, "required": ["iban"]},
    },
    "LifeCycleEvent": {
        "if": {"properties": {"type": {"const": "cancelled"}}},
        "else": {"properties": {"replacedBy": {"type": "null"}}},
    },
}
"""Rules between two fields, as far as JSON Schema can tell them; the models check them, and those that add up."""


def _renamed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_renamed(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _reference(part) if name == "$ref" else _renamed(part) for name, part in schema.items()}
    return schema


def _reference(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{_NAMES[name]}"


def _facts() -> dict[str, Schema]:
    """Return the schemas of receipts and settlement lines, whose fields are shown where they are known."""
    facts = {}
    for kind in (Payment, Settlement):
        schema = TypeAdapter(kind).json_schema(schema_generator=_Plain)
        properties = {camel(name): _never_null(field) for name, field in schema["properties"].items()}
        facts[kind.__name__] = _object(properties, [camel(name) for name in schema["required"]], _FACTS[kind])
    facts["Settlement"]["properties"]["outcomeCode"] = {"type": "integer", "enum": [*map(int, OutcomeCode)]}
    return facts


_FACTS = {Payment: "A receipt (ricevuta telematica).", Settlement: "A line of a settlement flow."}


def _shown(notice: Schema) -> Schema:
    never_null = ("switchToExpired", "payStandIn", "transfers", "metadata")
    content = {
        name: _never_null(field) if name in never_null else dict(field)
        for name, field in notice["properties"].items()
        if name not in ("iuv", "occurredAt")
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
        "ibanSource": {"type": ["string", "null"], "enum": [*IbanSource, None]},
    }
    sometimes = {
        "payments": _list_of("Payment"),
        "settlements": _list_of("Settlement"),
        "endReason": dict(forms.one_of(*EndReason)),
        "replacedBy": dict(forms.NUMBER),
        "anomalies": {"type": "array", "minItems": 1, "items": dict(forms.one_of(*Anomaly))},
    }
    text = "A notice as it is shown: what its institution declared, and what the archive knows of it."
    return _object({**always, **sometimes}, list(always), text)


_IBAN_OF_27: Schema = {"pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{23}$", "minLength": 27, "maxLength": 27}
_OF_POSITION: Mapping[str, Schema] = {
    **{field: {"type": ["string", "integer"]} for field in ("paFiscalCode", "entityFiscalCode", "iuv")},
    "nav": {**forms.NUMBER, "type": ["string", "integer", "null"]},
    "expirationDate": {
        "pattern": forms.DATE_TIME["pattern"].replace("0-9])?$", "0-9])$"),
        "description": "A date-time of RFC 3339 with its offset.",
    },
    "iban": _IBAN_OF_27,
    "postalIban": _IBAN_OF_27,
}
"""What paCreatePosition takes otherwise than the rest: numbers for texts of digits, and forms of its own."""


def _position_shown(position: Schema) -> Schema:
    asked = {name: {**_never_null(field), "type": "string"} for name, field in position["properties"].items()}
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
    return _object({**always, **sometimes}, list(always), "A position as it is now.")


def _object(properties: Mapping[str, Schema], required: list[str], description: str) -> Schema:
    return {"type": "object", "description": description, "properties": dict(properties), "required": required}


def _list_of(name: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/components/schemas/{name}"}}


def _never_null(field: Schema) -> Schema:
    kinds = field.get("type")
    return {**field, "type": kinds[0]} if isinstance(kinds, list) else dict(field)


def _described(name: str, schema: Schema) -> Schema:
    """Return the schema with the meaning of each field before the rule of its form."""
    for field, form in schema.get("properties", {}).items():
        if meaning := FIELDS.get(name, {}).get(field):
            form["description"] = f"{meaning} {form.get('description', '')}".strip()
    return schema


_VERSION: Schema = {"type": "integer", "minimum": 1}
_INSTANT: Schema = {"type": "string", "format": "date-time", "pattern": "Z$", "examples": ["2026-11-24T14:42:49.123Z"]}

_ANSWERS: dict[str, Schema] = {
    "History": _object(
        {"items": {**_list_of("NoticeEvent"), "description": "Its events, one for each version."}},
        ["items"],
        "What happened to a notice, oldest first.",
    ),
    "NoticeEvent": _object(
        {
            "version": {**_VERSION, "description": "The version that the event made."},
            "type": {**forms.one_of(*EventType), "description": "What happened."},
            "recordedAt": {**_INSTANT, "description": "When the archive wrote it down."},
            "occurredAt": {**_INSTANT, "description": "When it happened, as declared."},
            "actor": {
                **_object(
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
            "anomaly": {**forms.one_of(*Anomaly), "description": "What it contradicts."},
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
    "NoticeList": _object(
        {
            "items": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/NoticeShown"},
                "description": "The notices; none where no notice is as asked.",
            },
            "nextCursor": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null on the last one.",
            },
        },
        ["items", "nextCursor"],
        "A page of notices.",
    ),
    "Health": _object(
        {
            "status": {"type": "string", "const": "up", "description": "Whether the archive works."},
            "store": {"type": "string", "const": "up", "description": "Whether its store answers."},
        },
        ["status", "store"],
        "The archive works.",
    ),
    "Contract": {"type": "object", "description": "This document.", "required": ["openapi", "info", "paths"]},
}
