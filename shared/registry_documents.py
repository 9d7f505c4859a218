"""Stored JSON ⇄ institutions, callers and the records of their changes, the same in every store."""

from collections.abc import Iterator
from datetime import date, datetime
from secrets import token_hex
from typing import Any

from shared.documents import Document, plain
from shared.domain.callers import Caller, Key, Scope
from shared.domain.dates import decode_instant, format_instant
from shared.domain.events import Role
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import CreditorInstitution, Exclusion, RegisteredIban
from shared.domain.registry_changes import Action, Entry, FieldChange, Kind, Operator, RegistryChange
from shared.ports import ChangeSearch

SCHEMA = 1
_CHANGE = "change:"

Registered = CreditorInstitution | Caller


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


def decode_institution(document: dict[str, Any]) -> CreditorInstitution:
    """Return the institution of a document."""
    return CreditorInstitution(
        fiscal_code=InstitutionCode(document["fiscalCode"]),
        name=document["name"],
        ibans=tuple(
            RegisteredIban(
                Iban(iban["iban"]),
                frozenset(iban["labels"]),
                decode_instant(iban["registeredAt"]),
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


def decode_caller(document: dict[str, Any]) -> Caller:
    """Return the caller of a document."""

    def instant(text: str | None) -> Any:
        return decode_instant(text) if text else None

    return Caller(
        name=document["name"],
        role=Role(document["role"]),
        scopes=frozenset(map(Scope, document["scopes"])),
        grants={institution: frozenset(codes) for institution, codes in document["grants"].items()},
        keys=tuple(Key(key["hash"], instant(key["expiresAt"])) for key in document["keys"]),
        valid_from=instant(document["validFrom"]),
        valid_until=instant(document["validUntil"]),
    )


def entry_of(registered: Registered) -> Entry:
    """Return the name under which an institution or a caller is registered."""
    if isinstance(registered, Caller):
        return Entry(Kind.CALLER, registered.name)
    return Entry(Kind.INSTITUTION, registered.fiscal_code)


def change_document(before: Registered | None, after: Registered | None, by: Operator, at: datetime) -> Document:
    """Return the record of a change, under an id of its own. Ids are sorted by time."""
    registered = after or before
    assert registered is not None, "a change has a before or an after"
    action = Action.ADDED if before is None else Action.REMOVED if after is None else Action.CHANGED
    return {
        "id": f"{_CHANGE}{format_instant(at)}-{token_hex(4)}",
        "schema": SCHEMA,
        "at": plain(at),
        "by": {"user": by.user, "machine": by.machine, "identity": by.identity},
        "action": action,
        "entry": entry_of(registered).id,
        "fields": {name: {"from": old, "to": new} for name, old, new in _differences(_shown(before), _shown(after))},
    }


def decode_change(document: Document) -> RegistryChange:
    """Return the change of a record."""
    kind, _, name = document["entry"].partition(":")
    return RegistryChange(
        id=document["id"].removeprefix(_CHANGE),
        at=decode_instant(document["at"]),
        by=Operator(**document["by"]),
        action=Action(document["action"]),
        entry=Entry(Kind(kind), name),
        fields={field: FieldChange(each["from"], each["to"]) for field, each in document["fields"].items()},
    )


def change_ids(search: ChangeSearch) -> tuple[str, str]:
    """Return the range of the ids that a search looks at: from the first on, and less than the second."""
    # A semicolon is what follows a colon, so it is greater than every id.
    ends = [f"{_CHANGE[:-1]};"]
    ends += [f"{_CHANGE}{format_instant(search.until)}"] if search.until else []
    ends += [f"{_CHANGE}{search.older_than}"] if search.older_than else []
    return f"{_CHANGE}{format_instant(search.since)}" if search.since else _CHANGE, min(ends)


def _shown(registered: Registered | None) -> Document:
    """Return what a record shows of an entry: no hash of a key."""
    match registered:
        case None:
            return {}
        case Caller():
            keys = [{"id": key.id, "expiresAt": plain(key.expires_at)} for key in registered.keys]
            return caller_document(registered) | {"keys": keys}
        case CreditorInstitution():
            return institution_document(registered)


def _differences(before: Document, after: Document) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted((before.keys() | after.keys()) - {"schema"}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            # Of the grants of a broker, which may be thousands, those that changed.
            old, new = (
                {key: value for key, value in one.items() if other.get(key) != value}
                for one, other in ((old, new), (new, old))
            )
        yield name, old, new
