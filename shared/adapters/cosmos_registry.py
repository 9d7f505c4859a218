"""The registry in Cosmos DB: a document for each institution, caller and key, each found by its id alone.

Two documents cannot be changed together here, so a caller's keys are written before it and removed after it: a key
counts only while the caller it names lists it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import EllipsisType
from typing import Generic, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy

from shared.adapters.cosmos_calls import Cosmos, Hook
from shared.documents import Document
from shared.domain.callers import Caller
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile
from shared.registry_documents import (
    SCHEMA,
    caller_document,
    institution_document,
    read_caller,
    read_institution,
)
from shared.telemetry import log_failure

REGISTRIES = "registries"
"""The container; its key and indexes are in infra/data.json."""

_NOTHING = "nothing"
"""The version of what is not there."""
_PAGE = 1000
_LONGEST_ID = 255
"""Characters of an id, at most; the service takes 1,023 bytes."""

Registered = TypeVar("Registered", CreditorInstitution, Caller)


class CosmosRegistry:
    """Registry on Cosmos DB."""

    def __init__(self, cosmos: Cosmos) -> None:
        self._cosmos = cosmos

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, if it is registered; one point read."""
        document = await self._read(_institution(code).id)
        return None if document is None else read_institution(document)

    async def institutions(self) -> list[CreditorInstitution]:
        """Return every institution, by fiscal code."""
        return [read_institution(document) for document in await self._read_all("institution")]

    async def save_institution(
        self, institution: CreditorInstitution, before: CreditorInstitution | EllipsisType | None = ...
    ) -> None:
        """Register the institution, or replace what was registered of it; raise ChangedMeanwhile."""
        place = _institution(institution.fiscal_code)
        await self._put(place, institution, _version(await self._begun(place, before), before))

    async def remove_institution(self, institution: CreditorInstitution) -> None:
        """Take the institution out of the register; raise ChangedMeanwhile."""
        await self._remove(_institution(institution.fiscal_code), institution)

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key with this hash; two point reads."""
        key = await self._read(_key_id(key_hash))
        caller = None if key is None else await self.caller_named(key["caller"])
        return caller if caller and key_hash in _hashes(caller) else None

    async def caller_named(self, name: str) -> Caller | None:
        """Return the caller of this name, if it is registered; one point read."""
        document = await self._read(_caller(name).id)
        return None if document is None else read_caller(document)

    async def callers(self) -> list[Caller]:
        """Return every caller, by name."""
        return [read_caller(document) for document in await self._read_all("caller")]

    async def save_caller(self, caller: Caller, before: Caller | EllipsisType | None = ...) -> None:
        """Register the caller, or replace what was registered of it, with its keys; raise ChangedMeanwhile."""
        place = _caller(caller.name)
        begun = await self._begun(place, before)
        for key_hash in _hashes(caller):
            await self._claim_key(key_hash, caller.name)
        await self._put(place, caller, _version(begun, before))
        await self._forget(_hashes(place.read(begun)) - _hashes(caller) if begun else set())

    async def remove_caller(self, caller: Caller) -> None:
        """Take the caller and its keys out of the register; raise ChangedMeanwhile."""
        await self._remove(_caller(caller.name), caller)
        await self._forget(_hashes(caller))

    async def _begun(self, place: "_Place[Registered]", before: Registered | EllipsisType | None) -> Document | None:
        """Return what is registered; raise ChangedMeanwhile unless it is what the change began with."""
        found = await self._read(place.id)
        if before not in (..., place.read(found) if found else None):
            raise ChangedMeanwhile
        return found

    async def _put(self, place: "_Place[Registered]", wanted: Registered, version: str | None) -> None:
        """Write over that version; raise ChangedMeanwhile if there is another by now."""
        try:
            await self._write({"id": place.id, **place.document(wanted)}, version)
        except HttpResponseError as error:
            # Another's, or our own whose answer was lost.
            found = await self._read(place.id)
            if found is None or place.read(found) != wanted:
                raise ChangedMeanwhile from error

    async def _remove(self, place: "_Place[Registered]", wanted: Registered) -> None:
        found = await self._begun(place, wanted)
        assert found is not None

        async def delete(container: ContainerProxy, hook: Hook) -> None:
            await container.delete_item(
                place.id,
                place.id,
                etag=found["_etag"],
                match_condition=MatchConditions.IfNotModified,
                response_hook=hook,
            )

        try:
            await self._cosmos.ask("remove", REGISTRIES, delete)
        except ResourceNotFoundError:
            pass  # it is gone: our own answer was lost, or another removed it as well
        except HttpResponseError as error:
            raise ChangedMeanwhile from error

    async def _claim_key(self, key_hash: str, name: str) -> None:
        """Let the key name the caller; raise ChangedMeanwhile if it is another caller's."""
        owner = await self.caller(key_hash)
        if owner is not None and owner.name != name:
            raise ChangedMeanwhile
        if owner is None:
            await self._write({"id": _key_id(key_hash), "schema": SCHEMA, "caller": name}, None)

    async def _forget(self, key_hashes: set[str]) -> None:
        """Remove the documents of keys that no caller lists any more, and that therefore open nothing."""
        for key_hash in key_hashes:

            async def delete(container: ContainerProxy, hook: Hook, key_id: str = _key_id(key_hash)) -> None:
                await container.delete_item(key_id, key_id, response_hook=hook)

            try:
                await self._cosmos.ask("forget_key", REGISTRIES, delete)
            except ResourceNotFoundError:
                pass
            except (HttpResponseError, StoreUnavailable) as error:
                # The change itself is made: to refuse it now would be untrue, and what is left does no harm.
                log_failure("key_not_forgotten", error)

    async def _read(self, document_id: str) -> Document | None:
        async def read(container: ContainerProxy, hook: Hook) -> Document:
            return await container.read_item(document_id, document_id, response_hook=hook)

        if len(document_id) > _LONGEST_ID:
            return None  # an address says what whoever asks has put into it
        try:
            return await self._cosmos.ask("read", REGISTRIES, read)
        except ResourceNotFoundError:
            return None

    async def _read_all(self, kind: str) -> list[Document]:
        # A semicolon is what follows a colon: the range of the ids that begin with the kind.
        bounds: list[dict[str, object]] = [{"name": "@from", "value": f"{kind}:"}, {"name": "@to", "value": f"{kind};"}]

        async def read(container: ContainerProxy, hook: Hook) -> list[Document]:
            query = "SELECT * FROM c WHERE c.id >= @from AND c.id < @to"
            pages = container.query_items(query, parameters=bounds, max_item_count=_PAGE, response_hook=hook)
            return [document async for document in pages]

        return sorted(await self._cosmos.ask("read_all", REGISTRIES, read), key=lambda document: str(document["id"]))

    async def _write(self, document: Document, version: str | None) -> None:
        """Write the document over that version, whatever there is if None, only where there is nothing if NOTHING."""

        async def write(container: ContainerProxy, hook: Hook) -> None:
            if version is None:
                await container.upsert_item(document, no_response=True, response_hook=hook)
            elif version == _NOTHING:
                await container.create_item(document, no_response=True, response_hook=hook)
            else:
                await container.replace_item(
                    document["id"],
                    document,
                    etag=version,
                    match_condition=MatchConditions.IfNotModified,
                    no_response=True,
                    response_hook=hook,
                )

        await self._cosmos.ask("write", REGISTRIES, write)


@dataclass(frozen=True, slots=True)
class _Place(Generic[Registered]):
    """Where one institution or caller is registered, and how it is written there."""

    id: str
    document: Callable[[Registered], Document]
    read: Callable[[Document], Registered]


def _institution(code: InstitutionCode) -> _Place[CreditorInstitution]:
    return _Place(f"institution:{code}", institution_document, read_institution)


def _caller(name: str) -> _Place[Caller]:
    return _Place(f"caller:{name}", caller_document, read_caller)


def _version(begun: Document | None, before: object) -> str | None:
    """Return the version over which a change is written: any, if it does not say what it began with."""
    if before is ...:
        return None
    return str(begun["_etag"]) if begun else _NOTHING


def _key_id(key_hash: str) -> str:
    return f"key:{key_hash}"


def _hashes(caller: Caller) -> set[str]:
    return {key.hash for key in caller.keys}
