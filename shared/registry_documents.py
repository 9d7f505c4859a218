"""Stored JSON ⇄ institutions, callers and the records of their changes, the same in every store."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from shared.codecs import Document, PartCodec
from shared.domain.callers import Caller
from shared.domain.dates import decode_instant, format_instant
from shared.domain.institutions import CreditorInstitution
from shared.domain.registry_changes import Action, Entry, FieldChange, Kind, Operator, RegistryChange
from shared.ports import ChangeSearch

SCHEMA = 1
_CHANGE = "change:"

Registered = CreditorInstitution | Caller


_INSTITUTION = PartCodec(CreditorInstitution, inner_nulls=True)
_CALLER = PartCodec(Caller, inner_nulls=True)


def institution_document(institution: CreditorInstitution) -> Document:
    """Return the document of an institution."""
    return {"schema": SCHEMA, **_INSTITUTION.encode(institution, nulls=True)}


def decode_institution(document: Document) -> CreditorInstitution:
    """Return the institution of a document."""
    return _INSTITUTION.decode(document)


def caller_document(caller: Caller) -> Document:
    """Return the document of a caller."""
    return {"schema": SCHEMA, **_CALLER.encode(caller, nulls=True)}


def decode_caller(document: Document) -> Caller:
    """Return the caller of a document."""
    return _CALLER.decode(document)


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
    fields = {name: {"from": old, "to": new} for name, old, new in _differences(_shown(before), _shown(after))}
    return _record(action, entry_of(registered), by, at, fields)


def action_document(action: Action, entry: Entry, by: Operator, at: datetime, fields: Mapping[str, object]) -> Document:
    """Return the record of something that an operator did with messages."""
    return _record(action, entry, by, at, {name: {"from": None, "to": value} for name, value in fields.items()})


def _record(action: Action, entry: Entry, by: Operator, at: datetime, fields: Document) -> Document:
    return {
        "id": f"{_CHANGE}{format_instant(at)}-{token_hex(4)}",
        "schema": SCHEMA,
        "at": format_instant(at),
        "by": {"user": by.user, "machine": by.machine, "identity": by.identity},
        "action": action,
        "entry": entry.id,
        "fields": fields,
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
    """Return an entry as a record shows it: without the hashes of keys."""
    match registered:
        case None:
            return {}
        case Caller():
            document = caller_document(registered)
            keys = zip(registered.keys, document["keys"], strict=True)
            return document | {"keys": [{"id": key.id, "expiresAt": stored["expiresAt"]} for key, stored in keys]}
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
