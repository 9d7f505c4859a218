"""Which function answers an address: of those that fit, the first by name, as on the platform.

    notices/{number}     one segment            {*path}    all segments that are left, or none

Literals are compared without case. Of two functions that could answer the same request the platform hides one without a
word, so here both are named and the app is refused. Only a `{*path}` at the end of all names may overlap with others.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from local.functions import Function, NotLoadable

_PARAMETER = re.compile(r"\{(?P<rest>\*)?(?P<name>[A-Za-z_]\w*)\}")


class Routes:
    """The addresses of an app, from the template, the methods (None: all) and the function of each route."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str] | None, Function]]) -> None:
        by_name = sorted((_Route(*route) for route in routes), key=lambda route: route.function.name.lower())
        _refuse_hidden(by_name)
        self._rest = [route for route in by_name if route.rest is not None]
        self._by_length: dict[int, list[_Route]] = {}
        for route in by_name:
            if route.rest is None:
                self._by_length.setdefault(len(route.segments), []).append(route)

    def find(self, method: str, segments: list[str]) -> tuple[Function, dict[str, str]] | None:
        """Return the function for a method at an address, with the values of its parameters; None if there is none."""
        for route in (*self._by_length.get(len(segments), ()), *self._rest):
            if route.methods is None or method in route.methods:
                values = route.values(segments)
                if values is not None:
                    return route.function, values
        return None


@dataclass(frozen=True, slots=True)
class _Segment:
    """A literal in lower case, or a parameter."""

    literal: str | None
    parameter: str = ""


class _Route:
    """The template of one function, segment by segment; `rest` is the parameter that takes all that is left."""

    def __init__(self, template: str, methods: Iterable[str] | None, function: Function) -> None:
        self.function = function
        self.methods = None if methods is None else frozenset(methods)
        self.rest: str | None = None
        self.segments: list[_Segment] = []
        for part in template.strip("/").split("/"):
            match = _PARAMETER.fullmatch(part)
            if self.rest is not None or (match is None and ("{" in part or "}" in part)):
                raise NotLoadable(f"{function.name}: this host does not serve {part!r} in the route {template!r}")
            if match is None:
                self.segments.append(_Segment(part.lower()))
            elif match["rest"]:
                self.rest = match["name"]
            else:
                self.segments.append(_Segment(None, match["name"]))

    def values(self, segments: list[str]) -> dict[str, str] | None:
        """Return the values of the parameters, or None where the address does not fit."""
        if len(segments) < len(self.segments):
            return None
        values = {}
        for expected, segment in zip(self.segments, segments, strict=False):
            if expected.literal is None:
                if not segment:
                    return None
                values[expected.parameter] = segment
            elif expected.literal != segment.lower():
                return None
        if self.rest is not None and len(segments) > len(self.segments):
            values[self.rest] = "/".join(segments[len(self.segments) :])
        return values

    def hides(self, other: "_Route") -> bool:
        """Tell whether a request can fit both."""
        if self.methods is not None and other.methods is not None and self.methods.isdisjoint(other.methods):
            return False
        if self.rest is None and other.rest is None and len(self.segments) != len(other.segments):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(None in (one.literal, two.literal) or one.literal == two.literal for one, two in pairs)


def _refuse_hidden(by_name: list[_Route]) -> None:
    for index, route in enumerate(by_name):
        for other in by_name[index + 1 :]:
            is_the_last = other is by_name[-1] and other.rest is not None
            if not is_the_last and route.hides(other):
                raise NotLoadable(f"{route.function.name} hides {other.function.name}: both can answer one request")
