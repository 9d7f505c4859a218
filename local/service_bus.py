"""Service Bus for `make run-azure`: starts a double in this process, with the queues and the topic of the archive."""

from pathlib import Path

from local import doubles
from shared.messages import entities


def start_double(file: Path) -> str:
    """Run a double until this process ends, and return its connection string. Raises ValueError, OSError."""
    # A host on a namespace needs no double.
    from emulators.servicebus import ServiceBusDouble

    return doubles.start("servicebus", file, lambda: ServiceBusDouble.started(entities(), file))
