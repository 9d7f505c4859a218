"""The outcomes of a delivery (part 3.4), and errors (part 2.8)."""

from dataclasses import dataclass

from emulators.servicebus.amqp.composite import Composite, Map, Name
from emulators.servicebus.amqp.values import Described


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
