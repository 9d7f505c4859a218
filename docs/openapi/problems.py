"""How refusals look in the contract: one schema, and for each operation and status the codes it can answer."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from shared.domain.identifiers import DebtorCode
from shared.errors import ArchiveError, InvalidBody, InvalidValue, Violation, catalogue
from shared.wire.positions import refusal
from shared.wire.violations import MAX_VIOLATIONS, VIOLATIONS

SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "The reason of a refusal (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "Names the kind of problem, as `code` does."},
            "title": {"type": "string", "description": "The problem in a sentence, the same for each code."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
            "detail": {"type": "string", "description": "The next step in this case, in a sentence."},
            "instance": {"type": "string", "format": "uri-reference", "description": "The address that was asked."},
            "code": {"type": "string", "description": "The code for programs; permanent."},
            "violations": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_VIOLATIONS,
                "items": {"$ref": "#/components/schemas/Violation"},
                "description": "Every rule that the request breaks, the first hundred where there are more.",
            },
        },
    },
    "PositionProblem": {
        "type": "object",
        "description": "The reason of a refusal of paCreatePosition.",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": {"type": "string", "description": "The problem in a sentence."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
            "detail": {"type": "string", "description": "Which fields break which rules, or the next step."},
        },
    },
    "Violation": {
        "type": "object",
        "description": "A rule that a field breaks; the value is never repeated.",
        "required": ["field", "code", "message"],
        "properties": {
            "field": {"type": "string", "description": "Where it is.", "examples": ["transfers[0].iban"]},
            "code": {
                "type": "string",
                "enum": sorted(VIOLATIONS),
                "description": "The rule; permanent.",
            },
            "message": {"type": "string", "description": "The rule in words."},
        },
    },
}


def _broken_by(code: str) -> Iterator[Violation]:
    """Yield the violation of a debtor's code that is wrong."""
    try:
        DebtorCode.parse(code)
    except InvalidValue as refusal:
        yield Violation("debtor.fiscalCode", refusal.code, refusal.message)


_VIOLATIONS: dict[type[ArchiveError], list[Violation]] = {InvalidBody: [*_broken_by("RSSMRA80A01H501X")]}


def responses(refusals: Iterable[type[ArchiveError]], *, as_gpd_does: bool = False) -> dict[str, Any]:
    """Return the responses of an operation that refuses so, by status. `as_gpd_does`: as paCreatePosition does."""
    status_of = _status_in_gpd if as_gpd_does else _status
    content = _as_gpd_does if as_gpd_does else _content
    return {
        str(status): _response(list(errors), content)
        for status, errors in groupby(sorted(refusals, key=status_of), key=status_of)
    }


def examples(refusals: Iterable[type[ArchiveError]]) -> dict[str, Any]:
    """Return an example of each of these refusals, by its code."""
    refused = set(refusals)
    return {
        error.code: {"summary": error.title, "description": error.advice, "value": _example(error)}
        for error in catalogue()
        if error in refused
    }


def _response(errors: list[type[ArchiveError]], content: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    names = ["X-Request-Id", "X-Error-Code", *(["Retry-After"] if any(error.retry_after for error in errors) else [])]
    refused = [f"`{error.code}`: {error.title}." for error in errors]
    return {
        "description": refused[0] if len(refused) == 1 else "\n".join(f"- {one}" for one in refused),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": content(errors),
    }


def _content(errors: list[type[ArchiveError]]) -> dict[str, Any]:
    codes = [error.code for error in errors]
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"code": {"enum": codes}, "status": {"const": errors[0].status}},
    }
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {"application/problem+json": {"schema": schema, "examples": shown}}


def _as_gpd_does(errors: list[type[ArchiveError]]) -> dict[str, Any]:
    shown = {
        error.code: {"summary": error.title, "value": refusal(error(violations=_VIOLATIONS.get(error, ())))[1]}
        for error in errors
    }
    schema = {
        "allOf": [{"$ref": "#/components/schemas/PositionProblem"}],
        "properties": {"status": {"const": _status_in_gpd(errors[0])}},
    }
    return {"application/json": {"schema": schema, "examples": shown}}


def _example(error: type[ArchiveError]) -> dict[str, Any]:
    shown = {
        "type": f"urn:archivio-avvisi:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.advice,
        "instance": "/api/v1/creditor-institutions/77777777777/notices/347000000000000124",
        "code": error.code,
    }
    violations = [
        {"field": broken.field, "code": broken.code, "message": broken.message} for broken in _VIOLATIONS.get(error, ())
    ]
    return {**shown, "violations": violations} if violations else shown


def _status(error: type[ArchiveError]) -> int:
    return error.status


def _status_in_gpd(error: type[ArchiveError]) -> int:
    return refusal(error())[0]
