"""The store of the peer on Cosmos DB: azure-cosmos as it comes, one batch for each save.

An institution is one logical partition. So the batch can also create the document that keeps an IUV for one notice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosResourceNotFoundError

from bench.peer.identifiers import iuv, segregation_code_of
from bench.peer.notices import Change, Document, Institution, Stored
from bench.peer.store import Caller, IuvTaken, Listing

_DATABASE = "peer"
_HAS_STATUS = {
    "SCHEDULED": "c.startsAt > @now",
    "ACTIVE": "(NOT IS_DEFINED(c.startsAt) OR c.startsAt <= @now) AND (NOT IS_DEFINED(c.endsAt) OR c.endsAt > @now)",
    "EXPIRED": "(NOT IS_DEFINED(c.startsAt) OR c.startsAt <= @now) AND c.endsAt <= @now",
}


class CosmosStore:
    """The store in one account."""

    decides_unread = True

    def __init__(self, notices: ContainerProxy, registry: ContainerProxy) -> None:
        self._notices = notices
        self._registry = registry

    @classmethod
    @asynccontextmanager
    async def opened(cls, connection_string: str, registry: bytes) -> AsyncIterator["CosmosStore"]:
        """Yield the store in an account, with the institutions and callers of a registry."""
        async with CosmosClient.from_connection_string(connection_string) as client:
            database = await client.create_database_if_not_exists(_DATABASE)
            notices = await database.create_container_if_not_exists("notices", PartitionKey("/creditorInstitution"))
            registered = await database.create_container_if_not_exists("registry", PartitionKey("/id"))
            await _register(registered, registry)
            yield cls(notices, registered)

    async def load(self, institution: str, number: str) -> Stored | None:
        """Return the notice as it is now. One point read."""
        if not _is_number(number):
            return None
        document = await _read(self._notices, f"notice:{number}", institution)
        return None if document is None else _stored(document)

    async def save(self, change: Change) -> bool:
        """Save a notice and its new events, both or neither. Return False if another writer came first."""
        stored = change.stored
        institution, number = stored.document["creditorInstitution"], stored.document["noticeNumber"]
        place = {"creditorInstitution": institution, "noticeNumber": number}
        # An event is created, never replaced: of two writers of the same version one is refused.
        batch: list[Any] = [
            ("create", ({"id": _event_id(number, event["version"]), "kind": "event", **place, "event": event},))
            for event in change.events
        ]
        notice = _notice_document(stored, place)
        if change.publishes:
            claim = {"id": f"iuv:{stored.document['iuv']}", "kind": "iuv", **place}
            batch += [("create", (notice,)), ("create", (claim,))]
        else:
            batch.append(("replace", (notice["id"], notice)))
        try:
            await self._notices.execute_item_batch(batch, institution)
        except CosmosBatchOperationError as error:
            if error.status_code != 409:
                raise
            if change.publishes and error.error_index == len(batch) - 1:
                raise IuvTaken from error
            return False
        return True

    async def history(self, institution: str, number: str, after: int, limit: int) -> list[bytes]:
        """Return events as JSON, from the version behind `after` on."""
        if not _is_number(number):
            return []
        text = "SELECT TOP @limit * FROM c WHERE c.id > @after AND c.id < @end ORDER BY c.id"
        values = {"@after": _event_id(number, after), "@end": _event_id(number, 10**8), "@limit": limit}
        return [orjson.dumps(found["event"]) for found in await _select(self._notices, text, values, institution)]

    async def list(self, listing: Listing) -> list[Stored]:
        """Return the notices of a page."""
        conditions = ["c.kind = 'notice'", "c.noticeNumber > @after"]
        values: dict[str, object] = {"@after": listing.after, "@limit": listing.limit, "@now": listing.now}
        if "*" not in listing.codes:
            conditions.append("ARRAY_CONTAINS(@codes, c.segregationCode)")
            values["@codes"] = sorted(listing.codes)
        if listing.status is not None:
            conditions.append(_HAS_STATUS.get(listing.status, "false"))
        text = f"SELECT TOP @limit * FROM c WHERE {' AND '.join(conditions)} ORDER BY c.noticeNumber"
        return [*map(_stored, await _select(self._notices, text, values, listing.institution))]

    async def institution(self, fiscal_code: str) -> Institution | None:
        """Return the institution, None if it is not registered."""
        found = await _read(self._registry, f"institution:{fiscal_code}", f"institution:{fiscal_code}")
        return None if found is None else Institution(**found["institution"])

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key."""
        found = await _read(self._registry, f"key:{key_hash}", f"key:{key_hash}")
        if found is None:
            return None
        one = found["caller"]
        grants = {institution: frozenset(codes) for institution, codes in one["grants"].items()}
        return Caller(one["name"], one["role"], frozenset(one["scopes"]), grants)


async def _register(container: ContainerProxy, registry: bytes) -> None:
    registered = orjson.loads(registry)
    for one in registered["institutions"]:
        await container.upsert_item({"id": f"institution:{one['fiscal_code']}", "institution": one})
    for one in registered["callers"]:
        await container.upsert_item({"id": f"key:{one['key_hash']}", "caller": one})


async def _read(container: ContainerProxy, document_id: str, key: str) -> Document | None:
    try:
        return await container.read_item(document_id, key)
    except CosmosResourceNotFoundError:
        return None


async def _select(container: ContainerProxy, text: str, values: dict[str, object], institution: str) -> list[Document]:
    parameters: list[dict[str, object]] = [{"name": name, "value": value} for name, value in values.items()]
    found = container.query_items(text, parameters=parameters, partition_key=institution, max_item_count=1000)
    return [document async for document in found]


def _is_number(text: str) -> bool:
    """Return whether the text can be a notice number: another one may have a character that no id has."""
    try:
        iuv(text)
    except ValueError:
        return False
    return True


def _event_id(number: str, version: int) -> str:
    return f"event:{number}:{version:08}"


def _notice_document(stored: Stored, place: Document) -> Document:
    times = {"startsAt": stored.starts_at, "endsAt": stored.ends_at, "declaredAt": stored.declared_at}
    return {
        "id": f"notice:{place['noticeNumber']}",
        "kind": "notice",
        **place,
        "segregationCode": segregation_code_of(place["noticeNumber"]),
        **{name: time for name, time in times.items() if time is not None},
        "notice": stored.document,
    }


def _stored(found: Document) -> Stored:
    return Stored(found["notice"], found.get("startsAt"), found.get("endsAt"), found["declaredAt"])
