"""Notices and their events in Cosmos DB: one logical partition for each notice, one transactional batch for each save.

A save creates `event-<n+1>` beside the notice, so that of two writers one is refused. A refused save may have been done
all the same: the SDK repeats a request after a lost answer, and another writer may come in between. The write id in
that event says whose it is.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.adapters.cosmos_lists import NOTICES, CosmosLists
from shared.documents import SCHEMA, Document, event_document, event_id, notice_document, read_event, read_notice
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address, Change, Notice
from shared.errors import StoreUnavailable
from shared.ports import Overtaken, Search

_HISTORY_PAGE = 1000
"""Documents of a history that are asked for at once."""
_LONGEST = 100
"""Characters of a part of a key; no institution, number or alias has as many, and the service takes 2,048 bytes."""


class CosmosNoticeStore:
    """NoticeStore on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos
        self._lists = CosmosLists(cosmos)

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
        is_possible = search.segregation_codes and _is_possible([search.creditor_institution])
        return await self._lists.search(search) if is_possible else []

    def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices that time has changed and nobody wrote down, the longest due first."""
        return self._lists.due(now)

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
