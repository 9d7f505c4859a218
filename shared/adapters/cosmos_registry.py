"""The registry in Cosmos DB: a document for each institution, caller and key, each found by its id alone.

Two documents cannot be changed together here, so the document of an entry decides. A key counts only while the caller
it names lists it. The record of a change counts once the entry names it: see cosmos_registry_changes.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import EllipsisType

from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_registry_changes import CameSecond, Changes
from shared.adapters.cosmos_registry_documents import Documents
from shared.codecs import Document
from shared.domain.callers import Caller
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.domain.registry_changes import LOCAL_START, Action, Entry, Kind, Operator, RegistryChange
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile, ChangeSearch
from shared.registry_documents import SCHEMA, decode_caller, decode_institution
from shared.telemetry import log_failure


class CosmosRegistry:
    """Registry on Cosmos DB."""

    def __init__(self, cosmos: Cosmos, clock: Callable[[], datetime]) -> None:
        self._documents = Documents(cosmos)
        self._changes = Changes(self._documents, clock)

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, if it is registered. One point read."""
        document = await self._documents.read_entry(Entry(Kind.INSTITUTION, code))
        return None if document is None else decode_institution(document)

    async def institutions(self) -> list[CreditorInstitution]:
        """Return every institution, by fiscal code."""
        return [decode_institution(document) for document in await self._documents.read_entries(Kind.INSTITUTION)]

    async def save_institution(
        self,
        institution: CreditorInstitution,
        before: CreditorInstitution | EllipsisType | None = ...,
        by: Operator = LOCAL_START,
    ) -> None:
        """Register the institution, or replace its entry. Raises ChangedMeanwhile."""

        async def save() -> None:
            begun = await self._changes.begin(Entry(Kind.INSTITUTION, institution.fiscal_code), before)
            await self._changes.make(begun, institution, by)

        await _until_first(before, save)

    async def remove_institution(self, institution: CreditorInstitution, by: Operator = LOCAL_START) -> None:
        """Take the institution out of the register. Raises ChangedMeanwhile."""
        begun = await self._changes.begin(Entry(Kind.INSTITUTION, institution.fiscal_code), institution)
        await self._changes.make(begun, None, by)

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key with this hash. Two point reads."""
        key = await self._documents.read(_key_id(key_hash))
        caller = None if key is None else await self.caller_named(key["caller"])
        return caller if caller and key_hash in _hashes(caller) else None

    async def caller_named(self, name: str) -> Caller | None:
        """Return the caller of this name, if it is registered. One point read."""
        document = await self._documents.read_entry(Entry(Kind.CALLER, name))
        return None if document is None else decode_caller(document)

    async def callers(self) -> list[Caller]:
        """Return every caller, by name."""
        return [decode_caller(document) for document in await self._documents.read_entries(Kind.CALLER)]

    async def save_caller(
        self, caller: Caller, before: Caller | EllipsisType | None = ..., by: Operator = LOCAL_START
    ) -> None:
        """Register the caller, or replace its entry, with its keys. Raises ChangedMeanwhile."""
        await _until_first(before, lambda: self._change_caller(caller.name, before, caller, by))

    async def remove_caller(self, caller: Caller, by: Operator = LOCAL_START) -> None:
        """Take the caller and its keys out of the register. Raises ChangedMeanwhile."""
        await self._change_caller(caller.name, caller, None, by)

    async def record(self, action: Action, entry: Entry, by: Operator, fields: Mapping[str, object]) -> None:
        """Record what an operator did with messages."""
        await self._changes.record(action, entry, by, fields)

    async def changes(self, search: ChangeSearch) -> list[RegistryChange]:
        """Return the changes that were made, the newest first."""
        return await self._changes.search(search)

    async def _change_caller(
        self, name: str, before: Caller | EllipsisType | None, after: Caller | None, by: Operator
    ) -> None:
        """Change a caller: new keys are written before it, and old ones removed after it."""
        begun = await self._changes.begin(Entry(Kind.CALLER, name), before)
        old, new = _hashes(begun.registered), _hashes(after)
        # As they are before the change: a key that is registered again after it has another version, and stays.
        dropped = [key for key_hash in old - new if (key := await self._documents.read(_key_id(key_hash)))]
        claimed: list[Document] = []
        try:
            for key_hash in new:
                claimed += await self._claim_key(key_hash, name)
            await self._changes.make(begun, after, by)
        except ChangedMeanwhile:
            # The change that came first may list the same key.
            listed = {_key_id(key_hash) for key_hash in _hashes(await self.caller_named(name))}
            await self._forget([key for key in claimed if key["id"] not in listed])
            raise
        await self._forget(dropped)

    async def _claim_key(self, key_hash: str, name: str) -> list[Document]:
        """Let the key name the caller and return the document. Raises ChangedMeanwhile if it is another caller's."""
        holder = await self.caller(key_hash)
        if holder is not None and holder.name != name:
            raise ChangedMeanwhile
        if holder is not None:
            return []
        return [await self._documents.write({"id": _key_id(key_hash), "schema": SCHEMA, "caller": name}, None)]

    async def _forget(self, keys: list[Document]) -> None:
        """Remove keys that no caller lists, and that therefore open nothing, unless they were written again."""
        for key in keys:
            try:
                await self._documents.delete(key)
            except StoreUnavailable as error:
                # Whether the change was made is decided: to answer anything else would be untrue. A key that stays
                # opens nothing.
                log_failure("key_not_forgotten", error)


async def _until_first(before: object, change: Callable[[], Awaitable[None]]) -> None:
    """Repeat a change that may replace anything until no other change comes first."""
    while True:
        try:
            return await change()
        except CameSecond:
            if before is not ...:
                raise


def _key_id(key_hash: str) -> str:
    return f"key:{key_hash}"


def _hashes(caller: object) -> set[str]:
    return {key.hash for key in caller.keys} if isinstance(caller, Caller) else set()
