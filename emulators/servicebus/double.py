"""The server of the double, and its controls for tests: faults, cuts, the clock, the log, counts of messages."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from emulators.servicebus.broker import Broker
from emulators.servicebus.connection import Connection
from emulators.servicebus.entities import Entities
from emulators.servicebus.faults import Fault, Faults
from emulators.servicebus.journal import SqliteJournal
from emulators.servicebus.operation_log import OperationLog
from emulators.servicebus.queue import Counts
from emulators.servicebus.service import Limits, Service

HOST = "127.0.0.1"
"""Always loopback: the double protects no data."""
KEY_NAME = "RootManageSharedAccessKey"
KEY = "SAS_KEY_VALUE"
"""The key that Microsoft publishes for its emulator. No namespace has it."""


class ServiceBusDouble:
    """A namespace of Service Bus on this machine."""

    def __init__(
        self, entities: Mapping[str, object], journal: SqliteJournal | None, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._ahead = 0.0
        self._port = 0
        self._timer: asyncio.TimerHandle | None = None
        self._refusing: asyncio.TimerHandle | None = None
        broker = Broker(Entities.parse(entities), journal, self._now)
        self._service = Service(broker, KEY_NAME, KEY, Limits())

    @classmethod
    @asynccontextmanager
    async def started(
        cls,
        entities: Mapping[str, object],
        journal: Path | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
    ) -> AsyncIterator["ServiceBusDouble"]:
        """Serve on this event loop until the end of the block.

        `entities` has the form of infra/messaging.json. Without `journal`, the messages are in memory. `clock` returns
        seconds since 1970: locks, times to live and duplicates end by it. Raises OSError if the port is in use, and
        ValueError for entities that the double cannot serve and for a file of other data.
        """
        opened = SqliteJournal(journal) if journal else None
        try:
            double = cls(entities, opened, clock)
            double._service.limits = limits or double._service.limits
            server = await asyncio.get_running_loop().create_server(lambda: Connection(double._service), HOST, port)
            try:
                double._port = server.sockets[0].getsockname()[1]
                double._arm_when_due()
                yield double
            finally:
                server.close()
                await double._stop()
        finally:
            if opened:
                opened.close()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self._port

    @property
    def connection_string(self) -> str:
        """Return the connection string for a client."""
        return (
            f"Endpoint=sb://{HOST}:{self._port};SharedAccessKeyName={KEY_NAME};SharedAccessKey={KEY};"
            "UseDevelopmentEmulator=true;"
        )

    @property
    def log(self) -> OperationLog:
        """Return the log of the operations of clients."""
        return self._service.log

    @property
    def faults(self) -> Faults:
        """Return the rules in force."""
        return self._service.faults

    def inject(self, *faults: Fault) -> None:
        """Add rules after the rules in force."""
        self.faults.rules.extend(faults)

    def cut(self) -> int:
        """Cut every connection now, and return how many there were. Clients connect again."""
        connections = [*self._service.connections]
        for connection in connections:
            connection.abort()
        return len(connections)

    def refuse_connections(self, seconds: float) -> None:
        """Cut every connection, and close new ones at once, for so many seconds of real time."""
        if self._refusing:
            self._refusing.cancel()
        self._service.is_refusing = True
        self._refusing = asyncio.get_running_loop().call_later(seconds, self._accept)
        self.cut()

    def advance(self, seconds: float) -> None:
        """Move the clock of the double forward. Locks and messages end that are due."""
        self._ahead += seconds
        self.pass_time()

    def pass_time(self) -> None:
        """End the locks and messages that are due, and give free messages to receivers.

        Call it after a clock of your own has moved.
        """
        broker = self._service.broker
        broker.pass_time()
        broker.deliver()
        broker.commit()

    def clear(self) -> None:
        """Remove all messages, and forget the ids that were sent. The connections stay."""
        self._service.broker.clear()
        self._service.broker.commit()

    def counts(self, path: str) -> Counts:
        """Return how many messages a queue has: `queue`, `topic/Subscriptions/name`, or one with `/$DeadLetterQueue`.

        Raises Refusal for a path of no queue.
        """
        self.pass_time()
        return self._service.broker.queue(path).counts()

    def _now(self) -> float:
        return self._clock() + self._ahead

    def _accept(self) -> None:
        self._service.is_refusing = False

    def _arm_when_due(self) -> None:
        self._service.broker.on_due = self._arm
        self.pass_time()

    def _arm(self, when: int) -> None:
        """Wake up at a time. If the clock stands still until then, this happens again and again, but not at once."""
        if self._timer:
            self._timer.cancel()
        delay = max(when / 1000 - self._now(), 0.0) + 0.001
        self._timer = asyncio.get_running_loop().call_later(delay, self.pass_time)

    async def _stop(self) -> None:
        for timer in (self._timer, self._refusing):
            if timer:
                timer.cancel()
        self.cut()
        await asyncio.sleep(0)  # Until the connections know that they are cut.
        self._service.broker.commit()
