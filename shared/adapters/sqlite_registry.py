"""The registry in the embedded store's file: institutions, callers, which caller a key belongs to, and the changes."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import EllipsisType
from typing import Any

from shared.adapters.sqlite_file import connect
from shared.documents import dumps, loads
from shared.domain.callers import Caller
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.domain.registry_changes import LOCAL_START, Action, Entry, Operator, RegistryChange
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile, ChangeSearch
from shared.registry_documents import (
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

_PUT = "INSERT INTO registry (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document"
_RANGE = "SELECT document FROM registry WHERE id >= ? AND id < ? ORDER BY id"


class SqliteRegistry:
    """Registry on one SQLite file, which other processes may write as well."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._db = connect(path)
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._clock = clock

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, if it is registered."""
        return self._institution(code)

    async def institutions(self) -> list[CreditorInstitution]:
        """Return every institution, by fiscal code."""
        return [decode_institution(document) for document in self._read_all("institution")]

    async def save_institution(
        self,
        institution: CreditorInstitution,
        before: CreditorInstitution | EllipsisType | None = ...,
        by: Operator = LOCAL_START,
    ) -> None:
        """Register the institution, or replace its entry. Raises ChangedMeanwhile."""
        code = institution.fiscal_code
        with self._transaction():
            registered = self._institution(code)
            if before not in (..., registered):
                raise ChangedMeanwhile
            if institution != registered:
                self._put(f"institution:{code}", institution_document(institution))
                self._record(registered, institution, by)

    async def remove_institution(self, institution: CreditorInstitution, by: Operator = LOCAL_START) -> None:
        """Take the institution out of the register. Raises ChangedMeanwhile."""
        code = institution.fiscal_code
        with self._transaction():
            if self._institution(code) != institution:
                raise ChangedMeanwhile
            self._delete(f"institution:{code}")
            self._record(institution, None, by)

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key with this hash."""
        return self._holder(key_hash)

    async def caller_named(self, name: str) -> Caller | None:
        """Return the caller of this name, if it is registered."""
        return self._caller(name)

    async def callers(self) -> list[Caller]:
        """Return every caller, by name."""
        return [decode_caller(document) for document in self._read_all("caller")]

    async def save_caller(
        self, caller: Caller, before: Caller | EllipsisType | None = ..., by: Operator = LOCAL_START
    ) -> None:
        """Register the caller, or replace its entry, with its keys. Raises ChangedMeanwhile."""
        with self._transaction():
            registered = self._caller(caller.name)
            holders = {holder.name for key in caller.keys if (holder := self._holder(key.hash))}
            if before not in (..., registered) or holders - {caller.name}:
                raise ChangedMeanwhile
            if caller != registered:
                self._forget_keys(registered)
                for key in caller.keys:
                    self._put(f"key:{key.hash}", {"caller": caller.name})
                self._put(f"caller:{caller.name}", caller_document(caller))
                self._record(registered, caller, by)

    async def remove_caller(self, caller: Caller, by: Operator = LOCAL_START) -> None:
        """Take the caller and its keys out of the register. Raises ChangedMeanwhile."""
        with self._transaction():
            if self._caller(caller.name) != caller:
                raise ChangedMeanwhile
            self._forget_keys(caller)
            self._delete(f"caller:{caller.name}")
            self._record(caller, None, by)

    async def record(self, action: Action, entry: Entry, by: Operator, fields: Mapping[str, object]) -> None:
        """Record what an operator did with messages."""
        document = action_document(action, entry, by, self._clock(), fields)
        with self._transaction():
            self._put(document["id"], document)

    async def changes(self, search: ChangeSearch) -> list[RegistryChange]:
        """Return the changes that were made, the newest first."""
        try:
            rows = self._db.execute(f"{_RANGE} DESC", change_ids(search))
            changes = (decode_change(loads(document)) for (document,) in rows)
            return list(islice((each for each in changes if search.entry in (None, each.entry)), search.limit))
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    async def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        document = self._read(f"institution:{code}")
        return None if document is None else decode_institution(document)

    def _caller(self, name: str) -> Caller | None:
        document = self._read(f"caller:{name}")
        return None if document is None else decode_caller(document)

    def _holder(self, key_hash: str) -> Caller | None:
        key = self._read(f"key:{key_hash}")
        caller = None if key is None else self._caller(key["caller"])
        # Another process may have changed the caller between the two reads.
        return caller if caller and key_hash in {key.hash for key in caller.keys} else None

    def _forget_keys(self, caller: Caller | None) -> None:
        for key in caller.keys if caller else ():
            self._delete(f"key:{key.hash}")

    def _record(self, before: Registered | None, after: Registered | None, by: Operator) -> None:
        """Record a change, in its transaction."""
        document = change_document(before, after, by, self._clock())
        self._put(document["id"], document)

    def _read(self, document_id: str) -> dict[str, Any] | None:
        try:
            row = self._db.execute("SELECT document FROM registry WHERE id = ?", (document_id,)).fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return loads(row[0]) if row else None

    def _read_all(self, kind: str) -> list[dict[str, Any]]:
        # A semicolon is what follows a colon: the range of the ids that begin with the kind.
        try:
            rows = self._db.execute(_RANGE, (f"{kind}:", f"{kind};")).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return [loads(document) for (document,) in rows]

    def _put(self, document_id: str, document: dict[str, Any]) -> None:
        self._db.execute(_PUT, (document_id, dumps(document)))

    def _delete(self, document_id: str) -> None:
        self._db.execute("DELETE FROM registry WHERE id = ?", (document_id,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all of it or nothing, with no other writer in between."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
