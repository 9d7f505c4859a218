"""Reads the parameters of a list and of a history. A cursor is valid for its own filters only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from hashlib import sha256
from typing import Any

import orjson
from starlette.datastructures import QueryParams

from bench.peer.errors import Refusal

STATUSES = ("SCHEDULED", "ACTIVE", "EXPIRED", "CANCELLED", "CLOSED", "PAID", "REPORTED")


def check_names(parameters: QueryParams, names: Collection[str]) -> None:
    """Raise Refusal if a parameter is unknown, given twice, or without a value."""
    given = parameters.multi_items()
    if len(given) != len(parameters) or not all(name in names and value for name, value in given):
        raise Refusal("invalid_parameter")


def limit_of(parameters: QueryParams) -> int:
    """Return the size of a page."""
    text = parameters.get("limit", "100")
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 500):
        raise Refusal("invalid_parameter")
    return int(text)


def status_of(parameters: QueryParams) -> str | None:
    """Return the status that is listed."""
    status: str | None = parameters.get("status")
    if status is not None and status not in STATUSES:
        raise Refusal("invalid_parameter")
    return status


def place_of(parameters: QueryParams, filters: str, kind: type[Any]) -> Any:
    """Return the place that a cursor names, None without a cursor. Raises Refusal if it is of another list."""
    cursor = parameters.get("cursor")
    if cursor is None:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise Refusal("invalid_cursor") from None
    match parts:
        case [str(fingerprint), place] if fingerprint == _fingerprint(filters) and isinstance(place, kind):
            return place
        case _:
            raise Refusal("invalid_cursor")


def cursor_at(place: object, filters: str) -> str:
    """Return the cursor that leads behind a place."""
    return urlsafe_b64encode(orjson.dumps([_fingerprint(filters), place])).decode().rstrip("=")


def _fingerprint(filters: str) -> str:
    return sha256(filters.encode()).hexdigest()[:16]
