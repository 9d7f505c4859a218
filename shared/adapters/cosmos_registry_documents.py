"""How the documents of a container that is partitioned by id are read, written and deleted in Cosmos DB."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.codecs import Document
from shared.domain.registry_changes import Entry, Kind

REGISTRIES = "registries"
"""The container. Its key and indexes are in infra/data.json."""
NOTHING = "nothing"
"""The version of a document that is not there."""

_LONGEST_ID = 255
"""Characters of an id, at most. The service takes 1,023 bytes."""


class Documents:
    """The documents of a container, each in a partition of its own."""

    def __init__(self, cosmos: Cosmos, page: int = 1000, container: str = REGISTRIES) -> None:
        """`page` is how many documents one query returns, at most."""
        self._cosmos = cosmos
        self.page = page
        self._container = container

    async def read(self, document_id: str) -> Document | None:
        """Return the document, if it is there. One point read."""

        async def read(container: ContainerProxy, hook: Hook) -> Document:
            return await container.read_item(document_id, document_id, response_hook=hook)

        if len(document_id) > _LONGEST_ID:
            return None  # an address is a text of the client
        try:
            return await self._cosmos.call("read", self._container, read)
        except ResourceNotFoundError:
            return None

    async def read_entry(self, entry: Entry) -> Document | None:
        """Return the document of an institution or a caller, if it is registered."""
        document = await self.read(entry.id)
        return document if document and not is_removed(document) else None

    async def read_entries(self, kind: Kind) -> list[Document]:
        """Return the documents of every institution or caller, by name. Page by page, each within the budget."""
        return [document for document in await self.read_all(f"{kind}:") if not is_removed(document)]

    async def read_all(self, prefix: str) -> list[Document]:
        """Return the documents whose ids begin with a prefix that ends with a colon, by id. Page by page."""
        found: list[Document] = []
        # A semicolon is what follows a colon.
        condition, values = "c.id > @after AND c.id < @end", {"@after": prefix, "@end": f"{prefix[:-1]};"}
        while page := await self._select(condition, values, self.page):
            found += page
            values["@after"] = page[-1]["id"]
        return found

    async def read_newest(self, first: str, end: str, entry: Entry | None, limit: int) -> list[Document]:
        """Return a page of the documents whose ids are in a range, the greatest first. `entry` is whom they name."""
        condition, values = "c.id >= @first AND c.id < @end", {"@first": first, "@end": end}
        if entry is not None:
            condition += " AND c.entry = @entry"
            values["@entry"] = entry.id
        return await self._select(condition, values, min(limit, self.page), greatest_first=True)

    async def write(self, document: Document, version: str | None) -> Document:
        """Write the document over that version (None: any. NOTHING: none). Return the stored document.

        Raises the SDK's error with status 404, 409 or 412 when there is another version.
        """

        async def write(container: ContainerProxy, hook: Hook) -> Document:
            if version is None:
                return await container.upsert_item(document, response_hook=hook)
            if version == NOTHING:
                return await container.create_item(document, response_hook=hook)
            return await container.replace_item(
                document["id"],
                document,
                etag=version,
                match_condition=MatchConditions.IfNotModified,
                response_hook=hook,
            )

        return await self._cosmos.call("write", self._container, write)

    async def delete(self, document: Document) -> None:
        """Delete the document as it was read or written.

        A document that is gone already, or was written again, stays.
        """

        async def delete(container: ContainerProxy, hook: Hook) -> None:
            await container.delete_item(
                document["id"],
                document["id"],
                etag=document["_etag"],
                match_condition=MatchConditions.IfNotModified,
                response_hook=hook,
            )

        with suppress(HttpResponseError):  # 404 or 412
            await self._cosmos.call("delete", self._container, delete)

    async def _select(
        self, condition: str, values: Mapping[str, str], limit: int, *, greatest_first: bool = False
    ) -> list[Document]:
        """Return the first documents by id. Each physical partition is asked by itself, as for lists of notices."""
        query = f"SELECT TOP {limit} * FROM c WHERE {condition} ORDER BY c.id {'DESC' if greatest_first else 'ASC'}"
        parameters: list[dict[str, object]] = [{"name": name, "value": value} for name, value in values.items()]

        async def ranges(container: ContainerProxy, _: Hook) -> list[Document]:
            return [part async for part in container.read_feed_ranges()]

        async def select(part: Document, container: ContainerProxy, hook: Hook) -> list[Document]:
            pages = container.query_items(
                query, parameters=parameters, feed_range=part, max_item_count=limit, response_hook=hook
            )
            return [document async for document in pages]

        parts = await self._cosmos.call("ranges", self._container, ranges)
        asked = (self._cosmos.call("select", self._container, partial(select, part)) for part in parts)
        # After a split a document may be found twice.
        every = {str(document["id"]): document for found in await asyncio.gather(*asked) for document in found}
        return [every[document_id] for document_id in sorted(every, reverse=greatest_first)[:limit]]


def is_removed(document: Document) -> bool:
    """Return whether the document only says that its entry was removed."""
    return "removed" in document
