"""Compares an answer with the OpenAPI document: its status, headers, media type and body."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

from shared.errors import InternalError

ROOT = Path(__file__).parent.parent
PREFIX = "/api"

_defect_expected: ContextVar[bool] = ContextVar("_defect_expected", default=False)


class Undocumented(AssertionError):
    """An answer that the contract does not promise."""


@contextmanager
def defect_expected() -> Iterator[None]:
    """Allow the answer 500 inside: the test breaks the archive on purpose. Anywhere else a 500 fails the test."""
    token = _defect_expected.set(True)
    try:
        yield
    finally:
        _defect_expected.reset(token)


async def as_documented(answer: httpx.Response) -> None:
    """Raise Undocumented unless the contract promises the answer. An address outside the contract promises nothing."""
    name = operation_of(answer.request.method, answer.request.url.path)
    if name is None:
        return
    await answer.aread()
    if answer.status_code == InternalError.status and _defect_expected.get():
        # The contract allows it everywhere, in the introduction: no operation names it.
        promised = _DEFECT
    else:
        promised = resolved(operations()[name]["responses"].get(str(answer.status_code)))
    if promised is None:
        raise Undocumented(f"{name} answers {answer.status_code}: {answer.text}")
    _check_headers(answer, promised["headers"], name)
    content = promised.get("content")
    if content is None:
        if answer.content:
            raise Undocumented(f"{name} answers {answer.status_code} with a body")
        return
    media_type = answer.headers.get("content-type")
    if media_type not in content:
        raise Undocumented(f"{name} answers {answer.status_code} as {media_type}")
    _check_value(content[media_type]["schema"], answer.json(), name)
    _check_code(answer, content[media_type], name)


_DEFECT: dict[str, Any] = {
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", "X-Error-Code")},
    "content": {
        "application/problem+json": {
            "schema": {
                "allOf": [{"$ref": "#/components/schemas/Problem"}],
                "properties": {"code": {"const": InternalError.code}, "status": {"const": InternalError.status}},
            }
        }
    },
}
_HTTP = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["http"]
_OF_THE_HOST = {"content-length", "content-type", *map(str.lower, _HTTP["customHeaders"])}
"""Headers that the host gives every answer. OpenAPI describes the first two with the body."""


def _check_headers(answer: httpx.Response, promised: Mapping[str, Any], name: str) -> None:
    """Raise Undocumented for a header that is missing, has another form, or is not described."""
    if more := answer.headers.keys() - {header.lower() for header in promised} - _OF_THE_HOST:
        raise Undocumented(f"{name} answers {answer.status_code} with {', '.join(sorted(more))}")
    for header, described in ((header, resolved(part)) for header, part in promised.items()):
        value = answer.headers.get(header)
        if value is None and described.get("required"):
            raise Undocumented(f"{name} answers {answer.status_code} without {header}")
        if value is not None:
            _check_value(described["schema"], int(value) if described["schema"]["type"] == "integer" else value, name)


def _check_code(answer: httpx.Response, promised: Mapping[str, Any], name: str) -> None:
    """Raise Undocumented for an error code that is not promised: the body of paCreatePosition does not hold it."""
    code = answer.headers.get("x-error-code")
    if code not in (None, InternalError.code, *promised.get("examples", ())):
        raise Undocumented(f"{name} answers {answer.status_code} with the code {code}")


def operation_of(method: str, path: str) -> str | None:
    """The name of the operation that a request asks for, if it is one."""
    for pattern, methods in _paths():
        if pattern.fullmatch(path.removesuffix("/")):
            return methods.get(method.lower())
    return None


@cache
def contract() -> dict[str, Any]:
    """The contract, as it is served."""
    document: dict[str, Any] = json.loads((ROOT / "contract" / "openapi.json").read_text(encoding="utf-8"))
    return document


@cache
def operations() -> dict[str, dict[str, Any]]:
    """The operations of the contract, by name."""
    return {operation["operationId"]: operation for path in contract()["paths"].values() for operation in path.values()}


def resolved(part: Any) -> Any:
    """The part itself, where it is only referred to."""
    if not isinstance(part, Mapping) or "$ref" not in part:
        return part
    target: Any = contract()
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return target


def validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """What validates by a schema of the contract. Clients ignore fields they do not know, a test does not."""
    return _validator(json.dumps(schema))


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    closed = {name: _closed(part) for name, part in contract()["components"]["schemas"].items()}
    whole = {**json.loads(schema), "components": {"schemas": closed}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(part) for name, part in schema.items()}
    return (
        {"additionalProperties": False, **inner} if schema.get("type") == "object" and "properties" in schema else inner
    )


def _check_value(schema: Mapping[str, Any], value: object, name: str) -> None:
    faults = [f"{fault.instance_path}: {fault.message}" for fault in validator(schema).iter_errors(value)]
    if faults:
        raise Undocumented(f"{name}: {'; '.join(faults)}")


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    return [
        (
            re.compile(PREFIX + re.sub(r"\{\w+\}", "[^/]+", path)),
            {method: operation["operationId"] for method, operation in methods.items()},
        )
        for path, methods in contract()["paths"].items()
    ]
