"""Write values as bytes (part 1, section 1.6), each in the shortest form that its type has."""

import struct
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from emulators.servicebus.amqp.values import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Int,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)


def encode(value: object) -> bytes:
    """Return a value as bytes. Raises TypeError for a type that AMQP does not have."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"AMQP has no {type(value).__name__}.")
    return writer(value)


def _fixed(code: int, layout: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(f">B{layout}").pack
    return lambda value: pack(code, value)


def _short(zero: int | None, small: int, layout: str, large: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return a writer of numbers that need one byte if they are small, and none if they are 0."""
    pack = struct.Struct(f">B{layout}").pack
    low, high = (0, 255) if layout == "B" else (-128, 127)

    def write(value: int) -> bytes:
        if value == 0 and zero is not None:
            return bytes((zero,))
        return pack(small, value) if low <= value <= high else large(value)

    return write


def _variable(code: int, raw: bytes) -> bytes:
    if len(raw) < 256:
        return bytes((code, len(raw))) + raw
    return bytes((code + 0x10,)) + _U32.pack(len(raw)) + raw


def _compound(code: int, values: Iterable[object]) -> bytes:
    items = [encode(value) for value in values]
    body = b"".join(items)
    if len(body) < 255 and len(items) < 256:
        return bytes((code, len(body) + 1, len(items))) + body
    return bytes((code + 0x10,)) + _U32.pack(len(body) + 4) + _U32.pack(len(items)) + body


def _list(values: list[object]) -> bytes:
    return _compound(0xC0, values) if values else b"\x45"


def _map(values: dict[object, object]) -> bytes:
    return _compound(0xC1, (part for pair in values.items() for part in pair))


def _array(array: Array) -> bytes:
    """Return an array. Its items share one constructor, so they have one size, or 4 bytes that say it."""
    body = bytes((array.code,)) + b"".join(_item(array.code, item) for item in array.items)
    return b"\xf0" + _U32.pack(len(body) + 4) + _U32.pack(len(array.items)) + body


def _item(code: int, value: Any) -> bytes:
    if layout := _ITEMS.get(code):
        return struct.pack(f">{layout}", ord(value) if isinstance(value, str) else value)
    if code == 0x98:
        return bytes(value.bytes)
    raw = value if isinstance(value, bytes) else value.encode()
    return (_U32.pack(len(raw)) if code & 0x10 else bytes((len(raw),))) + raw


_U32 = struct.Struct(">I")
_ITEMS = {
    0x50: "B",
    0x51: "b",
    0x52: "B",
    0x53: "B",
    0x54: "b",
    0x55: "b",
    0x56: "?",
    0x60: "H",
    0x61: "h",
    0x70: "I",
    0x71: "i",
    0x72: "f",
    0x73: "I",
    0x80: "Q",
    0x81: "q",
    0x82: "d",
    0x83: "q",
}
_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    UByte: _fixed(0x50, "B"),
    Byte: _fixed(0x51, "b"),
    UShort: _fixed(0x60, "H"),
    Short: _fixed(0x61, "h"),
    UInt: _short(0x43, 0x52, "B", _fixed(0x70, "I")),
    Int: _short(None, 0x54, "b", _fixed(0x71, "i")),
    ULong: _short(0x44, 0x53, "B", _fixed(0x80, "Q")),
    int: _short(None, 0x55, "b", _fixed(0x81, "q")),
    Float: _fixed(0x72, "f"),
    float: _fixed(0x82, "d"),
    Timestamp: _fixed(0x83, "q"),
    Char: lambda value: b"\x73" + _U32.pack(ord(value)),
    Decimal: lambda value: bytes((value.code,)) + value.raw,
    UUID: lambda value: b"\x98" + value.bytes,
    bytes: lambda value: _variable(0xA0, value),
    str: lambda value: _variable(0xA1, value.encode()),
    Symbol: lambda value: _variable(0xA3, value.encode("ascii")),
    list: _list,
    dict: _map,
    Array: _array,
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
}
