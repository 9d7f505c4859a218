"""The state that all connections of a double share. Each operation passes here, with the faults and the log."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from emulators.servicebus.broker import Broker
from emulators.servicebus.faults import Faults
from emulators.servicebus.operation_log import Operation, OperationLog
from emulators.servicebus.refusals import Refusal

if TYPE_CHECKING:
    from emulators.servicebus.connection import Connection

UNANSWERED = "unanswered"

_Result = TypeVar("_Result")


class Unanswered(Exception):
    """A fault keeps the answer of an operation back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the service. They are those of the Standard tier."""

    message_size: int = 262_144
    """Bytes of a message or of a batch."""
    connection_idle: float = 240.0
    """Seconds without a frame after which a connection is closed."""
    link_idle: float = 600.0
    """Seconds without a transfer, flow or disposition after which a link is detached."""


@dataclass(slots=True)
class Service:
    """The broker, and how the double behaves."""

    broker: Broker
    key_name: str
    key: str
    limits: Limits
    faults: Faults = field(default_factory=Faults)
    log: OperationLog = field(default_factory=OperationLog)
    connections: set["Connection"] = field(default_factory=set)
    accepted: int = 0
    """How many connections there were."""
    is_refusing: bool = False
    """New connections are closed at once."""

    def perform(
        self, connection: "Connection", name: str, entity: str, action: Callable[[], _Result], messages: int = 1
    ) -> _Result:
        """Carry out an operation as the faults in force allow, and log it.

        Raises Refusal, and Unanswered if the client gets no answer.
        """
        fault = self.faults.hit(name, entity)
        condition = ""
        try:
            if fault and "before" in (fault.drop, fault.hang):
                raise Unanswered
            if fault and fault.refusal:
                raise fault.refusal
            result = action()
            if fault:
                raise Unanswered
        except Refusal as refusal:
            condition = refusal.condition
            raise
        except Unanswered:
            condition = UNANSWERED
            self.broker.commit()
            if fault and fault.drop:
                connection.abort()
            raise
        finally:
            self.log.add(Operation(name, entity, condition, messages, connection.number))
        return result
