"""The performatives, with their fields in the order of the wire (parts 2.7 and 5.3), and the ends of links (3.5)."""

from dataclasses import dataclass

from emulators.servicebus.amqp.composite import Composite, Map, Name, Number8, Number16, Number32, Number64
from emulators.servicebus.amqp.values import Described


@dataclass(slots=True, kw_only=True)
class Open(Composite):
    """The first performative of a connection."""

    CODE = 0x10

    container_id: str
    hostname: str | None = None
    max_frame_size: Number32 = 0xFFFFFFFF
    channel_max: Number16 = 0xFFFF
    idle_time_out: Number32 | None = None
    """Milliseconds without a frame after which the sender of this closes the connection."""
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
