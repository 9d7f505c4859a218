"""The contract over HTTP, as OpenAPI 3.1: routes from the functions, bodies from the models, the rest from tables here.

`operations.py` is where an operation is described. Every HTTP function is, or is named there as one for browsers.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from docs.openapi import problems
from docs.openapi.answers import answers
from docs.openapi.bodies import bodies
from docs.openapi.examples import Examples
from docs.openapi.fields import FIELDS
from docs.openapi.json_schema import Schema
from docs.openapi.operations import OPERATIONS, TAGS, UNDESCRIBED, Answer, Body, Operation
from docs.openapi.parameters import LINKS, PARAMETERS, parameters_of
from local.functions import Function, load
from shared.errors import catalogue

ROOT = Path(__file__).parents[2]
GUIDE = "docs/ec-guide.md"
STAND_IN_GUIDE = "docs/stand-in.md"

DESCRIPTION = """\
Creditor institutions (*enti creditori*) and their brokers (*intermediari tecnologici*) publish a payment notice
(*avviso di pagamento*) when they issue it. Later they declare what happens to it. Stand-In asks whether it can be paid.

The [guide for creditor institutions]({guide}) explains every request with an example, and how to repeat it.
The [guide for Stand-In]({stand_in_guide}) explains payability.

- **Try it.** Press *Authorize* and enter a key. On your own machine, with `make run`, the key is `local-ec`, and
  `local-platform` for Stand-In.
- **Identity.** The fiscal code of the institution and the notice number (*codice avviso*) identify a notice. Every
  request may be repeated without harm.
- **Amounts** are integer euro cents, written without a fraction. **Times** are RFC 3339. Without offset, a time
  is Italian time.
- **Versions.** An answer that shows a notice has an `ETag`. It changes with the version and the status. Send it back in
  `If-Match`: then the request succeeds only if the notice is still at that version.
- **Callers.** The key in `Ocp-Apim-Subscription-Key` has scopes, institutions and segregation codes (*codici di
  segregazione*). A request outside these grants is 403, whether or not the notice exists.
- **Errors** are `application/problem+json` with a permanent `code`. `violations` names all broken rules of a body. New
  codes may be added: treat an unknown code by its status. Every operation may also answer 500 `internal_error` and 503
  `not_configured`. An unknown address is 404 `address_not_found`, another method 405 `method_not_allowed` with `Allow`.
  A gateway in front of the archive may answer 429 with `Retry-After`.
- **Fields** may be added to answers: ignore unknown ones. An unknown field in a request is refused.
- **Lenient institutions** exist in test environments only. Only the form of their numbers, fiscal codes and IBANs is
  checked.
"""


def document() -> dict[str, Any]:
    """Return the contract."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))["url"]
    guide, stand_in_guide = (f"{repository}/blob/main/{path}" for path in (GUIDE, STAND_IN_GUIDE))
    paths: dict[str, Any] = {}
    for function, method, operation in _operations():
        path = f"/{function.trigger['route']}"
        paths.setdefault(path, {})[method.lower()] = _operation(function.name, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Archivio Centralizzato Avvisi",
            "summary": project["description"],
            "description": DESCRIPTION.format(guide=guide, stand_in_guide=stand_in_guide),
            "license": {"name": "European Union Public Licence 1.2", "identifier": "EUPL-1.2"},
            "version": project["version"],
        },
        "externalDocs": {"url": guide, "description": "Guide for creditor institutions"},
        "servers": [{"url": "/api", "description": "The host that serves this document"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**_schemas(), **problems.SCHEMAS},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "links": LINKS,
            "examples": problems.examples(error for operation in OPERATIONS.values() for error in operation.refusals),
            "securitySchemes": {
                "subscriptionKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Ocp-Apim-Subscription-Key",
                    "description": "The caller's own key, given by the operators of the archive. With `make run` on"
                    " your own machine: `local-ec`, and `local-platform` for Stand-In.",
                }
            },
        },
    }


