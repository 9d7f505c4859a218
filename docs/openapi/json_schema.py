"""The form of schemas: JSON Schema 2020-12, as short as possible."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Schema = dict[str, Any]


class Plain(GenerateJsonSchema):
    """What pydantic says of a model: no titles, no null as a default, null as one of the types."""

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


def object_of(properties: Mapping[str, Schema], required: list[str], description: str) -> Schema:
    """Return the schema of an object. Fields may be added to it."""
    return {"type": "object", "description": description, "properties": dict(properties), "required": required}


def list_of(name: str) -> Schema:
    """Return the schema of a list that is shown only where there is something in it."""
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/components/schemas/{name}"}}


def never_null(field: Schema) -> Schema:
    """Return the schema without null."""
    kinds = field.get("type")
    return {**field, "type": kinds[0]} if isinstance(kinds, list) else dict(field)
