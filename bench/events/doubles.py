"""The doubles of Cosmos DB and Service Bus, each a process of its own, so that no loop is shared with the measured one.

They keep their data in memory: the disk of a double says nothing about Azure.
"""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cores import pin

ENTITIES = Path(__file__).parent.parent.parent / "infra" / "messaging.json"


@dataclass(frozen=True, slots=True)
class Account:
    """A double of Cosmos DB."""

    connection_string: str
    pid: int


@dataclass(frozen=True, slots=True)
class Namespace:
    """A double of Service Bus. `control` is the address of its side door."""

    connection_string: str
    control: str

    def messages(self, queue: str) -> int:
        """Return how many messages wait in a queue, or in `topic/Subscriptions/name`."""
        with urllib.request.urlopen(f"{self.control}counts/{queue}") as answer:
            found: dict[str, int] = json.load(answer)
        return found["active"]


@contextmanager
def cosmos_double(cores: Collection[int] = ()) -> Iterator[Account]:
    """Yield a new account on these cores. It has no containers yet."""
    command = ("emulators.cosmos", "--port", "0", "--consistency", "BoundedStaleness")
    with _module(*command, cores=cores) as process:
        yield Account(_line(process, "AccountEndpoint="), process.pid)


@contextmanager
def service_bus_double(cores: Collection[int] = ()) -> Iterator[Namespace]:
    """Yield a new namespace on these cores, with the queues and the topic of the archive and no messages."""
    with _module("emulators.servicebus", "--entities", str(ENTITIES), "--port", "0", cores=cores) as process:
        control = _line(process, "http://")
        yield Namespace(_line(process, "Endpoint="), control)


@contextmanager
def slow_line(connection_string: str, milliseconds: float, cores: Collection[int] = ()) -> Iterator[str]:
    """Yield the connection string of the same namespace, to which each round trip takes so many milliseconds more."""
    found = re.search(r"(?<=sb://127\.0\.0\.1:)\d+", connection_string)
    assert found is not None, "a double is on loopback and names its port"
    command = ("bench.events.slow_line", "--to", found[0], "--milliseconds", str(milliseconds))
    with _module(*command, cores=cores) as process:
        port = _line(process, "")
        yield f"{connection_string[: found.start()]}{port}{connection_string[found.end() :]}"


@contextmanager
def _module(*command: str, cores: Collection[int]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True) as process:
        try:
            pin(process.pid, cores)
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str], start: str) -> str:
    """Return the next line that begins with a text. A process that ends before it did not start."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.strip()
    raise RuntimeError(f"{process.args!r} did not start.")
