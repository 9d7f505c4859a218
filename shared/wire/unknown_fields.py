"""Explains an unknown field of a body: the name in the contract that the client may have meant, or another way."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel

from shared.wire.violations import MAX_VIOLATIONS, Path

_SURE = 0.75
"""How much of two names agrees before one is taken for the other."""


class UnknownFields:
    """The names of a body, from which a field that it does not have is explained.

    `set_by_archive`: fields that the archive sets, by name, each with what to do instead.
    """

    def __init__(self, body: type[BaseModel], set_by_archive: Mapping[str, str]) -> None:
        paths = [*_paths_of(body)]
        self._names = {name for name, _ in paths}
        self._paths = {name.lower(): path for name, path in reversed(paths)}
        self._set_by_archive = set_by_archive

    def explain(self, loc: Path) -> str:
        """Return a sentence about the field."""
        *parents, name = map(str, loc)
        if not parents and name in self._set_by_archive:
            return f"The archive sets this field: {self._set_by_archive[name]}"
        if meant := self._meant(name):
            return f"The contract has no such field here. Is {meant} meant?"
        return "The contract has no such field"

    def shortened(self, value: object) -> object:
        """Return the value of a body with a hundred unknown fields in each object at most. It is refused either way."""
        if isinstance(value, list):
            return [self.shortened(item) for item in value]
        if not isinstance(value, dict):
            return value
        unknown = islice((name for name in value if name not in self._names), MAX_VIOLATIONS)
        return {
            **{name: self.shortened(part) for name, part in value.items() if name in self._names},
            **dict.fromkeys(unknown),
        }

    def _meant(self, name: str) -> str | None:
        if len(name) > 40:
            return None
        plain = name.lower().replace("_", "").replace("-", "")
        close = get_close_matches(plain, self._paths, n=1, cutoff=_SURE)
        return self._paths[close[0]] if close else None


def _paths_of(body: type[BaseModel], parent: str = "") -> Iterator[tuple[str, str]]:
    """Return the name and the path of each field, those of the body itself before those of its parts."""
    fields = {field.alias or name: field.annotation for name, field in body.model_fields.items()}
    for name in fields:
        yield name, f"{parent}{name}"
    for name, annotation in fields.items():
        for part in _bodies_in(annotation):
            yield from _paths_of(part, f"{parent}{name}.")


def _bodies_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _bodies_in(inner)
