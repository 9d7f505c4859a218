"""The addresses of the archive: which function answers which method where.

The platform answers an unknown address, and a method that an address does not have, with an empty 404. So the archive
has a function for all of them below its prefix, and that function asks here which methods an address has.
"""

from collections.abc import Callable
from typing import Any

import azure.functions as func

_routes: list[tuple[list[str], tuple[str, ...]]] = []


def route(bp: func.Blueprint, template: str, *methods: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function the one that answers these methods at an address. It is indexed under its own name."""
    _routes.append((template.lower().split("/"), methods))

    def register(function: Callable[..., Any]) -> Any:
        named = bp.function_name(function.__name__)
        return named(bp.route(route=template, methods=list(methods))(function))

    return register


def methods_at(path: str) -> list[str]:
    """Return the methods that the archive answers at a path below its prefix, sorted. None at an unknown one."""
    segments = path.lower().removesuffix("/").split("/")
    return sorted({method for template, methods in _routes if _fits(template, segments) for method in methods})


def _fits(parts: list[str], segments: list[str]) -> bool:
    return len(parts) == len(segments) and all(
        bool(segment) if part.startswith("{") else part == segment
        for part, segment in zip(parts, segments, strict=True)
    )
