"""The bytes of AMQP: what is written is read again, and what is no AMQP is refused in one way."""

import struct
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, strategies as st

from emulators.servicebus.amqp.decoder import DEEPEST, decode
from emulators.servicebus.amqp.encoder import encode
from emulators.servicebus.amqp.frames import AMQP_HEADER, FrameBuffer, write_frame
from emulators.servicebus.amqp.message import sections
from emulators.servicebus.amqp.performatives import Attach, Begin, Flow, Transfer
from emulators.servicebus.amqp.states import Error
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
from emulators.servicebus.content import BATCH, parse_transfer
from emulators.servicebus.refusals import Refusal

NUMBERS = [
    (kind, bits, signed)
    for kind, bits, signed in (
        *((UByte, 8, False), (UShort, 16, False), (UInt, 32, False), (ULong, 64, False)),
        *((Byte, 8, True), (Short, 16, True), (Int, 32, True), (int, 64, True), (Timestamp, 64, True)),
    )
]


def _numbers(kind: type, bits: int, signed: bool) -> st.SearchStrategy[Any]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high).map(kind)


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.binary(max_size=300),
    st.uuids(),
    st.floats(allow_nan=False),
    st.floats(width=32, allow_nan=False).map(Float),
    st.text(st.characters(max_codepoint=127), max_size=20).map(Symbol),
    st.characters(exclude_categories=["Cs"]).map(Char),
    st.binary(min_size=8, max_size=8).map(lambda raw: Decimal(0x84, raw)),
    *(_numbers(*number) for number in NUMBERS),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.text(max_size=5), inner, max_size=5),
        st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), inner),
    ),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_is_read_as_it_was_written(value: object) -> None:
    written = encode(value)

    read, end = decode(written)

    assert end == len(written)
    assert (read, _types(read)) == (value, _types(value))


@pytest.mark.parametrize(
    ("code", "items"),
    [
        (0x98, [UUID(int=1), UUID(int=2)]),
        (0x81, [1, -1]),
        (0x83, [Timestamp(5)]),
        (0x60, [UShort(1)]),
        (0xB1, ["a", "b" * 300]),
        (0xB3, [Symbol("a")]),
        (0xB0, [b"\0"]),
        (0x98, []),
        (0xA1, ["a", "b"]),
        (0xA3, [Symbol("a")]),
        (0x52, [UInt(7)]),
        (0x56, [True, False]),
        (0x73, [Char("è")]),
        (0x72, [Float(0.5)]),
    ],
)
def test_an_array_is_read_as_it_was_written(code: int, items: list[object]) -> None:
    array = Array(code, items)

    assert decode(encode(array)) == (array, len(encode(array)))


@given(st.binary(max_size=60))
@example(b"\x00" * 60)
@example(b"\xc0")
@example(b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff")
@example(b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40")
@example(b"\xe0\x02\x01\x00\x53")
@example(b"\xc1\x02\x01\x40")
@example(b"\xc1\x06\x02\xc1\x02\x00\x40\x40")
@example(b"\xa1\x02\xff\xff")
@example(b"\x73\xff\xff\xff\xff")
@example(b"\x98\x01")
def test_whatever_bytes_come_they_are_a_value_or_malformed(data: bytes) -> None:
    _read_if_possible(data)


@given(VALUES, st.data())
def test_a_value_with_a_wrong_byte_is_a_value_or_malformed(value: object, data: st.DataObject) -> None:
    written = bytearray(encode(value))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] = data.draw(st.integers(0, 255))

    _read_if_possible(bytes(written))


def test_values_too_deep_inside_values_are_malformed() -> None:
    deep: object = None
    for _ in range(DEEPEST + 1):
        deep = [deep]

    with pytest.raises(Malformed, match="deep"):
        decode(encode(deep))


def test_ten_bytes_do_not_become_a_billion_items() -> None:
    with pytest.raises(Malformed, match="do not fit"):
        decode(b"\xf0\x00\x00\x00\x05\x3b\x9a\xca\x00\x40")


def test_a_type_that_amqp_does_not_have_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="set"):
        encode({1, 2})


