"""Described lists with named fields, such as performatives and outcomes.

Every field is written, null or not: clients read fields by their places, without a look at how many came.
"""

from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Annotated, Any, ClassVar, NamedTuple, Self, get_args, get_origin, get_type_hints

from emulators.servicebus.amqp.encoder import encode
from emulators.servicebus.amqp.values import Described, Malformed, Symbol, UByte, UInt, ULong, UShort

Number8 = Annotated[int, UByte]
Number16 = Annotated[int, UShort]
Number32 = Annotated[int, UInt]
Number64 = Annotated[int, ULong]
Name = Annotated[str, Symbol]
Map = dict[object, object]


class _Field(NamedTuple):
    name: str
    type: type
    is_optional: bool


@dataclass(slots=True, kw_only=True)
class Composite:
    """A list with a descriptor and named fields."""

    CODE: ClassVar[int]

    def encode(self) -> bytes:
        """Return it as bytes."""
        return encode(self.described())

    def described(self) -> Described:
        """Return it as a value."""
        items = [_to_wire(field.type, getattr(self, field.name)) for field in _layout(type(self))]
        return Described(ULong(self.CODE), items)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return it with the fields of a value. Raises Malformed if one is missing or has another type."""
        if not isinstance(value, Described) or value.descriptor != cls.CODE or not isinstance(value.value, list):
            raise Malformed(f"This is no {cls.__name__}.")
        given: dict[str, Any] = {}
        for field, item in zip(_layout(cls), value.value, strict=False):
            if item is None and field.is_optional:
                continue
            if not isinstance(item, field.type):
                raise Malformed(f"{cls.__name__}.{field.name} is {type(item).__name__}.")
            given[field.name] = item
        try:
            return cls(**given)
        except TypeError as error:
            raise Malformed(f"A field of {cls.__name__} is missing.") from error


_layouts: dict[type[Composite], list[_Field]] = {}


def _layout(cls: type[Composite]) -> list[_Field]:
    if cls not in _layouts:
        hints = get_type_hints(cls, include_extras=True)
        _layouts[cls] = [
            _Field(field.name, _wire_type(hints[field.name]), field.default is not MISSING or field.type is object)
            for field in fields(cls)
        ]
    return _layouts[cls]


def _wire_type(hint: Any) -> type:
    """Return UInt for `Number32 | None`, dict for `Map`, str for `str`."""
    (hint,) = [part for part in get_args(hint) if part is not NoneType] if NoneType in get_args(hint) else (hint,)
    if get_origin(hint) is Annotated:
        hint = hint.__metadata__[0]
    plain: type = get_origin(hint) or hint
    return plain


def _to_wire(wire_type: Any, value: object) -> object:
    if value is None or not issubclass(wire_type, (int, Symbol)):
        return value
    return wire_type(value)
