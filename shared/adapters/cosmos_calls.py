"""How the archive asks Cosmos DB: one client for the process, every call within its budget, repeated while that helps.

The SDK resends a write whose answer was lost and does not say so, its `timeout` does not interrupt, and its own waiting
after 429 makes all clients come back together. So here every call may be repeated, the budget interrupts, and waits
are drawn at random; whoever writes must bear being repeated.
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

from shared.errors import StoreUnavailable
from shared.settings import CosmosStore
from shared.telemetry import StoreCall, log_store_call

if TYPE_CHECKING:
    from azure.identity.aio import ManagedIdentityCredential

Answered = TypeVar("Answered")
Hook = Callable[[Mapping[str, Any], Any], None]
"""What the SDK calls with the headers of every answer."""

READ_SESSION_NOT_AVAILABLE = 1002
LATER = frozenset({408, 410, 429, 449, 500, 502, 503, 504})
"""Statuses after which the same call is worth repeating; whether it was carried out is not known."""
TELLING = frozenset({404, 409, 412})
"""Statuses that tell something about documents, to whoever asked."""
LONGEST_ATTEMPT = 2.0
"""Seconds that one answer may take before it is asked for again; less if the budget is small."""
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.5
"""Seconds between two attempts, at most, after the first and in the long run."""


@dataclass(slots=True)
class Bill:
    """What the attempts of one call cost together, in request units."""

    attempts: int = 0
    charge: float = 0.0
    refusal: AzureError | None = None
    """Why the last attempt failed, if it did."""

    def add(self, headers: Mapping[str, Any], _: Any = None) -> None:
        """Add what an answer says it cost."""
        self.charge += float(headers.get("x-ms-request-charge") or 0)


# It writes some twenty lines for a request that fails, and tracebacks for ones that do not; failures are told here.
logging.getLogger("azure.cosmos").setLevel(logging.CRITICAL)


class Cosmos:
    """The account, opened on first use inside the running loop and kept for the life of the process."""

    def __init__(
        self, store: CosmosStore, budget: float, observe: Callable[[StoreCall], None] = log_store_call
    ) -> None:
        """`budget` is how many seconds a call may take; `observe` is told of each."""
        self._store = store
        self._budget = budget
        self._observe = observe
        self._client: CosmosClient | None = None
        self._containers: dict[str, ContainerProxy] = {}
        self._identity: ManagedIdentityCredential | None = None
        self._opening = asyncio.Lock()
        self._is_closed = False

    async def ask(
        self, operation: str, container: str, call: Callable[[ContainerProxy, Hook], Awaitable[Answered]]
    ) -> Answered:
        """Return what the call answers, repeating it while it fails for a reason that passes.

        Raises StoreUnavailable when the budget is spent or the account is not as it must be, and the SDK's error with
        status 404 (the document is not there), 409 or 412.
        """
        bill, loop = Bill(), asyncio.get_running_loop()
        began, outcome = loop.time(), "failed"
        try:
            async with asyncio.timeout(self._budget):
                answered = await self._repeated(container, call, bill)
                outcome = "done"
                return answered
        except TimeoutError as error:
            raise StoreUnavailable from bill.refusal or error
        except HttpResponseError as error:
            outcome = str(error.status_code)
            if not _tells(error):
                raise StoreUnavailable from error  # its operator has to mend it: a key, a role, a container, a limit
            raise
        finally:
            self._observe(StoreCall(operation, container, bill.charge, loop.time() - began, bill.attempts, outcome))

    async def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        async with self._opening:
            self._containers.clear()
            if self._client is not None:
                await self._client.close()
            if self._identity is not None:
                await self._identity.close()

    async def _repeated(
        self, container: str, call: Callable[[ContainerProxy, Hook], Awaitable[Answered]], bill: Bill
    ) -> Answered:
        wait = FIRST_WAIT
        while True:
            bill.attempts += 1
            try:
                return await call(self._containers.get(container) or await self._container(container), bill.add)
            except AzureError as error:
                bill.refusal = error
                bill.add(getattr(error, "headers", None) or {})
                if not _passes(error):
                    raise
                asked_for = _retry_after(error)
            except (RuntimeError, ValueError) as error:
                # What a client says that is closed under a request is no AzureError.
                if self._is_closed:
                    raise StoreUnavailable from error
                raise
            # At random, so that those who were refused together do not come back together.
            await asyncio.sleep(max(asked_for, wait / 2) * uniform(1, 2))
            wait = min(2 * wait, LONGEST_WAIT)

    async def _container(self, name: str) -> ContainerProxy:
        client = self._client or await self._opened()
        container = client.get_database_client(self._store.database).get_container_client(name)
        try:
            # The SDK would read it anyway. That it is not there must not look as if a document were not.
            await container.read()
        except ResourceNotFoundError as error:
            raise StoreUnavailable from error
        self._containers[name] = container
        return container

    async def _opened(self) -> CosmosClient:
        async with self._opening:
            if self._is_closed:
                raise StoreUnavailable
            if self._client is None:
                client = self._made()
                try:
                    await client.__aenter__()
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    def _made(self) -> CosmosClient:
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
        )

    def _own_identity(self) -> "ManagedIdentityCredential":
        from azure.identity.aio import ManagedIdentityCredential  # costs a start too much where a key is given

        if self._identity is None:
            self._identity = ManagedIdentityCredential(client_id=self._store.client_id)
        return self._identity


def _tells(error: HttpResponseError) -> bool:
    """Tell whether the answer is about documents; a 404 with a substatus is about what they should lie in."""
    return error.status_code in TELLING and not (error.status_code == 404 and getattr(error, "sub_status", None))


def _passes(error: AzureError) -> bool:
    """Tell whether the same call may succeed later: also after a lost connection, which has no status."""
    status = getattr(error, "status_code", None)
    if status == 404:
        # The replica has not seen yet what the session token says was seen.
        return getattr(error, "sub_status", None) == READ_SESSION_NOT_AVAILABLE
    return status is None or status in LATER


def _retry_after(error: AzureError) -> float:
    """Return how many seconds the service asks to wait; 0 if it does not say."""
    headers: Mapping[str, Any] = getattr(error, "headers", None) or {}
    return float(headers.get("x-ms-retry-after-ms") or 0) / 1000
