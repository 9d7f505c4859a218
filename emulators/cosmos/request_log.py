"""Keep a log of the requests and their statuses."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

REMEMBERED = 200_000
"""Requests that are kept, at most: the newest."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Status 0 stands for no answer: the connection was reset, or the request hangs."""

    operation: str
    container: str | None
    key: tuple[Any, ...]
    status: int
    charge: float
    client: str
    """The id that the SDK gives to each of its clients."""


class RequestLog:
    """The requests since the start, or since it was cleared, in the order of the answers."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=REMEMBERED)
        self._grew = asyncio.Event()

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    def add(self, request: Request) -> None:
        """Add a request."""
        self._requests.append(request)
        self._grew.set()

    async def wait_for(self, operation: str, times: int = 1) -> None:
        """Wait until it has so many requests of this operation."""
        while self.count(operation) < times:
            self._grew.clear()
            await self._grew.wait()

    def count(self, operation: str | None = None, container: str | None = None, status: int | None = None) -> int:
        """Return the number of requests, or of those of an operation, to a container, with a status."""
        return sum(
            request.operation == (operation or request.operation)
            and request.container == (container or request.container)
            and request.status == (request.status if status is None else status)
            for request in self._requests
        )

    def statuses(self, operation: str) -> list[int]:
        """Return the status of each request of an operation. The SDK sends other operations at any time."""
        return [request.status for request in self._requests if request.operation == operation]

    def charge(self) -> float:
        """Return the sum of the charges in request units."""
        return round(sum(request.charge for request in self._requests), 2)

    def clear(self) -> None:
        """Remove every request."""
        self._requests.clear()
