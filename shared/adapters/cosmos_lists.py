"""Lists and due notices in Cosmos DB: each physical partition is asked by itself, and the answers are merged here.

The SDK does not merge a query below the first value of the partition key, and it repeats documents after a split. A
document that is damaged is logged and left out, so that the others are still served.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from heapq import heapify, heappop, heappush
from operator import attrgetter

from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.adapters.cosmos_search import (
    Place,
    Query,
    awaited_place,
    awaited_query,
    due_place,
    due_query,
    position_after,
    search_place,
    search_query,
)
from shared.codecs import Document
from shared.concurrency import gather_all
from shared.documents import decode_notice
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Notice
from shared.ports import Listed, Search
from shared.readable import readable
from shared.stored_notice import stored_notice

NOTICES = "notices"
"""The container. Its key, indexes and times to live are in infra/data.json."""


class CosmosLists:
    """The queries over many notices."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos

    async def search(self, search: Search) -> list[Listed]:
        """Return the notices of a search, in its order, at most `limit`."""
        partitions = await self._partitions(search.creditor_institution)
        found = await gather_all(self._search_in(partition, search) for partition in partitions)
        # A notice that changes meanwhile is found at two places.
        every = {notice.number: notice for notices in found for notice in notices}
        return sorted(every.values(), key=attrgetter("cursor"))[: search.limit]

    async def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices that are due, the longest due first."""
        async for notice in self._merged("due", partial(due_query, now), due_place):
            yield notice

    async def awaited(self) -> AsyncIterator[Notice]:
        """Yield the notices that are awaited, by institution and number."""
        async for notice in self._merged("awaited", awaited_query, awaited_place):
            yield notice

    async def _merged(
        self, operation: str, query: Callable[[Place | None], Query], place: Callable[[Document], Place]
    ) -> AsyncIterator[Notice]:
        """Yield the notices that a query finds in all physical partitions, in its order."""
        streams = [self._each_in(part, operation, query, place) for part in await self._partitions()]
        heads = [(head[0], n, head[1]) for n, stream in enumerate(streams) if (head := await anext(stream, None))]
        heapify(heads)
        while heads:
            _, n, notice = heappop(heads)
            yield notice
            if (head := await anext(streams[n], None)) is not None:
                heappush(heads, (head[0], n, head[1]))

    async def _search_in(self, partition: Document, search: Search) -> list[Listed]:
        """Return the notices of a physical partition. It takes one query, unless documents are damaged."""
        place, now, found = search_place(search.order), search.now, list[Listed]()
        while True:
            page = await self._select("search", search_query(search), partition, place)
            found += readable(page, lambda document: _listed(document, place(document), now), _address)
            if len(page) < search.limit or len(found) >= search.limit:
                return found
            search = replace(search, after=position_after(place(page[-1])))

    async def _each_in(
        self,
        partition: Document,
        operation: str,
        query: Callable[[Place | None], Query],
        place: Callable[[Document], Place],
    ) -> AsyncIterator[tuple[Place, Notice]]:
        """Yield the notices that a query finds in a physical partition, page by page, each with its place."""
        after: Place | None = None
        while page := await self._select(operation, query(after), partition, place):
            for document in page:
                for notice in readable([document], decode_notice, _address):
                    yield place(document), notice
            after = place(page[-1])

    async def _select(
        self, operation: str, query: Query, partition: Document, place: Callable[[Document], Place]
    ) -> list[Document]:
        """Return the documents that a query finds in a physical partition, in order, each once."""

        async def select(container: ContainerProxy, hook: Hook) -> list[Document]:
            pages = container.query_items(
                query.text,
                parameters=query.parameters,
                feed_range=partition,
                max_item_count=query.limit,
                # A listing may lag a little, and costs half. The SDK keeps things of its own in these options.
                feed_options={"consistencyLevel": "Session"},
                enable_scan_in_query=True,
                response_hook=hook,
            )
            return [document async for document in pages]

        # A partition that is split meanwhile answers in parts, and starts again where a page was cut.
        found = {place(document): document for document in await self._cosmos.call(operation, NOTICES, select)}
        return [found[key] for key in sorted(found)][: query.limit]

    async def _partitions(self, institution: InstitutionCode | None = None) -> list[Document]:
        """Return the physical partitions, or those of an institution. The SDK caches them."""

        async def read(container: ContainerProxy, _: Hook) -> list[Document]:
            every = [partition async for partition in container.read_feed_ranges()]
            if institution is not None:
                below = await container.feed_range_from_partition_key([institution])
                for partition in every:
                    if await container.is_feed_range_subset(partition, below):
                        return [partition]
            return every

        return await self._cosmos.call("ranges", NOTICES, read)


def _listed(document: Document, place: Place, now: datetime) -> Listed:
    shown = stored_notice(document).at(now)
    assert shown is not None, "no list asks for a notice that is awaited"
    return Listed(*position_after(place), shown)


def _address(document: Document) -> tuple[object, object]:
    return document.get("creditorInstitution"), document.get("noticeNumber")
