"""Where the conformance tests go, what they are given there, and items as the archive would write them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from secrets import randbelow, token_hex
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError, CosmosResourceNotFoundError

from emulators.cosmos import CosmosDouble
from local.cosmos import CONTAINERS
from shared.documents import event_id

Document = dict[str, Any]
Refusal = pytest.ExceptionInfo[HttpResponseError]

ARCHIVE: dict[str, Document] = json.loads(CONTAINERS.read_text(encoding="utf-8"))["containers"]
"""The containers of the archive: their keys and indexes."""

large_bodies = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
"""For a test that sends more than a megabyte at once: aiohttp would rather be given it in parts than by the SDK."""

PATIENCE = 30.0
"""Seconds after which a feed is taken to be one that never ends."""

_run = token_hex(3)
_serial = count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """A service that answers as Cosmos DB, and the names of what the tests find there."""

    connection_string: str
    database: str
    notices: str
    registry: str
    double: CosmosDouble | None = None

    async def make(self) -> None:
        """Make the database and the containers."""
        async with CosmosClient.from_connection_string(self.connection_string) as client:
            database = await client.create_database_if_not_exists(self.database)
            for name, made in ((self.notices, ARCHIVE["notices"]), (self.registry, ARCHIVE["registries"])):
                key, policy, ttl = PartitionKey(made["partitionKey"]), made["indexingPolicy"], made.get("defaultTtl")
                await database.create_container(name, key, indexing_policy=policy, default_ttl=ttl)

    async def delete(self) -> None:
        """Delete the containers, with all that the tests wrote; the database stays."""
        async with CosmosClient.from_connection_string(self.connection_string) as client:
            database = client.get_database_client(self.database)
            await database.delete_container(self.notices)
            await database.delete_container(self.registry)

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator["Cosmos"]:
        """Yield a client of the service; the containers that a test made with it are deleted in the end."""
        async with CosmosClient.from_connection_string(self.connection_string, **options) as client:
            database = client.get_database_client(self.database)
            notices, registry = (database.get_container_client(name) for name in (self.notices, self.registry))
            cosmos = Cosmos(client, database, notices, registry)
            yield cosmos
            for name in cosmos.made:
                await database.delete_container(name)


@dataclass(frozen=True, slots=True)
class Cosmos:
    """One client of the service, with the containers of the archive."""

    client: CosmosClient
    database: DatabaseProxy
    notices: ContainerProxy
    """Partition key /creditorInstitution, /noticeNumber; only what the archive asks for is indexed."""
    registry: ContainerProxy
    """Partition key /id; nothing is indexed but the id."""
    made: list[str] = field(default_factory=list)

    async def make_container(self, key: PartitionKey | None = None, **settings: Any) -> ContainerProxy:
        """Return a new container, for a test that needs one of its own."""
        name = a_name()
        container: ContainerProxy = await self.database.create_container(name, key or PartitionKey("/id"), **settings)
        self.made.append(name)
        return container


def a_name() -> str:
    """Return a name that nothing has yet."""
    return f"test-{_run}-{next(_serial)}"


def an_institution() -> str:
    """Return the code of an institution that has no notices yet."""
    return f"{randbelow(10**11):011}"


def a_number(serial: int) -> str:
    """Return the notice number with this serial; numbers sort as their serials."""
    return f"347{serial:015}"


def a_notice(institution: str, serial: int = 1, **changes: Any) -> Document:
    """Return a notice as the archive would write it; a change to `...` leaves the property out."""
    notice = {
        "id": "notice",
        "creditorInstitution": institution,
        "noticeNumber": a_number(serial),
        "status": "ACTIVE",
        "amount": 12050,
        "dueDateKey": "2026-12-16",
        "updatedAt": "2026-11-23T10:00:00.000Z",
        **changes,
    }
    return {name: value for name, value in notice.items() if value is not ...}


def an_event(notice: Document, version: int = 1) -> Document:
    """Return an event of the notice, stored beside it."""
    key = {name: notice[name] for name in ("creditorInstitution", "noticeNumber")}
    return {"id": event_id(version), **key, "version": version}


def key_of(document: Document) -> list[Any]:
    """Return the whole partition key of a notice or an event."""
    return [document["creditorInstitution"], document["noticeNumber"]]


def serials(items: list[Document]) -> list[int]:
    """Return the serials of the notices, in the order given."""
    return [int(item["noticeNumber"][3:]) for item in items]


def content(item: Document) -> Document:
    """Return an item without what the service adds."""
    return {name: value for name, value in item.items() if not name.startswith("_")}


async def save(container: ContainerProxy, *documents: Document) -> None:
    """Create the documents, one after the other."""
    for document in documents:
        await container.create_item(document)


async def missing(container: ContainerProxy, id_: str, key: Any) -> bool:
    """Tell whether there is no such item."""
    try:
        await container.read_item(id_, key)
    except CosmosResourceNotFoundError:
        return True
    return False


async def ask(container: ContainerProxy, query: str, parameters: Document | None = None, **options: Any) -> list[Any]:
    """Return all that a query answers."""
    named = [{"name": f"@{name}", "value": value} for name, value in (parameters or {}).items()]
    return [item async for item in container.query_items(query, parameters=named, **options)]


async def pages(paged: Any, token: str | None = None) -> AsyncIterator[tuple[list[Document], str | None]]:
    """Yield each page of a query or a feed, with the token that leads on from there."""
    pager = paged.by_page(token)
    async for page in pager:
        yield [item async for item in page], pager.continuation_token


async def read_feed(container: ContainerProxy, **options: Any) -> tuple[list[Document], str]:
    """Return what the change feed has to say, and the token to ask it again with.

    A feed that has nothing to say leads on as well, but the SDK then keeps the token from its pages: it puts it into
    the headers that it gave to the hook, afterwards.
    """
    headers: list[Any] = []
    feed = container.query_items_change_feed(response_hook=lambda given, _: headers.append(given), **options)
    async with asyncio.timeout(PATIENCE):
        items = [item async for item in feed]
    token: str = headers[-1]["etag"]
    return items, token


async def feed_ranges(container: ContainerProxy) -> list[Document]:
    """Return the feed ranges of a container, as it is now."""
    return [feed_range async for feed_range in container.read_feed_ranges(force_refresh=True)]


@contextmanager
def refused(status: int) -> Iterator[Refusal]:
    """Expect that the service refuses with this status."""
    with pytest.raises((CosmosHttpResponseError, CosmosBatchOperationError)) as refusal:
        yield refusal
    assert refusal.value.status_code == status, refusal.value


def statuses(refusal: Refusal) -> list[int]:
    """Return what became of each operation of a refused batch."""
    assert isinstance(refusal.value, CosmosBatchOperationError)
    return [operation["statusCode"] for operation in refusal.value.operation_responses or ()]
