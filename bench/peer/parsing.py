"""From the bytes of a body to a validated notice."""

from typing import Any

import orjson
from pydantic import ValidationError

from bench.peer import identifiers
from bench.peer.errors import Refusal
from bench.peer.models import Context, Notice


def parse_notice(body: bytes, context: Context) -> Notice:
    """Return the notice that a body holds. Raises Refusal."""
    return validated(parse_json(body), context)


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body. Raises Refusal."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(_fault_of(body, str(error))) from None


def validated(value: Any, context: Context) -> Notice:
    """Return the notice that a JSON value holds. Raises Refusal."""
    try:
        identifiers.notice_number(context.number, lenient=context.lenient)
    except ValueError:
        raise Refusal("notice_number") from None
    try:
        return Notice.model_validate(value, context=context)
    except ValidationError as error:
        violations = [
            {"field": ".".join(map(str, one["loc"])), "code": one["type"], "message": one["msg"]}
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Refusal("invalid_body", violations) from None


def _fault_of(body: bytes, message: str) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "invalid_encoding"
    return "invalid_encoding" if text.startswith("\ufeff") or "surrogate" in message else "invalid_json"
