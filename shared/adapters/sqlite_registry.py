"""The registry in the embedded store's file: institutions, callers, and which caller a key belongs to."""

import sqlite3
from pathlib import Path
from typing import Any

from shared.adapters.sqlite import connect
from shared.documents import dumps, loads
from shared.domain.callers import Caller
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.errors import StoreUnavailable
from shared.registry_documents import caller_document, institution_document, read_caller, read_institution

_PUT = "INSERT INTO registry (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document"


class SqliteRegistry:
    """Registry on one SQLite file, which other processes may write as well."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._db.execute("PRAGMA busy_timeout = 5000")

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, if it is registered."""
        document = self._read(f"institution:{code}")
        return None if document is None else read_institution(document)

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller that holds the key with this hash."""
        key = self._read(f"key:{key_hash}")
        document = None if key is None else self._read(f"caller:{key['caller']}")
        return None if document is None else read_caller(document)

    async def save_institution(self, institution: CreditorInstitution) -> None:
        """Register the institution, or replace what was registered of it."""
        self._write([(_PUT, (f"institution:{institution.fiscal_code}", dumps(institution_document(institution))))])

    async def save_caller(self, caller: Caller) -> None:
        """Register the caller, or replace what was registered of it; keys it no longer names stop naming it."""
        before = self._read(f"caller:{caller.name}")
        old = {key.hash for key in read_caller(before).keys} if before else set()
        new = {key.hash for key in caller.keys}
        self._write(
            [
                (_PUT, (f"caller:{caller.name}", dumps(caller_document(caller)))),
                *((_PUT, (f"key:{key}", dumps({"caller": caller.name}))) for key in sorted(new)),
                *(("DELETE FROM registry WHERE id = ?", (f"key:{key}",)) for key in sorted(old - new)),
            ]
        )

    async def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self, document_id: str) -> dict[str, Any] | None:
        try:
            row = self._db.execute("SELECT document FROM registry WHERE id = ?", (document_id,)).fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable from error
        return loads(row[0]) if row else None

    def _write(self, statements: list[tuple[str, tuple[object, ...]]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreUnavailable from error
