"""Find the function for a request. If several match, the first by name answers, as in Azure.

    notices/{number}     one segment            {*path}    all remaining segments, also none

Literals are compared without case. In Azure, a function can hide another one, and no log says so. Here such an app is
an error that names both functions. Only the last function by name may overlap with others, if its route ends with
`{*path}`.
"""

import re
from collections.abc import Iterable

from local.functions import Function, NotLoadable

_PARAMETER = re.compile(r"\{(?P<rest>\*)?(?P<name>[A-Za-z_]\w*)\}")


class Routes:
    """The routes of HTTP functions, below a prefix. Raises NotLoadable if one function hides another."""

    def __init__(self, functions: Iterable[Function], prefix: str = "") -> None:
        by_name = [_Route(function, prefix) for function in sorted(functions, key=lambda each: each.name.lower())]
        _refuse_hidden(by_name)
        self._catch_all = [route for route in by_name if route.rest is not None]
        self._by_length: dict[int, list[_Route]] = {}
        for route in by_name:
            if route.rest is None:
                self._by_length.setdefault(len(route.segments), []).append(route)

    def find(self, method: str, segments: list[str]) -> tuple[Function, dict[str, str]] | None:
        """Return the function for a method and a path, with the values of the parameters. None if there is none."""
        for route in (*self._by_length.get(len(segments), ()), *self._catch_all):
            if route.methods is None or method in route.methods:
                values = route.match(segments)
                if values is not None:
                    return route.function, values
        return None


class _Route:
    """The route of one function. `rest` is the parameter for all remaining segments.

    A segment is a literal in lower case and None, or None and the name of a parameter.
    """

    def __init__(self, function: Function, prefix: str) -> None:
        methods = function.trigger.get("methods")
        self.function = function
        self.methods = None if methods is None else frozenset(methods)
        self.rest: str | None = None
        self.segments: list[tuple[str, None] | tuple[None, str]] = []
        template = f"{prefix}/{function.trigger['route'].strip('/')}".strip("/")
        for part in template.split("/"):
            match = _PARAMETER.fullmatch(part)
            if self.rest is not None or (match is None and ("{" in part or "}" in part)):
                raise NotLoadable(f"{function.name}: this host does not support {part!r} in the route {template!r}")
            if match is None:
                self.segments.append((part.lower(), None))
            elif match["rest"]:
                self.rest = match["name"]
            else:
                self.segments.append((None, match["name"]))

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Return the values of the parameters. None if the path does not match."""
        if len(segments) < len(self.segments):
            return None
        values = {}
        for (literal, parameter), segment in zip(self.segments, segments, strict=False):
            if parameter is not None and segment:
                values[parameter] = segment
            elif literal != segment.lower():
                return None
        if self.rest is not None and len(segments) > len(self.segments):
            values[self.rest] = "/".join(segments[len(self.segments) :])
        return values

    def overlaps(self, other: "_Route") -> bool:
        """Return whether one request can match both routes."""
        if self.methods is not None and other.methods is not None and self.methods.isdisjoint(other.methods):
            return False
        if self.rest is None and other.rest is None and len(self.segments) != len(other.segments):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(None in (one, two) or one == two for (one, _), (two, _) in pairs)


def _refuse_hidden(by_name: list[_Route]) -> None:
    for index, route in enumerate(by_name):
        for other in by_name[index + 1 :]:
            is_last_catch_all = other is by_name[-1] and other.rest is not None
            if not is_last_catch_all and route.overlaps(other):
                raise NotLoadable(f"{route.function.name} hides {other.function.name}: one request can match both")
