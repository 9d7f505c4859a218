"""Notices and their events in Cosmos DB: one logical partition for each notice, one transactional batch for each save.

A save creates `event-<n+1>` with the notice, so that of two writers one is refused. A refused save may have been done
all the same: the SDK repeats a request after a lost answer, and another writer may come in between. The write id in
that event says whose it is.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.adapters.cosmos_lists import NOTICES, CosmosLists
from shared.codecs import Document
from shared.documents import SCHEMA, decode_event, decode_notice, event_document, event_id, notice_document
from shared.domain.dates import decode_instant, format_instant
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address, Change, Notice
from shared.errors import StoreUnavailable
from shared.ports import IuvClaim, Listed, Search, VersionConflict
from shared.stored_notice import StoredNotice, stored_notice

CHECKPOINTS = "checkpoints"
"""The container of checkpoints. Its key and indexes are in infra/data.json."""

_LATEST_PAGE = 50
"""Events that are read at once on the way back."""


class CosmosNoticeStore:
    """NoticeStore on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos
        self._lists = CosmosLists(cosmos)

    async def load(self, address: Address) -> Notice | None:
        """Return the notice as it is now, for a decision. One point read."""
        document = await self._read("load", "notice", _key(address))
        return None if document is None else decode_notice(document)

    async def find(self, address: Address) -> StoredNotice | None:
        """Return the notice as it is stored, to be shown. One point read."""
        document = await self._read("load", "notice", _key(address))
        return None if document is None else stored_notice(document)

    async def save(self, change: Change) -> StoredNotice:
        """Save the notice and its new events in one batch. Raises VersionConflict, StoreUnavailable."""
        address, expected = change.notice.address, change.expected_version
        notice = notice_document(change.notice).whole
        events = [event_document(event) for event in change.events]

        async def save(container: ContainerProxy, hook: Hook) -> None:
            # The SDK takes parts out of the operations it is given: every attempt gets new ones.
            write = ("create", (notice,)) if expected == 0 else ("replace", ("notice", notice))
            batch = [*(("create", (event,)) for event in events), write]
            await container.execute_item_batch(batch, _key(address), no_response=True, response_hook=hook)

        try:
            await self._cosmos.call("save", NOTICES, save)
        except HttpResponseError:
            await self._check_saved(change)
        return stored_notice(notice)

    async def _check_saved(self, change: Change) -> None:
        """Return if the change was saved after all. Raises VersionConflict if another came first."""
        address = change.notice.address
        found = await self._read_together(_key(address), "notice", event_id(change.expected_version + 1))
        if found is None:
            # There is no such event: the change starts from a version that is not there.
            raise VersionConflict(await self.find(address))
        notice, event = found
        if event["writeId"] != change.events[0].write_id:
            raise VersionConflict(stored_notice(notice))

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        """Return the events that made the versions after `after`, oldest first. One query inside its partition."""
        return await self._events(address, after + 1, after + limit)

    async def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        """Yield the events from the one that made `version` back to the first, one page a query."""
        while version > 0:
            page = await self._events(address, max(1, version - _LATEST_PAGE + 1), version, latest_first=True)
            for event in page:
                yield event
            if not page:
                return
            version = page[-1].version - 1

    async def _events(
        self, address: Address, first: int, last: int, *, latest_first: bool = False
    ) -> list[NoticeEvent]:
        """Return the events that made these versions, as many as the service puts into one page of 4 MB."""

        async def read(container: ContainerProxy, hook: Hook) -> list[Document]:
            pages = container.query_items(
                f"SELECT * FROM c WHERE c.id >= @first AND c.id <= @last ORDER BY c.id {order}",
                parameters=[{"name": "@first", "value": event_id(first)}, {"name": "@last", "value": event_id(last)}],
                partition_key=_key(address),
                max_item_count=last - first + 1,
                response_hook=hook,
            ).by_page()
            # A page may be empty and not the last.
            async for page in pages:
                if found := [document async for document in page]:
                    return found
            return []

        order = "DESC" if latest_first else "ASC"
        return [decode_event(document) for document in await self._cosmos.call("events", NOTICES, read)]

    async def search(self, search: Search) -> list[Listed]:
        """Return the notices wanted, in the order of the search. One query for each physical partition."""
        return await self._lists.search(search) if search.segregation_codes else []

    def due(self, now: datetime) -> AsyncIterator[Notice]:
        """Yield the notices whose change by time is not written down, the longest due first."""
        return self._lists.due(now)

    def awaited(self) -> AsyncIterator[Notice]:
        """Yield the notices that were paid and are not communicated, by institution and number."""
        return self._lists.awaited()

    async def claim_iuv(
        self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None = None
    ) -> IuvClaim:
        """Save the claim if the IUV has none yet, or still has `instead_of`. Return the claim that it has then."""
        key, alias, etag = [institution, _alias_number(iuv)], _alias(institution, iuv, claim), ""
        if instead_of is not None:
            found = await self._read_together(key, "alias")
            if found is None or (saved := _claim_of(found[0])) != instead_of:
                return saved if found else await self.claim_iuv(institution, iuv, claim)
            etag = found[0]["_etag"]

        async def write(container: ContainerProxy, hook: Hook) -> None:
            if etag:
                await container.replace_item(
                    "alias",
                    alias,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                    response_hook=hook,
                )
            else:
                await container.create_item(alias, no_response=True, response_hook=hook)

        try:
            await self._cosmos.call("claim_iuv", NOTICES, write)
        except HttpResponseError as error:
            # Another's, or our own whose answer was lost.
            found = await self._read_together(key, "alias")
            if found is None:
                raise StoreUnavailable from error
            return _claim_of(found[0])
        return claim

    async def iuv_claim(self, institution: InstitutionCode, iuv: Iuv) -> IuvClaim | None:
        """Return the claim that the IUV has."""
        document = await self._read("iuv_claim", "alias", [institution, _alias_number(iuv)])
        return None if document is None else _claim_of(document)

    async def ping(self, now: datetime) -> None:
        """Return if the account writes. A write that succeeds answers for reading too."""
        health = {"id": "health", "schema": SCHEMA, "checkedAt": format_instant(now)}

        async def write(container: ContainerProxy, hook: Hook) -> None:
            await container.upsert_item(health, no_response=True, response_hook=hook)

        try:
            await self._cosmos.call("ping", CHECKPOINTS, write)
        except HttpResponseError as error:
            raise StoreUnavailable from error

    async def close(self) -> None:
        """Close the connections."""
        await self._cosmos.close()

    async def _read(self, operation: str, document_id: str, key: list[str]) -> Document | None:
        async def read(container: ContainerProxy, hook: Hook) -> Document:
            return await container.read_item(document_id, key, response_hook=hook)

        try:
            return await self._cosmos.call(operation, NOTICES, read)
        except ResourceNotFoundError:
            return None

    async def _read_together(self, key: list[str], *ids: str) -> list[Document] | None:
        """Return documents of one partition as they are at one moment, None if any is not there. Never stale."""

        async def read(container: ContainerProxy, hook: Hook) -> Sequence[Mapping[str, Any]]:
            batch = [("read", (document_id,)) for document_id in ids]
            return await container.execute_item_batch(batch, key, response_hook=hook)

        try:
            found = await self._cosmos.call("read_together", NOTICES, read)
        except HttpResponseError as error:
            if error.status_code == 404:
                return None
            raise StoreUnavailable from error
        return [each["resourceBody"] for each in found]


def _key(address: Address) -> list[str]:
    return [address.creditor_institution, address.number]


def _alias(institution: InstitutionCode, iuv: Iuv, claim: IuvClaim) -> Document:
    """Return the document by which an IUV names a number. It lies in a partition of its own."""
    where = {"creditorInstitution": institution, "noticeNumber": _alias_number(iuv)}
    claimed = {"number": claim.number, "heldUntil": format_instant(claim.held_until)}
    return {"id": "alias", "schema": SCHEMA, **where, **claimed}


def _claim_of(alias: Document) -> IuvClaim:
    # Claims of before were not held for a time.
    held_until = decode_instant(alias["heldUntil"]) if "heldUntil" in alias else datetime.min.replace(tzinfo=UTC)
    return IuvClaim(NoticeNumber(alias["number"]), held_until)


def _alias_number(iuv: Iuv) -> str:
    return f"iuv:{iuv}"
