"""How a change of the registry is made in Cosmos DB, and recorded, though two documents are never written together.

1. The record is written, marked as begun.
2. The document of the entry is written under its ETag and names the record: now the change is made. A removal writes
   a document that says `removed`.
3. The mark is taken off the record. Only then may the document of the entry be written or deleted again.

So a record that is begun was made if its entry names it, and was not made if its entry does not. A crash between two
steps loses nothing, and a change whose answer was lost recognises itself by its record.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType

from azure.core.exceptions import HttpResponseError, ResourceExistsError

from shared.adapters.cosmos_registry_documents import NOTHING, Documents, is_removed
from shared.codecs import Document
from shared.domain.callers import Caller
from shared.domain.institutions import CreditorInstitution
from shared.domain.registry_changes import Action, Entry, Kind, Operator, RegistryChange
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile, ChangeSearch
from shared.registry_documents import (
    SCHEMA,
    Registered,
    action_document,
    caller_document,
    change_document,
    change_ids,
    decode_caller,
    decode_change,
    decode_institution,
    institution_document,
)
from shared.telemetry import log_failure

_BEGUN = "begun"
"""The field that marks the record of a change that may not be made yet."""


class CameSecond(ChangedMeanwhile):
    """Another change of the same entry came between the read and the write."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An entry as a change finds it."""

    entry: Entry
    document: Document | None
    registered: Registered | None

    @property
    def version(self) -> str:
        """Return the version over which the change is written."""
        return str(self.document["_etag"]) if self.document else NOTHING


class Changes:
    """Makes the changes, and lists those that were made."""

    def __init__(self, documents: Documents, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock

    async def begin(self, entry: Entry, before: Registered | EllipsisType | None) -> Begun:
        """Read the entry. Raises ChangedMeanwhile unless it is the one that the change began with."""
        document = await self._documents.read(entry.id)
        registered = None if document is None or is_removed(document) else _read(entry.kind, document)
        if before not in (..., registered):
            raise ChangedMeanwhile
        return Begun(entry, document, registered)

    async def make(self, begun: Begun, after: Registered | None, by: Operator) -> None:
        """Make the change and record it. Raises CameSecond if the entry was changed since it was read."""
        if after == begun.registered:
            return
        await self._complete_last(begun.document)
        record = change_document(begun.registered, after, by, self._clock())
        await self._record(record)
        try:
            document = {"id": begun.entry.id, **_document(after), "change": record["id"]}
            written = await self._documents.write(document, begun.version)
        except HttpResponseError as error:
            # Another change, or our own whose answer was lost.
            if not await self._is_made(record):
                await self._discard(record)
                raise CameSecond from error
            written = None
        try:
            await self._documents.write(record, None)
            if after is None and written is not None:
                await self._documents.delete(written)
        except StoreUnavailable as error:
            # The change is made all the same. The next change of this entry completes its record.
            log_failure("change_not_completed", error)

    async def record(self, action: Action, entry: Entry, by: Operator, fields: Mapping[str, object]) -> None:
        """Record something that changes no entry, so that the record is complete at once."""
        await self._documents.write(action_document(action, entry, by, self._clock(), fields), None)

    async def search(self, search: ChangeSearch) -> list[RegistryChange]:
        """Return the changes that were made, the newest first."""
        first, end = change_ids(search)
        found: list[RegistryChange] = []
        while len(found) < search.limit:
            page = await self._documents.read_newest(first, end, search.entry, search.limit - len(found))
            if not page:
                break
            found += [decode_change(record) for record in page if _is_complete(record) or await self._is_made(record)]
            end = page[-1]["id"]
        return found

    async def _record(self, record: Document) -> None:
        # If it exists, it is our own, whose answer was lost: the id was made for this change.
        with suppress(ResourceExistsError):
            await self._documents.write(record | {_BEGUN: True}, NOTHING)

    async def _is_made(self, record: Document) -> bool:
        """Return whether the change of an open record was made."""
        entry = await self._documents.read(record["entry"])
        if entry is not None and entry.get("change") == record["id"]:
            return True
        # The entry may name a later change by now: then the record was completed before that.
        found = await self._documents.read(record["id"])
        return found is not None and _is_complete(found)

    async def _complete_last(self, document: Document | None) -> None:
        """Complete the record that the entry names: the entry is about to name another."""
        record = await self._documents.read(document["change"]) if document and "change" in document else None
        if record is not None and not _is_complete(record):
            await self._documents.write({name: record[name] for name in record if name != _BEGUN}, None)

    async def _discard(self, record: Document) -> None:
        """Delete the record of a change that was not made, if possible: it is listed nowhere."""
        try:
            if found := await self._documents.read(record["id"]):
                await self._documents.delete(found)
        except StoreUnavailable as error:
            log_failure("record_not_discarded", error)


def _is_complete(record: Document) -> bool:
    return _BEGUN not in record


def _document(registered: Registered | None) -> Document:
    match registered:
        case None:
            return {"schema": SCHEMA, "removed": True}
        case Caller():
            return caller_document(registered)
        case CreditorInstitution():
            return institution_document(registered)


def _read(kind: Kind, document: Document) -> Registered:
    return decode_caller(document) if kind is Kind.CALLER else decode_institution(document)
