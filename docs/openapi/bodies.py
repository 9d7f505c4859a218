"""The schemas of bodies: from the models, with the rules that JSON Schema can express."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from docs.openapi.json_schema import Plain, Schema
from shared.wire import forms
from shared.wire.bodies import ADDED_BY_THE_ARCHIVE, LifeCycleBody, NoticeBody, PatchBody
from shared.wire.positions import PositionBody


def bodies() -> dict[str, Schema]:
    """Return the schema of each body and its parts, by name."""
    _, whole = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in (NoticeBody, PatchBody, LifeCycleBody, PositionBody)],
        ref_template="#/components/schemas/{model}",
        schema_generator=Plain,
    )
    named = {_NAMES[name]: _renamed(schema) for name, schema in whole["$defs"].items()}
    for name, rule in _RULES.items():
        named[name] |= rule
    named["Notice"]["properties"] |= {name: dict(_IGNORED) for name in sorted(ADDED_BY_THE_ARCHIVE)}
    for field, form in _OF_POSITION.items():
        named["Position"]["properties"][field] |= form
    return named


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
"""Rules between two fields, as far as JSON Schema can express them. The models check them and the sums."""

_IGNORED: Schema = {"readOnly": True, "description": "Shown by the archive; when sent back, it is ignored."}

_IBAN_OF_27: Schema = {"pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{23}$", "minLength": 27, "maxLength": 27}
_OF_POSITION: Mapping[str, Schema] = {
    **{field: {"type": ["string", "integer"]} for field in ("paFiscalCode", "entityFiscalCode", "iuv")},
    "nav": {**forms.NUMBER, "type": ["string", "integer", "null"]},
    "amount": {"type": ["integer", "string"], "pattern": "^[0-9]{1,11}$"},
    "expirationDate": dict(forms.DATE_TIME_OF_POSITION),
    "iban": _IBAN_OF_27,
    "postalIban": _IBAN_OF_27,
    **{
        field: {"type": ["boolean", "string", "null"], "enum": [True, False, None, "true", "false"]}
        for field in ("switchToExpired", "payStandIn")
    },
    **{
        field: {"pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"}
        for field in ("entityFullName", "description")
    },
}
"""What paCreatePosition takes otherwise than the rest: numbers for texts of digits, and forms of its own."""


def _renamed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_renamed(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _reference(part) if name == "$ref" else _renamed(part) for name, part in schema.items()}
    return schema


def _reference(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{_NAMES[name]}"
