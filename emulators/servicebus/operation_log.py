"""Keep a log of the operations of clients."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

REMEMBERED = 200_000
"""Operations that are kept, at most: the newest."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a client."""

    name: str
    """One of faults.OPERATIONS."""
    entity: str
    """The path as the client wrote it."""
    condition: str
    """The error condition. Empty: it was done. "unanswered": a fault kept the answer back."""
    messages: int
    """How many messages were sent, or settled, or peeked at."""
    connection: int
    """The number of the connection, counted from the start of the double."""


class OperationLog:
    """The operations since the start, or since it was cleared, in the order of their answers."""

    def __init__(self) -> None:
        self._operations: deque[Operation] = deque(maxlen=REMEMBERED)
        self._grew = asyncio.Event()

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def add(self, operation: Operation) -> None:
        """Add an operation."""
        self._operations.append(operation)
        self._grew.set()

    async def wait_for(self, name: str, times: int = 1) -> None:
        """Wait until it has so many operations of this name."""
        while self.count(name) < times:
            self._grew.clear()
            await self._grew.wait()

    def count(self, name: str | None = None, entity: str | None = None, condition: str | None = None) -> int:
        """Return the number of operations, or of those of a name, on an entity, with a condition."""
        return sum(
            one.name == (name or one.name)
            and one.entity.lower() == (entity or one.entity).lower()
            and one.condition == (one.condition if condition is None else condition)
            for one in self._operations
        )

    def clear(self) -> None:
        """Remove every operation."""
        self._operations.clear()
