"""Notices and their events in Cosmos DB: one logical partition for each notice, one transactional batch for each save.

A save creates `event-<n+1>` beside the notice, so that of two writers one is refused. A refused save may have been done
all the same: the SDK repeats a request after a lost answer, and another writer may come in between. The write id in
that event says whose it is.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.adapters.cosmos_search import (
    DUE_PAGE,
    Place,
    Query,
    due_place,
    due_query,
    position_after,
    search_place,
    search_query,
)
from shared.documents import SCHEMA, Document, event_document, event_id, notice_document, read_event, read_notice
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address, Change, Notice
from shared.errors import StoreUnavailable
from shared.ports import Overtaken, Search, sort_key
from shared.telemetry import log_bug

NOTICES = "notices"
"""The container; its key, indexes and times to live are in infra/data.json."""

_HISTORY_PAGE = 1000
"""Documents of a history that are asked for at once."""
_LONGEST = 100
"""Characters of a part of a key; no institution, number or alias has as many, and the service takes 2,048 bytes."""

Answered = TypeVar("Answered")


class CosmosNoticeStore:
    """NoticeStore on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now; one point read."""
        document = await self._read("load", "notice", _key(address))
        return None if document is None else read_notice(document)

    async def save(self, change: Change) -> None:
        """Keep the notice and its new events in one batch; raise Overtaken, StoreUnavailable."""
        address, expected = change.notice.address, change.expected_version
        notice, events = notice_document(change.notice), [event_document(event) for event in change.events]

        async def save(container: ContainerProxy, hook: Hook) -> None:
            # The SDK takes parts out of the operations it is given: every attempt gets new ones.
            write = ("create", (notice,)) if expected == 0 else ("replace", ("notice", notice))
            batch = [*(("create", (event,)) for event in events), write]
            await container.execute_item_batch(batch, _key(address), no_response=True, response_hook=hook)

        try:
            await self._cosmos.ask("save", NOTICES, save)
        except HttpResponseError:
            await self._check_saved(change)

    async def _check_saved(self, change: Change) -> None:
        """Return if the change was saved after all; raise Overtaken if another came first."""
        address = change.notice.address
        found = await self._read_together(_key(address), "notice", event_id(change.expected_version + 1))
        if found is None:
            # There is no such event: the change starts from a version that is not there.
            raise Overtaken(await self.load(address))
        notice, event = found
        if event["writeId"] != change.events[0].write_id:
            raise Overtaken(read_notice(notice))

    async def history(self, address: Address) -> tuple[Notice, list[NoticeEvent]] | None:
        """Return the notice and all its events, oldest first; one query inside its partition."""

        async def read(container: ContainerProxy, hook: Hook) -> list[Document]:
            # The notice comes first: what is saved while further pages are read is then too young, never missing.
            pages = container.query_items(
                # An address can name the partition of an alias.
                "SELECT * FROM c WHERE c.id = 'notice' OR STARTSWITH(c.id, 'event-') ORDER BY c.id DESC",
                partition_key=_key(address),
                max_item_count=_HISTORY_PAGE,
                response_hook=hook,
            )
            return [document async for document in pages]

        documents = await self._cosmos.ask("history", NOTICES, read) if _is_possible(_key(address)) else []
        if not documents:
            return None
        notice, oldest_first = read_notice(documents[0]), documents[:0:-1]
        return notice, [read_event(document) for document in oldest_first[: notice.version]]

    async def search(self, search: Search) -> list[Notice]:
        """Return the notices wanted, in the order of the search; one query for each physical partition."""
        if not search.segregation_codes or not _is_possible([search.creditor_institution]):
            return []
        ranges = await self._ranges([search.creditor_institution])
        found = await _all(self._search_in(part, search) for part in ranges)
        every = {notice.address.number: notice for notices in found for notice in notices}
        in_order = sorted(every.values(), key=lambda notice: (sort_key(notice, search.order), notice.address.number))
        return in_order[: search.limit]

    async def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices that time has changed and nobody wrote down, the longest due first."""
        streams = [self._due_in(part, now) for part in await self._ranges([])]
        heads = [(head[0], n, head[1]) for n, stream in enumerate(streams) if (head := await anext(stream, None))]
        heapify(heads)
        while heads:
            _, n, notice = heappop(heads)
            yield notice
            if (head := await anext(streams[n], None)) is not None:
                heappush(heads, (head[0], n, head[1]))

    async def claim_iuv(self, institution: InstitutionCode, iuv: Iuv, number: NoticeNumber) -> NoticeNumber:
        """Let the IUV name the number unless it names one already; return the number that it names."""
        if (claimed := await self.number_of(institution, iuv)) is not None:
            return claimed
        alias = _alias(institution, iuv, number)

        async def create(container: ContainerProxy, hook: Hook) -> None:
            await container.create_item(alias, no_response=True, response_hook=hook)

        try:
            await self._cosmos.ask("claim_iuv", NOTICES, create)
        except HttpResponseError as error:
            # Another's, or our own whose answer was lost.
            found = await self._read_together([institution, _alias_number(iuv)], "alias")
            if found is None:
                raise StoreUnavailable from error
            return NoticeNumber(found[0]["number"])
        return number

    async def number_of(self, institution: InstitutionCode, iuv: Iuv) -> NoticeNumber | None:
        """Return the number that the IUV was claimed for."""
        document = await self._read("number_of", "alias", [institution, _alias_number(iuv)])
        return None if document is None else NoticeNumber(document["number"])

    async def ping(self) -> None:
        """Return if the container answers; that there is no such document is an answer."""
        await self._read("ping", "ping", ["ping", "ping"])

    async def close(self) -> None:
        """Close the connections."""
        await self._cosmos.close()

    async def _read(self, operation: str, document_id: str, key: list[str]) -> Document | None:
        async def read(container: ContainerProxy, hook: Hook) -> Document:
            return await container.read_item(document_id, key, response_hook=hook)

        if not _is_possible(key):
            return None
        try:
            return await self._cosmos.ask(operation, NOTICES, read)
        except ResourceNotFoundError:
            return None

    async def _read_together(self, key: list[str], *ids: str) -> list[Document] | None:
        """Return documents of one partition as they are at one moment, None if any is not there; never stale."""

        async def read(container: ContainerProxy, hook: Hook) -> Sequence[Mapping[str, Any]]:
            batch = [("read", (document_id,)) for document_id in ids]
            return await container.execute_item_batch(batch, key, response_hook=hook)

        try:
            found = await self._cosmos.ask("read_together", NOTICES, read)
        except HttpResponseError as error:
            if error.status_code == 404:
                return None
            raise StoreUnavailable from error
        return [each["resourceBody"] for each in found]

    async def _search_in(self, part: Document, search: Search) -> list[Notice]:
        """Return the notices of a physical partition; more queries than one only where documents are damaged."""
        found: list[Notice] = []
        while True:
            page = await self._select("search", search_query(search), part)
            # A partition that was split meanwhile answers in parts.
            page = sorted(page, key=lambda document: search_place(document, search.order))[: search.limit]
            found += _readable(page)
            if len(page) < search.limit or len(found) >= search.limit:
                return found
            search = replace(search, after=position_after(search_place(page[-1], search.order)))

    async def _due_in(self, part: Document, now: datetime) -> AsyncIterator[tuple[Place, Notice]]:
        """Yield the notices that are due in a physical partition, page by page, each with its place."""
        after: Place | None = None
        while page := await self._select("due", due_query(now, after), part):
            page = sorted(page, key=due_place)[:DUE_PAGE]
            for document in page:
                for notice in _readable([document]):
                    yield due_place(document), notice
            after = due_place(page[-1])

    async def _select(self, operation: str, query: Query, part: Document) -> list[Document]:
        async def select(container: ContainerProxy, hook: Hook) -> list[Document]:
            pages = container.query_items(
                query.text,
                parameters=query.parameters,
                feed_range=part,
                max_item_count=query.limit,
                # A listing may lag a little, and costs half. The SDK keeps things of its own in these options.
                feed_options={"consistencyLevel": "Session"},
                enable_scan_in_query=True,
                response_hook=hook,
            )
            return [document async for document in pages]

        return await self._cosmos.ask(operation, NOTICES, select)

    async def _ranges(self, key: list[str]) -> list[Document]:
        """Return the physical partitions that may hold documents below the first values of a key; seldom asks."""

        async def read(container: ContainerProxy, _: Hook) -> list[Document]:
            every = [part async for part in container.read_feed_ranges()]
            if key:
                below = await container.feed_range_from_partition_key(key)
                for part in every:
                    if await container.is_feed_range_subset(part, below):
                        return [part]
            return every

        return await self._cosmos.ask("ranges", NOTICES, read)