def as_json(document: dict[str, Any]) -> str:
    """Return the document as it is served."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def as_yaml(document: dict[str, Any]) -> str:
    """Return the document as people read it."""
    # Read back from JSON, no two parts are the same object, which YAML would point out.
    return yaml.dump(json.loads(as_json(document)), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as it is."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


_ETAG = {"type": "string", "pattern": '^"[1-9][0-9]*-[A-Z]+"$', "examples": ['"1-ACTIVE"']}
HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The id of the request: your own, or a new one. With it the operators find the request.",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    },
    "X-Error-Code": {
        "description": "The code of the error, as in the body; permanent. Also where the body has no field for it.",
        "required": True,
        "schema": {"type": "string", "enum": [error.code for error in catalogue()]},
    },
    "ETag": {
        "description": "The version of the notice and its status, as shown.",
        "required": True,
        "schema": _ETAG,
    },
    "FileETag": {
        "description": "A tag of the content.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Cache-Control": {
        "description": "How long a client may keep the answer.",
        "required": True,
        "schema": {"type": "string", "enum": ["no-cache", "no-store"]},
    },
    "X-Content-Type-Options": {
        "description": "A browser takes the content for what `Content-Type` says.",
        "required": True,
        "schema": {"type": "string", "const": "nosniff"},
    },
    "Retry-After": {
        "description": "Seconds to wait before you send the same request again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}


def _schemas() -> dict[str, Schema]:
    sent = bodies()
    named = {**sent, **answers(sent)}
    return {name: _described(name, named[name]) for name in sorted(named)}


def _described(name: str, schema: Schema) -> Schema:
    """Return the schema with the meaning of each field before the rule of its form."""
    for field, form in schema.get("properties", {}).items():
        if meaning := FIELDS.get(name, {}).get(field):
            form["description"] = f"{meaning} {form.get('description', '')}".strip()
        if name in FIELDS and "description" not in form:
            raise LookupError(f"{field} of {name} has no docstring under its declaration")
    return schema


def _operations() -> Iterator[tuple[Function, str, Operation]]:
    for function in load(ROOT):
        if function.trigger["type"] != "httpTrigger" or function.name in UNDESCRIBED:
            continue
        if function.name not in OPERATIONS:
            raise LookupError(f"{function.name} is not described in docs/openapi/operations.py")
        # HEAD is GET without a body, and described there.
        for method in set(function.trigger["methods"]) - {"HEAD"}:
            yield function, method, OPERATIONS[function.name]


def _operation(name: str, path: str, operation: Operation) -> dict[str, Any]:
    in_path = {"nav": "AnyNumber"} if operation.takes_any_number else {}
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *(
                _component("parameters", in_path.get(parameter, parameter))
                for parameter in re.findall(r"\{(\w+)\}", path)
            ),
            *(parameters_of(operation.query) if operation.query else ()),
            *(_component("parameters", parameter) for parameter in operation.parameters),
            _component("parameters", "X-Request-Id"),
        ],
    }
    if operation.body:
        described["requestBody"] = _body(operation.body)
    described["responses"] = {
        **{str(status): _answer(answer) for status, answer in operation.answers.items()},
        **problems.responses(operation.refusals, as_gpd_does=operation.refused_as_gpd_does),
    }
    described["security"] = []
    if operation.scope:
        described["description"] += f"\n\nScope: `{operation.scope}`."
        described["security"] = [{"subscriptionKey": []}]
    return described


def _body(body: Body) -> dict[str, Any]:
    media_type = {
        "schema": _component("schemas", body.schema),
        "examples": _examples(body.examples),
    }
    return {"required": True, "content": dict.fromkeys(body.media_types, media_type)}


def _examples(examples: Examples) -> dict[str, Any]:
    return {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": {
            "X-Request-Id": _component("headers", "X-Request-Id"),
            **({"ETag": _component("headers", answer.etag)} if answer.etag else {}),
            **{name: _component("headers", name) for name in answer.headers},
        },
    }
    if answer.schema:
        content: dict[str, Any] = {"schema": _component("schemas", answer.schema)}
        if answer.example is not None:
            content["example"] = answer.example
        if answer.examples:
            content["examples"] = _examples(answer.examples)
        described["content"] = {"application/json": content}
    if answer.links:
        described["links"] = {name: _component("links", name) for name in answer.links}
    return described


def _component(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
