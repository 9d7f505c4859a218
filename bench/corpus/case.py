"""A case of the corpus, and how it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.notices import JSON, KEY, STRICT, dumps, number_of

FIRST = 9_000_000_000_000
"""The serial of the first notice of the corpus. The notices of the loads come before it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request and its expected answer.

    `code` is the error code of a refusal. `{cursor}` in the path is the last nextCursor. `pause` is a time in seconds
    that passes before.
    """

    name: str
    method: str
    path: str
    status: int
    code: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    pause: float = 0


def put(name: str, path: str, content: Any, status: int = 201, code: str | None = None, **headers: str) -> Case:
    """Return a publication. `content` is its body, as JSON or as bytes."""
    sent = content if isinstance(content, bytes) else dumps(content)
    return Case(name, "PUT", path, status, code, sent, {**JSON, **_named(headers)})


def get(name: str, path: str, status: int = 200, code: str | None = None, **headers: str) -> Case:
    """Return a read."""
    return Case(name, "GET", path, status, code, headers={**KEY, **_named(headers)})


def path_of(serial: int, segregation_code: str = "47") -> str:
    """Return the address of a notice of the corpus."""
    return f"{STRICT}/{number_of(FIRST + serial, segregation_code)}"


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
