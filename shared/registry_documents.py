"""Stored JSON ⇄ institutions and callers, the same in every store."""

from datetime import date
from typing import Any

from shared.documents import plain
from shared.domain.callers import Caller, Key, Scope
from shared.domain.dates import read_instant
from shared.domain.events import Role
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import CreditorInstitution, Exclusion, RegisteredIban

SCHEMA = 1


def institution_document(institution: CreditorInstitution) -> dict[str, Any]:
    """Return the document of an institution."""
    return {
        "schema": SCHEMA,
        "fiscalCode": institution.fiscal_code,
        "name": institution.name,
        "ibans": [
            {
                "iban": iban.iban,
                "labels": sorted(iban.labels),
                "registeredAt": plain(iban.registered_at),
                "postal": iban.postal,
            }
            for iban in institution.ibans
        ],
        "lenient": institution.lenient,
        "standIn": institution.stand_in,
        "exclusions": [
            {
                "segregationCode": exclusion.segregation_code,
                "firstDay": plain(exclusion.first_day),
                "lastDay": plain(exclusion.last_day),
            }
            for exclusion in institution.exclusions
        ],
    }


def read_institution(document: dict[str, Any]) -> CreditorInstitution:
    """Return the institution of a document."""
    return CreditorInstitution(
        fiscal_code=InstitutionCode(document["fiscalCode"]),
        name=document["name"],
        ibans=tuple(
            RegisteredIban(
                Iban(iban["iban"]),
                frozenset(iban["labels"]),
                read_instant(iban["registeredAt"]),
                iban["postal"],
            )
            for iban in document["ibans"]
        ),
        lenient=document["lenient"],
        stand_in=document["standIn"],
        exclusions=tuple(
            Exclusion(
                exclusion["segregationCode"],
                date.fromisoformat(exclusion["firstDay"]),
                date.fromisoformat(exclusion["lastDay"]) if exclusion["lastDay"] else None,
            )
            for exclusion in document["exclusions"]
        ),
    )


def caller_document(caller: Caller) -> dict[str, Any]:
    """Return the document of a caller."""
    return {
        "schema": SCHEMA,
        "name": caller.name,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "grants": {str(institution): sorted(codes) for institution, codes in caller.grants.items()},
        "keys": [{"hash": key.hash, "expiresAt": plain(key.expires_at)} for key in caller.keys],
        "validFrom": plain(caller.valid_from),
        "validUntil": plain(caller.valid_until),
    }


def read_caller(document: dict[str, Any]) -> Caller:
    """Return the caller of a document."""

    def instant(text: str | None) -> Any:
        return read_instant(text) if text else None

    return Caller(
        name=document["name"],
        role=Role(document["role"]),
        scopes=frozenset(map(Scope, document["scopes"])),
        grants={institution: frozenset(codes) for institution, codes in document["grants"].items()},
        keys=tuple(Key(key["hash"], instant(key["expiresAt"])) for key in document["keys"]),
        valid_from=instant(document["validFrom"]),
        valid_until=instant(document["validUntil"]),
    )