async def _all(calls: Iterable[Coroutine[Any, Any, Answered]]) -> list[Answered]:
    """Return the results of calls at once; when one fails, cancel the others and raise its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failed:
        error = failed.exceptions[0]
        raise error from error.__cause__
    return [task.result() for task in tasks]


def _readable(documents: Iterable[Document]) -> Iterator[Notice]:
    """Yield the notices of the documents. One that cannot be decoded is logged, and the others are still served."""
    for document in documents:
        try:
            yield read_notice(document)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it
            institution, number = document.get("creditorInstitution"), document.get("noticeNumber")
            log_bug("document_unreadable", error, institution=institution, number=number)


def _is_possible(key: list[str]) -> bool:
    """Tell whether anything can lie there: an address holds whatever its sender wrote."""
    return all(len(value) <= _LONGEST and value.isascii() for value in key)


def _key(address: Address) -> list[str]:
    return [address.creditor_institution, address.number]


def _alias(institution: InstitutionCode, iuv: Iuv, number: NoticeNumber) -> Document:
    """Return the document by which an IUV names a number; it lies in a partition of its own."""
    where = {"creditorInstitution": institution, "noticeNumber": _alias_number(iuv)}
    return {"id": "alias", "schema": SCHEMA, **where, "number": number}


def _alias_number(iuv: Iuv) -> str:
    return f"iuv:{iuv}"
