"""The performatives, the states of a delivery and the ends of a link, with their fields in the order of the wire.

Parts 2.7, 3.4, 3.5 and 5.3 of the standard. Every field is written, null or not: clients read fields by their places,
without a look at how many came.
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


@dataclass(slots=True, kw_only=True)
class Open(Composite):
    """The first performative of a connection."""

    CODE = 0x10

    container_id: str
    hostname: str | None = None
    max_frame_size: Number32 = 0xFFFFFFFF
    channel_max: Number16 = 0xFFFF
    idle_time_out: Number32 | None = None
    """Milliseconds without a frame after which the sender of this gives the other side up."""
    outgoing_locales: object = None
    incoming_locales: object = None
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: Map | None = None


@dataclass(slots=True, kw_only=True)
class Begin(Composite):
    """The first performative of a session."""

    CODE = 0x11

    remote_channel: Number16 | None = None
    next_outgoing_id: Number32
    incoming_window: Number32
    outgoing_window: Number32
    handle_max: Number32 = 0xFFFFFFFF
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: Map | None = None


@dataclass(slots=True, kw_only=True)
class Attach(Composite):
    """The first performative of a link."""

    CODE = 0x12

    name: str
    handle: Number32
    role: bool
    """True for the end that receives."""
    snd_settle_mode: Number8 = 2
    rcv_settle_mode: Number8 = 0
    source: Described | None = None
    target: Described | None = None
    unsettled: Map | None = None
    incomplete_unsettled: bool = False
    initial_delivery_count: Number32 | None = None
    max_message_size: Number64 | None = None
    offered_capabilities: object = None
    desired_capabilities: object = None
    properties: Map | None = None


@dataclass(slots=True, kw_only=True)
class Flow(Composite):
    """The windows of a session, and the credit of a link if it names one."""

    CODE = 0x13

    next_incoming_id: Number32 | None = None
    incoming_window: Number32
    next_outgoing_id: Number32
    outgoing_window: Number32
    handle: Number32 | None = None
    delivery_count: Number32 | None = None
    link_credit: Number32 | None = None
    available: Number32 | None = None
    drain: bool = False
    echo: bool = False
    properties: Map | None = None


@dataclass(slots=True, kw_only=True)
class Transfer(Composite):
    """A message, or a part of one. The bytes follow behind it in the frame."""

    CODE = 0x14

    handle: Number32
    delivery_id: Number32 | None = None
    delivery_tag: bytes | None = None
    message_format: Number32 | None = None
    settled: bool | None = None
    more: bool = False
    rcv_settle_mode: Number8 | None = None
    state: Described | None = None
    resume: bool = False
    aborted: bool = False
    batchable: bool = False


@dataclass(slots=True, kw_only=True)
class Disposition(Composite):
    """The state of deliveries, from one number to another."""

    CODE = 0x15

    role: bool
    first: Number32
    last: Number32 | None = None
    settled: bool = False
    state: Described | None = None
    batchable: bool = False


@dataclass(slots=True, kw_only=True)
class Detach(Composite):
    """The last performative of a link."""

    CODE = 0x16

    handle: Number32
    closed: bool = False
    error: Described | None = None


@dataclass(slots=True, kw_only=True)
class End(Composite):
    """The last performative of a session."""

    CODE = 0x17

    error: Described | None = None


@dataclass(slots=True, kw_only=True)
class Close(Composite):
    """The last performative of a connection."""

    CODE = 0x18

    error: Described | None = None


@dataclass(slots=True, kw_only=True)
class Error(Composite):
    """Why something was refused or ended. Azure's client for Python fails over an error of fewer fields."""

    CODE = 0x1D

    condition: Name
    description: str | None = None
    info: Map | None = None


@dataclass(slots=True, kw_only=True)
class Accepted(Composite):
    """The outcome of a delivery that was taken."""

    CODE = 0x24


@dataclass(slots=True, kw_only=True)
class Rejected(Composite):
    """The outcome of a delivery that was refused. A client of Service Bus dead-letters a message with it."""

    CODE = 0x25

    error: Described | None = None


@dataclass(slots=True, kw_only=True)
class Released(Composite):
    """The outcome of a delivery that was not looked at."""

    CODE = 0x26


@dataclass(slots=True, kw_only=True)
class Modified(Composite):
    """The outcome of a delivery that failed here, or that is not to come here again."""

    CODE = 0x27

    delivery_failed: bool = False
    undeliverable_here: bool = False
    message_annotations: Map | None = None


@dataclass(slots=True, kw_only=True)
class Source(Composite):
    """The end of a link that messages come from."""

    CODE = 0x28

    address: str | None = None
    durable: Number32 = 0
    expiry_policy: Name | None = None
    timeout: Number32 = 0
    dynamic: bool = False
    dynamic_node_properties: Map | None = None
    distribution_mode: Name | None = None
    filter: Map | None = None


@dataclass(slots=True, kw_only=True)
class Target(Composite):
    """The end of a link that messages go to."""

    CODE = 0x29

    address: str | None = None


COORDINATOR = 0x30
"""The descriptor of a target that is the coordinator of transactions."""


@dataclass(slots=True, kw_only=True)
class SaslMechanisms(Composite):
    """The ways in which a client may present itself."""

    CODE = 0x40

    mechanisms: object


@dataclass(slots=True, kw_only=True)
class SaslInit(Composite):
    """The way that the client has chosen."""

    CODE = 0x41

    mechanism: Name


@dataclass(slots=True, kw_only=True)
class SaslOutcome(Composite):
    """Whether the client may go on: 0 for yes, 1 for no."""

    CODE = 0x44

    code: Number8
    additional_data: bytes | None = None