def test_a_performative_has_all_its_fields_on_the_wire() -> None:
    """Clients read fields by their places, without a look at how many came."""
    described, _ = decode(Error(condition="amqp:not-found").encode())

    assert isinstance(described, Described)
    assert described.value == ["amqp:not-found", None, None]


def test_a_performative_is_read_with_the_fields_that_came() -> None:
    begin = Begin(next_outgoing_id=1, incoming_window=2, outgoing_window=3)
    short = Described(ULong(Begin.CODE), [None, UInt(1), UInt(2), UInt(3)])

    assert Begin.parse(decode(begin.encode())[0]) == begin == Begin.parse(short)


@pytest.mark.parametrize(
    "value",
    [
        None,
        Described(ULong(0x13), []),
        Described(ULong(0x12), {}),
        Described(ULong(0x12), []),
        Described(ULong(0x12), ["name"]),
        Described(ULong(0x12), ["name", "no handle", True]),
        Described(ULong(0x12), ["name", 1, True]),
        Described(ULong(0x12), [None, UInt(1), True]),
        Described(ULong(0x12), ["name", UInt(1), True, "mixed"]),
    ],
)
def test_a_performative_without_its_fields_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        Attach.parse(value)


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 20))
def test_frames_are_found_however_they_are_cut(payloads: list[bytes], step: int) -> None:
    stream = AMQP_HEADER + b"".join(write_frame(1, Transfer(handle=0).encode(), payload) for payload in payloads)
    buffer, found = FrameBuffer(), []

    for at in range(0, len(stream), step):
        buffer.add(stream[at : at + step])
        found += [*buffer]

    header, *frames = found
    assert header == AMQP_HEADER
    assert [frame.payload for frame in frames if not isinstance(frame, bytes)] == payloads


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">IBBH", 4, 2, 0, 0),
        struct.pack(">IBBH", 70_000, 2, 0, 0),
        struct.pack(">IBBH", 8, 1, 0, 0),
        struct.pack(">IBBH", 8, 3, 0, 0),
        struct.pack(">IBBH", 9, 2, 0, 0) + b"\x40",
        struct.pack(">IBBH", 9, 2, 0, 0) + b"\x00",
    ],
)
def test_a_frame_that_is_none_is_malformed(frame: bytes) -> None:
    buffer = FrameBuffer()
    buffer.add(AMQP_HEADER + frame)

    with pytest.raises(Malformed):
        list(buffer)


def test_an_empty_frame_has_no_performative() -> None:
    buffer = FrameBuffer()
    buffer.add(AMQP_HEADER + struct.pack(">IBBH", 8, 2, 0, 0))

    _, frame = buffer

    assert not isinstance(frame, bytes)
    assert frame.performative is None


@given(st.binary(max_size=60), st.sampled_from([None, 0, BATCH]))
@example(b"\x00\x53\x75\xa1\x00", BATCH)
@example(b"\x00\x53\x73\x40", 0)
@example(b"\x00\x53\x70\xc1\x01\x00", 0)
@example(b"\x00\x53\x77\x40\x00\x53\x70\x45", 0)
@example(b"\x00\xa1\x01a\x40", 0)
def test_whatever_bytes_are_sent_they_are_messages_or_refused(payload: bytes, message_format: int | None) -> None:
    try:
        contents = parse_transfer(payload, message_format)
    except Refusal:
        return
    for content in contents:
        assert content.message_id
        assert [*sections(content.encode({}, 0, None))]


def test_flow_has_a_session_even_without_a_link() -> None:
    flow = Flow(incoming_window=1, next_outgoing_id=2, outgoing_window=3)

    assert Flow.parse(decode(flow.encode())[0]).handle is None


def _read_if_possible(data: bytes) -> None:
    try:
        value, end = decode(data)
    except Malformed:
        return
    assert 0 < end <= len(data)
    encode(value)


def _types(value: object) -> object:
    """Return the types of a value and of all that it contains."""
    if isinstance(value, list):
        return [_types(item) for item in value]
    if isinstance(value, dict):
        return {key: _types(item) for key, item in value.items()}
    if isinstance(value, Described):
        return type(value.descriptor), _types(value.value)
    return type(value)
