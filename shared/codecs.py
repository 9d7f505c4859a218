"""Encodes values of the domain as JSON and decodes them. The form follows from the types of the fields.

A field has its name in camelCase. So a field is declared once, in its dataclass.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import IntEnum
from functools import cache, partial
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.domain.dates import DueDate, ValidFrom, decode_instant, format_instant

Document = dict[str, Any]
Part = TypeVar("Part")


def _same(value: Any) -> Any:
    return value


class Codec(NamedTuple):
    """How the values of one type are encoded and decoded."""

    encode: Callable[[Any], Any] = _same
    decode: Callable[[Any], Any] = _same


_LEAVES: Mapping[Any, Codec] = {
    str: Codec(),
    int: Codec(),
    bool: Codec(),
    datetime: Codec(format_instant, decode_instant),
    date: Codec(date.isoformat, date.fromisoformat),
    DueDate: Codec(str, DueDate.decode),
    ValidFrom: Codec(str, ValidFrom.decode),
}


class PartCodec(Generic[Part]):
    """How a dataclass is encoded as a JSON object."""

    def __init__(self, kind: type[Part], *, without: Collection[str] = (), inner_nulls: bool = False) -> None:
        """`without` are fields that are left out. `inner_nulls`: parts of the part show fields that are None."""
        types = get_type_hints(kind)
        rows = [field for field in fields(kind) if field.name not in without]  # type: ignore[arg-type]
        self.kind = kind
        self.names = tuple(field.name for field in rows)
        self.codecs = {name: codec_of(types[name], nulls=inner_nulls) for name in self.names}
        self._rows = [(name, camel(name), self.codecs[name].decode) for name in self.names]
        self._public = [camel(name) for name in self.names]
        encoders = [(camel(name), self.codecs[name].encode) for name in self.names]
        self._encoders = [(public, encode) for public, encode in encoders if encode is not _same]
        self.required = tuple(camel(row.name) for row in rows if not _has_default(row))
        self.defaults = {
            camel(row.name): None if (value := _default(row)) is None else self.codecs[row.name].encode(value)
            for row in rows
            if _has_default(row)
        }
        self._absent = {
            row.name: None for row in rows if NoneType in get_args(types[row.name]) and not _has_default(row)
        }
        self._values = attrgetter(*self.names)

    def encode(self, part: Part, *, nulls: bool = False) -> Document:
        """Return the fields of a part by their public names, without those that are None unless `nulls`."""
        document = dict(zip(self._public, self._values(part), strict=True))
        for public, encode in self._encoders:
            if document[public] is not None:
                document[public] = encode(document[public])
        return document if nulls else {name: value for name, value in document.items() if value is not None}

    def decode(self, document: Mapping[str, Any], **others: Any) -> Part:
        """Return the part whose fields are in the document. `others` are fields that it holds in another way."""
        found = {
            name: document[public] if decode is _same else decode(document[public])
            for name, public, decode in self._rows
            if public in document
        }
        return self.kind(**{**self._absent, **found, **others})


def _has_default(row: Field[Any]) -> bool:
    return row.default is not MISSING or row.default_factory is not MISSING


def _default(row: Field[Any]) -> Any:
    return row.default if row.default_factory is MISSING else row.default_factory()


def camel(name: str) -> str:
    """Return the public name of a field: `due_date` is `dueDate`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@cache
def codec_of(annotation: Any, *, nulls: bool = False) -> Codec:
    """Return how values of a type are encoded. Raises TypeError for a type that has no JSON form."""
    if annotation in _LEAVES:
        return _LEAVES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, NewType):
        return codec_of(annotation.__supertype__)
    if origin in (Union, UnionType):
        return _optional(codec_of(next(one for one in arguments if one is not NoneType), nulls=nulls))
    if origin is tuple:
        return _list(codec_of(arguments[0], nulls=nulls), tuple)
    if origin is frozenset:
        return _list(codec_of(arguments[0], nulls=nulls), frozenset)
    if origin in (dict, Mapping):
        return _object(codec_of(arguments[1], nulls=nulls))
    if is_dataclass(annotation):
        part: PartCodec[Any] = PartCodec(annotation, inner_nulls=nulls)  # type: ignore[arg-type]
        return Codec(partial(part.encode, nulls=nulls), part.decode)
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return Codec(int, annotation)
    if isinstance(annotation, type) and issubclass(annotation, str):
        return Codec(decode=annotation)
    raise TypeError(f"{annotation} has no JSON form: add it to shared/codecs.py")


def _optional(codec: Codec) -> Codec:
    encode, decode = codec
    return Codec(
        _same if encode is _same else lambda value: None if value is None else encode(value),
        _same if decode is _same else lambda value: None if value is None else decode(value),
    )


def _list(codec: Codec, kind: Callable[[Any], Any]) -> Codec:
    encode, decode = codec
    order = sorted if kind is frozenset else list
    return Codec(lambda values: order(map(encode, values)), lambda values: kind(map(decode, values)))


def _object(codec: Codec) -> Codec:
    if codec.encode is _same and codec.decode is _same:
        return codec
    return Codec(
        lambda values: {str(key): codec.encode(value) for key, value in values.items()},
        lambda values: {key: codec.decode(value) for key, value in values.items()},
    )
