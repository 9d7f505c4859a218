"""The parameters of the operations, and the links from an answer to the next request."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from docs.openapi.fields import FIELDS
from docs.openapi.json_schema import Plain, Schema
from shared.domain.identifiers import ANONYMOUS
from shared.wire import forms


def parameters_of(query: type[BaseModel]) -> Iterable[Schema]:
    """Return the parameters in the query that a model reads."""
    for name, schema in query.model_json_schema(schema_generator=Plain)["properties"].items():
        if isinstance(schema.get("type"), list):
            schema["type"] = schema["type"][0]  # A parameter is there or not; it is never null.
        rule = schema.pop("description", "")
        yield {
            "name": name,
            "in": "query",
            "description": f"{FIELDS[query.__name__][name]} {rule}".strip(),
            "schema": schema,
        }


def _of_path(name: str, form: forms.Form) -> dict[str, Any]:
    schema = {key: value for key, value in form.items() if key not in ("description", "examples")}
    said = {"description": form["description"], "example": form["examples"][0]}
    return {"name": name, "in": "path", "required": True, **said, "schema": schema}


_TAGS = r'^\s*(\*|(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*)\s*$'

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "ec": _of_path("ec", forms.INSTITUTION),
    "nav": _of_path("nav", forms.NUMBER),
    "AnyNumber": {
        "name": "nav",
        "in": "path",
        "required": True,
        "description": "Notice number (codice avviso). One that breaks the form or the check digits of the institution"
        " is the number of no notice.",
        "example": forms.NUMBER["examples"][0],
        "schema": {"type": "string", "minLength": 1},
    },
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "An id of the caller's for the request, 1 to 128 printable ASCII characters; anything else is"
        " replaced by one of the archive's. The answer carries it.",
        "schema": {"type": "string"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "Go on only if the notice is at the version of this `ETag`, of one in a list of them, or, with"
        " `*`, at any; else 412. Only the version is compared.",
        "schema": {"type": "string", "pattern": _TAGS, "examples": ['"1-ACTIVE"', "*"]},
    },
    "IfNew": {
        "name": "If-None-Match",
        "in": "header",
        "description": "`*`: go on only if the notice is not known; else 412. Not together with If-Match.",
        "schema": {"type": "string", "enum": ["*"]},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of what the client has, a list of them, or `*`; 304 if it is still the same.",
        "schema": {"type": "string", "pattern": _TAGS, "examples": ['"1-ACTIVE"', "*"]},
    },
    "x-tax-code": {
        "name": "x-tax-code",
        "in": "header",
        "required": True,
        "description": "The tax code of the debtor (codice fiscale o partita IVA), in upper or lower case. It is in no"
        " address, so that no log has it.",
        "schema": {
            "type": "string",
            "pattern": f"^(?!{''.join(f'[{sign}{sign.lower()}]' for sign in ANONYMOUS)}$)[A-Za-z0-9]{{2,16}}$",
        },
        "example": "RSSMRA80A01H501U",
    },
    "segregationCodes": {
        "name": "segregationCodes",
        "in": "query",
        "description": "Segregation codes, with commas between them, to which the call is narrowed; it never widens"
        " what was granted.",
        "schema": {"type": "string", "pattern": "^[0-9]{2}(,[0-9]{2})*$", "examples": ["47", "47,48"]},
    },
}

_ADDRESS = {"ec": "$request.path.ec", "nav": "$request.path.nav"}
_UNCHANGED = {**_ADDRESS, "If-Match": "$response.header.ETag"}
LINKS: Mapping[str, Mapping[str, Any]] = {
    "get": {"operationId": "get_notice", "parameters": _ADDRESS, "description": "Read the notice."},
    "history": {"operationId": "get_history", "parameters": _ADDRESS, "description": "Read its history."},
    "amend": {"operationId": "amend_notice", "parameters": _UNCHANGED, "description": "Amend it."},
    "declare": {
        "operationId": "declare_event",
        "parameters": _UNCHANGED,
        "description": "Cancel, close or restore it.",
    },
    "first": {
        "operationId": "get_notice",
        "parameters": {"ec": "$request.path.ec", "nav": "$response.body#/items/0/noticeNumber"},
        "description": "Read the first notice of the page.",
    },
    "later": {
        "operationId": "get_history",
        "parameters": {**_ADDRESS, "cursor": "$response.body#/nextCursor"},
        "description": "Read the next page.",
    },
    "next": {
        "operationId": "list_notices",
        "parameters": {"ec": "$request.path.ec", "cursor": "$response.body#/nextCursor"},
        "description": "Read the next page, with the same filters.",
    },
    "nextOpen": {
        "operationId": "list_open_notices",
        "parameters": {"x-tax-code": "$request.header.x-tax-code", "cursor": "$response.body#/nextCursor"},
        "description": "Read the next page, with the same tax code and filter.",
    },
}
