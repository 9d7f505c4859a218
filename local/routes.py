"""Which function answers an address: literals before parameters, case ignored, as in ASP.NET Core.

    notices/{number}     one segment            items/{id:int}    one that is a whole number of 32 bits
    days/{day?}          one or none            files/{*rest}     all that are left, slashes included, or none

An address comes split and is compared segment by segment: what is in a segment never changes the route. All
routes with the same kinds of segments are one shape, and a dictionary finds among them by their literals.
"""

import re
from collections.abc import Callable, Iterable
from operator import itemgetter

from local.functions import Function, NotLoadable

_PARAMETER = re.compile(r"\{(?P<rest>\*)?(?P<name>[A-Za-z_]\w*)(?P<number>:int)?(?P<optional>\?)?\}")
_NUMBER_TEXT = re.compile(r"[+-]?[0-9]{1,10}")
_LITERAL, _NUMBER, _ANY, _REST = range(4)  # Where two routes fit, the one whose kinds sort first answers.


class Routes:
    """The addresses of an app, from the template, the methods and the function of each route."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str], Function]]) -> None:
        shapes: dict[tuple[int, ...], _Shape] = {}
        for template, methods, function in routes:
            for route in _variants(template, function):
                shape = shapes.setdefault(route.kinds, _Shape(route.kinds))
                answers = shape.routes.setdefault(shape.literals(route.texts), {})
                for method in methods:
                    if (known := answers.setdefault(method, route)) is not route:
                        other = known.function.name
                        raise NotLoadable(f"{function.name}: {other} answers {method} {template} too")
        longest = max((shape.length for shape in shapes.values()), default=0)
        ranked = [shapes[kinds] for kinds in sorted(shapes)]
        self._by_length = [[shape for shape in ranked if shape.admits(n)] for n in range(longest + 2)]

    def find(self, method: str, segments: list[str]) -> tuple[Function, dict[str, str]] | None:
        """Return the function for a method at an address, with the route's values; None if there is none."""
        lowered = [segment.lower() for segment in segments]
        for shape in self._shapes(segments):
            answers = shape.routes.get(shape.literals(lowered))
            if answers is not None and method in answers:
                route = answers[method]
                if (values := route.values(segments)) is not None:
                    return route.function, values
        return None

    def methods(self, segments: list[str]) -> list[str]:
        """Return the methods that are answered at an address, sorted; none if the address is unknown."""
        lowered = [segment.lower() for segment in segments]
        known = [shape.routes.get(shape.literals(lowered), {}) for shape in self._shapes(segments)]
        routes = [item for answers in known for item in answers.items()]
        return sorted({method for method, route in routes if route.values(segments) is not None})

    def _shapes(self, segments: list[str]) -> list["_Shape"]:
        return self._by_length[min(len(segments), len(self._by_length) - 1)]


class _Shape:
    """The routes whose segments are of the same kinds, by the texts of their literals, then by method."""

    def __init__(self, kinds: tuple[int, ...]) -> None:
        places = [place for place, kind in enumerate(kinds) if kind == _LITERAL]
        self.literals: Callable[[list[str]], object] = itemgetter(*places) if places else lambda _: ()
        self.routes: dict[object, dict[str, _Route]] = {}
        self.open = kinds[-1] == _REST
        self.length = len(kinds) - self.open

    def admits(self, length: int) -> bool:
        """Tell whether an address of so many segments can be of this shape."""
        return length >= self.length if self.open else length == self.length


class _Route:
    """One template without optional parts: the kinds and the texts of its segments."""

    def __init__(self, parts: list[str | re.Match[str]], function: Function) -> None:
        self.function = function
        self.kinds = tuple(_kind(part) for part in parts)
        self.texts = [part.lower() if isinstance(part, str) else part["name"] for part in parts]
        self._parameters = [
            (text, place, kind)
            for place, (text, kind) in enumerate(zip(self.texts, self.kinds, strict=True))
            if kind != _LITERAL
        ]

    def values(self, segments: list[str]) -> dict[str, str] | None:
        """Return the values of the parameters, or None where a segment is not what the template asks for."""
        values = {}
        for name, place, kind in self._parameters:
            if kind == _REST:
                if len(segments) > place:
                    values[name] = "/".join(segments[place:])
                break
            value = segments[place]
            if not value or (kind == _NUMBER and not _is_number(value)):
                return None
            values[name] = value
        return values


def _variants(template: str, function: Function) -> list[_Route]:
    parts: list[str | re.Match[str]] = []
    for segment in template.strip("/").split("/"):
        part = _PARAMETER.fullmatch(segment) or segment
        if isinstance(part, str) and ("{" in part or "}" in part):
            raise NotLoadable(f"{function.name}: this host does not serve {segment!r} in a route")
        parts.append(part)
    if any(not isinstance(part, str) and (part["rest"] or part["optional"]) for part in parts[:-1]):
        raise NotLoadable(f"{function.name}: only the last segment may be optional or the rest: {template!r}")
    last = parts[-1]
    optional = not isinstance(last, str) and last["optional"] and not last["rest"] and len(parts) > 1
    return [_Route(parts, function), _Route(parts[:-1], function)] if optional else [_Route(parts, function)]


def _kind(part: str | re.Match[str]) -> int:
    if isinstance(part, str):
        return _LITERAL
    return _REST if part["rest"] else _NUMBER if part["number"] else _ANY


def _is_number(text: str) -> bool:
    return _NUMBER_TEXT.fullmatch(text) is not None and -(2**31) <= int(text) < 2**31
