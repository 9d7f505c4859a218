"""A double of Azure Service Bus: a server on loopback that the unmodified SDKs speak AMQP 1.0 with.

Its promises are in docs/testing.md, and tests/conformance/servicebus tests them. It refuses everything else.
"""

from emulators.servicebus.double import KEY, KEY_NAME, ServiceBusDouble
from emulators.servicebus.faults import Fault
from emulators.servicebus.queue import Counts
from emulators.servicebus.service import Limits

__all__ = ["KEY", "KEY_NAME", "Counts", "Fault", "Limits", "ServiceBusDouble"]
