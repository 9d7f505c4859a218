"""Read values from bytes (part 1, section 1.6). Bytes that are not AMQP raise Malformed, and no other error."""

import struct
from collections.abc import Callable
from uuid import UUID

from emulators.servicebus.amqp.values import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Int,
    Malformed,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

DEEPEST = 50
"""Values inside values, at most."""

_Read = tuple[object, int]


def decode(data: bytes, at: int = 0) -> _Read:
    """Return the value that begins at a place, and the place behind it. Raises Malformed."""
    try:
        return _value(data, at, 0)
    except (IndexError, ValueError, TypeError, OverflowError, struct.error) as error:
        raise Malformed(f"The bytes from {at} on are not a value: {error}.") from error


def _value(data: bytes, at: int, depth: int) -> _Read:
    code = data[at]
    if code == 0:
        _check_depth(depth)
        descriptor, at = _value(data, at + 1, depth + 1)
        value, at = _value(data, at, depth + 1)
        return Described(descriptor, value), at
    return _content(code, data, at + 1, depth)


def _content(code: int, data: bytes, at: int, depth: int) -> _Read:
    """Return a value whose constructor was read already, in an array once for all."""
    if fixed := _FIXED.get(code):
        layout, make = fixed
        return make(layout.unpack_from(data, at)[0]), at + layout.size
    if code in _EMPTY:
        return _EMPTY[code](), at
    if code in _VARIABLE:
        size, at = _size(data, at, is_large=code & 0x10 != 0)
        return _VARIABLE[code](_cut(data, at, size)), at + size
    if code == _UUID:
        return UUID(bytes=_cut(data, at, 16)), at + 16
    if code in _DECIMALS:
        size = _DECIMALS[code]
        return Decimal(code, _cut(data, at, size)), at + size
    if code in _COMPOUND:
        return _compound(code, data, at, depth)
    raise Malformed(f"0x{code:02x} is the constructor of no type.")


def _compound(code: int, data: bytes, at: int, depth: int) -> _Read:
    _check_depth(depth)
    is_large = code & 0x10 != 0
    size, at = _size(data, at, is_large)
    end = at + size
    count, at = _size(data, at, is_large)
    # An item has one byte at least. So a few bytes cannot announce a billion items.
    if end > len(data) or count > size:
        raise Malformed(f"{count} items do not fit into {size} bytes.")
    items: list[object] = []
    constructor = 0
    if code in _ARRAYS:
        constructor, at = data[at], at + 1
        if constructor not in _FIXED and constructor not in _VARIABLE and constructor != _UUID:
            raise Malformed(f"The double reads no arrays of 0x{constructor:02x}.")
        for _ in range(count):
            item, at = _content(constructor, data, at, depth + 1)
            items.append(item)
    else:
        for _ in range(count):
            item, at = _value(data, at, depth + 1)
            items.append(item)
    if at != end:
        raise Malformed(f"The items end at {at}, and not at {end}.")
    if code in _ARRAYS:
        return Array(constructor, items), end
    return (_map(items) if code in _MAPS else items), end


def _map(items: list[object]) -> dict[object, object]:
    if len(items) % 2:
        raise Malformed("A map has a key without a value.")
    return dict(zip(items[::2], items[1::2], strict=True))


def _size(data: bytes, at: int, is_large: bool) -> tuple[int, int]:
    if is_large:
        size: int = _U32.unpack_from(data, at)[0]
        return size, at + 4
    return data[at], at + 1


def _cut(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise Malformed(f"{size} bytes are announced, and {len(data) - at} came.")
    return data[at : at + size]


def _check_depth(depth: int) -> None:
    if depth >= DEEPEST:
        raise Malformed(f"Values are more than {DEEPEST} deep.")


def _character(code: int) -> Char:
    return Char(chr(code))


_U32 = struct.Struct(">I")
_UUID = 0x98
_EMPTY: dict[int, Callable[[], object]] = {
    0x40: lambda: None,
    0x41: lambda: True,
    0x42: lambda: False,
    0x43: lambda: UInt(0),
    0x44: lambda: ULong(0),
    0x45: list,
}
_FIXED: dict[int, tuple[struct.Struct, Callable[..., object]]] = {
    code: (struct.Struct(f">{layout}"), make)
    for code, layout, make in (
        (0x50, "B", UByte),
        (0x51, "b", Byte),
        (0x52, "B", UInt),
        (0x53, "B", ULong),
        (0x54, "b", Int),
        (0x55, "b", int),
        (0x56, "B", bool),
        (0x60, "H", UShort),
        (0x61, "h", Short),
        (0x70, "I", UInt),
        (0x71, "i", Int),
        (0x72, "f", Float),
        (0x73, "I", _character),
        (0x80, "Q", ULong),
        (0x81, "q", int),
        (0x82, "d", float),
        (0x83, "q", Timestamp),
    )
}
_VARIABLE: dict[int, Callable[[bytes], object]] = {
    0xA0: bytes,
    0xB0: bytes,
    0xA1: lambda raw: raw.decode(),
    0xB1: lambda raw: raw.decode(),
    0xA3: lambda raw: Symbol(raw.decode("ascii")),
    0xB3: lambda raw: Symbol(raw.decode("ascii")),
}
_DECIMALS = {0x74: 4, 0x84: 8, 0x94: 16}
_MAPS = {0xC1, 0xD1}
_ARRAYS = {0xE0, 0xF0}
_COMPOUND = {0xC0, 0xD0} | _MAPS | _ARRAYS
