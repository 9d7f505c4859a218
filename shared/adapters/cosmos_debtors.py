"""The lists of the debtors in Cosmos DB: one logical partition for each debtor, whose key is the keyed hash.

An entry without a notice has no place, so no list reads it, and a time to live.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.codecs import Document
from shared.documents import dumps, loads
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address
from shared.errors import StoreUnavailable
from shared.ports import REMOVED_FOR, DebtorEntry, OpenNotice
from shared.readable import readable

NOTICES_BY_DEBTOR = "notices-by-debtor"
"""The container. Its key, indexes and times to live are in infra/data.json."""

SCHEMA = 1
ATTEMPTS = 20
"""Retries after another writer of the same entry. In each round the write of one writer succeeds."""

_OPEN = (
    "SELECT TOP @limit * FROM c WHERE c.place > @after"
    " AND (NOT IS_DEFINED(c.payableFrom) OR c.payableFrom <= @now)"
    " AND (NOT IS_DEFINED(c.payableUntil) OR c.payableUntil > @now){granted} ORDER BY c.place"
)
_GRANTED = " AND ARRAY_CONTAINS(@institutions, c.creditorInstitution)"


class CosmosDebtors:
    """DebtorIndex on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry, unless there is one of the same or a later version."""
        document = _document(entry)
        # The first version of a notice is nearly always new. Any other nearly always replaces one.
        stored = None if entry.version == 1 else await self._read(document)
        for _ in range(ATTEMPTS):
            if stored is not None and not _replaces(document, stored, repair=repair):
                return
            if await self._write(document, stored):
                return
            stored = await self._read(document)
        raise StoreUnavailable

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Return the notices that a debtor can pay now, from behind a place on. One query inside the partition."""
        found: list[OpenNotice] = []
        while True:
            documents = await self._select(debtor, now, after, limit, institutions)
            found += readable(documents, _open_notice, _address)
            if len(documents) < limit or len(found) >= limit:
                return found[:limit]
            after = documents[-1]["place"]

    async def _select(
        self, debtor: str, now: datetime, after: str, limit: int, institutions: Collection[str] | None
    ) -> list[Document]:
        values: dict[str, object] = {"@limit": limit, "@after": after, "@now": format_instant(now)}
        if institutions is not None:
            values["@institutions"] = sorted(institutions)

        async def select(container: ContainerProxy, hook: Hook) -> list[Document]:
            found = container.query_items(
                _OPEN.format(granted="" if institutions is None else _GRANTED),
                parameters=[{"name": name, "value": value} for name, value in values.items()],
                partition_key=debtor,
                max_item_count=limit,
                # The list may lag a little, and costs half. The SDK keeps things of its own in these options.
                feed_options={"consistencyLevel": "Session"},
                response_hook=hook,
            )
            return [document async for document in found]

        return await self._cosmos.call("open_notices", NOTICES_BY_DEBTOR, select)

    async def _read(self, document: Document) -> Document | None:
        async def read(container: ContainerProxy, hook: Hook) -> Document:
            return await container.read_item(document["id"], document["debtorKey"], response_hook=hook)

        try:
            return await self._cosmos.call("read", NOTICES_BY_DEBTOR, read)
        except ResourceNotFoundError:
            return None

    async def _write(self, document: Document, over: Document | None) -> bool:
        """Write the document over the stored one, or as a new one. Return whether no other writer was first."""

        async def write(container: ContainerProxy, hook: Hook) -> None:
            if over is None:
                await container.create_item(document, no_response=True, response_hook=hook)
            else:
                await container.replace_item(
                    document["id"],
                    document,
                    etag=over["_etag"],
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                    response_hook=hook,
                )

        try:
            await self._cosmos.call("write", NOTICES_BY_DEBTOR, write)
        except HttpResponseError:
            return False
        return True


def _replaces(document: Document, stored: Document, *, repair: bool) -> bool:
    """Return whether a document replaces the stored one. A repair writes only a difference."""
    if repair and document["version"] == stored["version"]:
        return document != {name: value for name, value in stored.items() if not name.startswith("_")}
    return bool(document["version"] > stored["version"])


def _document(entry: DebtorEntry) -> Document:
    address, notice = entry.address, entry.notice
    fields: Mapping[str, Any] = {
        "id": f"{address.creditor_institution}.{address.number}",
        "debtorKey": entry.debtor,
        "schema": SCHEMA,
        "creditorInstitution": address.creditor_institution,
        "noticeNumber": address.number,
        "version": entry.version,
        "place": notice and notice.place,
        "payableFrom": entry.payable_from and format_instant(entry.payable_from),
        "payableUntil": entry.payable_until and format_instant(entry.payable_until),
        "notice": notice and loads(notice.json),
        "ttl": None if notice else int(REMOVED_FOR.total_seconds()),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _open_notice(document: Document) -> OpenNotice:
    address = Address(InstitutionCode(document["creditorInstitution"]), NoticeNumber(document["noticeNumber"]))
    return OpenNotice(document["place"], address, document["version"], dumps(document["notice"]))


def _address(document: Document) -> tuple[object, object]:
    return document.get("creditorInstitution"), document.get("noticeNumber")
