"""How the archive asks Cosmos DB: one client for the process, every call within its budget, repeated while that helps.

The SDK repeats a write after a lost answer and does not say so, its `timeout` does not interrupt, and its own waiting
after 429 makes all clients come back together. So here every call may be repeated, the budget interrupts, and waits
are random. Every write must be idempotent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import uniform
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient

from shared.adapters.cosmos_answers import (
    DOCUMENT_STATUSES,
    UnusableAnswer,
    check_answer,
    request_charge,
    retry_after,
    substatus,
)
from shared.deadlines import Deadline, Deadlines
from shared.errors import StoreUnavailable
from shared.settings import CosmosStore
from shared.telemetry import StoreCall, log_store_call

if TYPE_CHECKING:
    from azure.identity.aio import ManagedIdentityCredential

Answered = TypeVar("Answered")
Hook = Callable[[Mapping[str, Any], Any], None]
"""The SDK calls it with the headers of every answer."""
Call = Callable[[ContainerProxy, Hook], Awaitable[Answered]]
"""A request to a container, through the SDK."""

READ_SESSION_NOT_AVAILABLE = 1002
RETRYABLE_STATUSES = frozenset({408, 410, 429, 449, 500, 502, 503, 504})
"""Statuses after which the same call is worth repeating. Whether it was done is not known."""
LONGEST_ATTEMPT = 2.0
"""Seconds that one answer may take before it is asked for again. Less if the budget is small."""
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.5
"""Seconds between two attempts, at most, after the first and in the long run."""


@dataclass(slots=True)
class CallStats:
    """The attempts of one call, and their cost together in request units."""

    attempts: int = 0
    charge: float = 0.0
    refusal: AzureError | None = None
    """Why the last attempt failed, if it did."""

    def add(self, headers: Mapping[str, Any], _: Any = None) -> None:
        """Add the cost that an answer names."""
        self.charge += request_charge(headers)


# It writes some twenty lines for a request that fails, and tracebacks for ones that do not; failures are logged here.
logging.getLogger("azure.cosmos").setLevel(logging.CRITICAL)


class Cosmos:
    """The account, opened on first use inside the running loop and kept for the life of the process."""

    def __init__(
        self, store: CosmosStore, budget: float, observe: Callable[[StoreCall], None] = log_store_call
    ) -> None:
        """`budget` is how many seconds a call may take. `observe` gets the figures of each call."""
        self._store = store
        self._budget = budget
        self._deadlines = Deadlines(budget)
        self._observe = observe
        self._opening: asyncio.Task[CosmosClient] | None = None
        self._containers: dict[str, ContainerProxy] = {}
        self._identity: ManagedIdentityCredential | None = None
        self._is_closed = False

    async def call(self, operation: str, container: str, call: Call[Answered]) -> Answered:
        """Return the answer of the call, repeating it while it fails for a reason that passes.

        Raises StoreUnavailable when the budget is spent or the account is not as it must be, and the SDK's error with
        status 404 (the document is not there), 409 or 412. It may be cancelled at any time.
        """
        stats, loop = CallStats(), asyncio.get_running_loop()
        began, outcome = loop.time(), "failed"
        try:
            with Deadline(self._deadlines) as ends_at:
                answered = await self._repeat(container, call, stats, ends_at)
                outcome = "done"
                return answered
        except TimeoutError as error:
            raise StoreUnavailable from stats.refusal or error
        except HttpResponseError as error:
            outcome = str(error.status_code)
            if not _is_about_documents(error):
                raise StoreUnavailable from error  # its operator must correct it: a key, a role, a container, a limit
            raise
        finally:
            self._observe(StoreCall(operation, container, stats.charge, loop.time() - began, stats.attempts, outcome))

    async def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        self._containers.clear()
        if self._opening is not None:
            await asyncio.wait([self._opening])
            if not _has_failed(self._opening):
                await self._opening.result().close()
        if self._identity is not None:
            await self._identity.close()

    async def _repeat(self, container: str, call: Call[Answered], stats: CallStats, deadline: float) -> Answered:
        longest = FIRST_WAIT
        while True:
            stats.attempts += 1
            try:
                return await call(self._containers.get(container) or await self._container(container), stats.add)
            except AzureError as error:
                stats.refusal = error
                stats.add(getattr(error, "headers", None) or {})
                if not _is_transient(error):
                    raise
                asked_for = retry_after(error)
            except (RuntimeError, ValueError) as error:
                # The error of a client that was closed under a request is no AzureError.
                if self._is_closed:
                    raise StoreUnavailable from error
                raise
            # At random, so that those who were refused together do not come back together.
            pause = max(asked_for, longest / 2) * uniform(1, 2)
            if asyncio.get_running_loop().time() + pause >= deadline:
                raise StoreUnavailable(retry_after=asked_for or None) from stats.refusal
            await asyncio.sleep(pause)
            longest = min(2 * longest, LONGEST_WAIT)

    async def _container(self, name: str) -> ContainerProxy:
        client = await self._client()
        container = client.get_database_client(self._store.database).get_container_client(name)
        try:
            # The SDK would read it anyway. That it is not there must not look as if a document were not.
            await container.read()
        except ResourceNotFoundError as error:
            raise StoreUnavailable from error
        self._containers[name] = container
        return container

    async def _client(self) -> CosmosClient:
        """Return the client. One task opens it for all requests, and goes on when a request is cancelled."""
        if self._is_closed:
            raise StoreUnavailable
        if self._opening is None or (self._opening.done() and _has_failed(self._opening)):
            self._opening = asyncio.create_task(self._open(), name="open Cosmos DB")
            self._opening.add_done_callback(_has_failed)  # takes its error when no request waits for it any more
        await asyncio.wait([self._opening])
        return self._opening.result()

    async def _open(self) -> CosmosClient:
        client = self._new_client()
        try:
            async with asyncio.timeout(self._budget):
                await client.__aenter__()
        except BaseException:
            await client.close()
            raise
        return client

    def _new_client(self) -> CosmosClient:
        attempt = min(LONGEST_ATTEMPT, self._budget / 2)
        return CosmosClient(
            self._store.endpoint,
            self._store.key or self._own_identity(),
            # azure-core asks the operating system for proxies and passwords before each request, in another thread.
            transport=AioHttpTransport(use_env_settings=False),
            connection_timeout=attempt,
            read_timeout=attempt,
            # Waiting after 429 is done here; the SDK takes 0 for its default.
            retry_throttle_total=-1,
            raw_response_hook=check_answer,
        )

    def _own_identity(self) -> "ManagedIdentityCredential":
        from azure.identity.aio import ManagedIdentityCredential  # costs a start too much where a key is given

        if self._identity is None:
            self._identity = ManagedIdentityCredential(client_id=self._store.client_id)
        return self._identity


def _has_failed(opening: asyncio.Task[CosmosClient]) -> bool:
    return opening.cancelled() or opening.exception() is not None


def _is_about_documents(error: HttpResponseError) -> bool:
    """Return whether the answer is about documents. A 404 with a substatus is about their container."""
    return error.status_code in DOCUMENT_STATUSES and not (error.status_code == 404 and substatus(error))


def _is_transient(error: AzureError) -> bool:
    """Return whether the same call may succeed later. A lost connection has no status."""
    status = getattr(error, "status_code", None)
    if status is None or isinstance(error, UnusableAnswer):
        return True
    if status == 404:
        # The replica is behind the session token.
        return substatus(error) == READ_SESSION_NOT_AVAILABLE
    return status in RETRYABLE_STATUSES
