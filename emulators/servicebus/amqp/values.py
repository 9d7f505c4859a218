"""The types of AMQP that Python does not have (part 1, section 1.6), so that a value is written as it was read.

Python's own types stand for the rest: None, bool, str, bytes, UUID, list, dict. An int is a long, a float a double.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class Malformed(Exception):
    """The bytes are not AMQP, or a field has another type than the standard says."""


class Symbol(str):
    """A name in ASCII."""

    __slots__ = ()


class Char(str):
    """One character."""

    __slots__ = ()


class UByte(int):
    """An unsigned number of 8 bits."""

    __slots__ = ()


class UShort(int):
    """An unsigned number of 16 bits."""

    __slots__ = ()


class UInt(int):
    """An unsigned number of 32 bits."""

    __slots__ = ()


class ULong(int):
    """An unsigned number of 64 bits."""

    __slots__ = ()


class Byte(int):
    """A signed number of 8 bits."""

    __slots__ = ()


class Short(int):
    """A signed number of 16 bits."""

    __slots__ = ()


class Int(int):
    """A signed number of 32 bits."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970."""

    __slots__ = ()


class Float(float):
    """A number of 32 bits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal number, as its bytes: nothing here calculates with one."""

    code: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor that says its meaning."""

    descriptor: object
    value: object


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one type. `code` is the constructor that they share."""

    code: int
    items: Sequence[object]
