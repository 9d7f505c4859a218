"""The changes of the registry: who made which, and when."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ops.opening import opened
from ops.outcome import in_loop, tell
from ops.reading import Faults, caller_name, change_id, valid_from, valid_until
from ops.rows import Row
from ops.showing import Json, Listing, moment
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode
from shared.domain.registry_changes import Action, Entry, FieldChange, Kind, Operator, RegistryChange
from shared.ports import ChangeSearch

WHEN_HELP = "A day of Rome, which counts whole, or a date-time."


@in_loop
async def audit(
    context: typer.Context,
    institution: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only changes of this institution, also a removed one.")
    ] = None,
    caller: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only changes of this caller and its keys, also a removed one.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help=f"Not before this. {WHEN_HELP}")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=f"Not after this. {WHEN_HELP}")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many changes, at most.")] = 100,
    older_than: Annotated[
        str | None, typer.Option(metavar="CHANGE", help="Only changes before this one, to read on where a list ended.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON, with every field that changed.")] = False,
) -> None:
    """List the changes of the registry, the newest first: who made which change, and when."""
    with Faults() as faults:
        faults.check(institution is None or caller is None, "Name an institution or a caller, not both.")
        entry = None
        if institution is not None:
            entry = Entry(Kind.INSTITUTION, faults.read("--institution", InstitutionCode.parse, institution))
        elif caller is not None:
            entry = Entry(Kind.CALLER, faults.read("--caller", caller_name, caller))
        search = ChangeSearch(
            entry,
            None if since is None else faults.read("--since", valid_from, since),
            None if until is None else faults.read("--until", valid_until, until),
            None if older_than is None else faults.read("--older-than", change_id, older_than),
            limit + 1,
        )
    async with opened(context) as registry:
        found = await registry.changes(search)
    shown, is_more = found[:limit], len(found) > limit
    CHANGES.show(shown, json=json, next=shown[-1].id if is_more else None)
    if is_more and not json:
        tell(f"There are older changes: repeat with --older-than {shown[-1].id}.")


def _change_json(change: RegistryChange) -> Json:
    """Return a change for programs."""
    kind, name = change.entry.kind, change.entry.name
    return {
        "id": change.id,
        "at": format_instant(change.at),
        "by": {"user": change.by.user, "machine": change.by.machine, "identity": change.by.identity},
        "action": change.action,
        "institution": name if kind is Kind.INSTITUTION else None,
        "caller": name if kind is Kind.CALLER else None,
        "fields": {field: {"from": each.before, "to": each.after} for field, each in change.fields.items()},
    }


def _change_row(change: RegistryChange) -> Row:
    what = f"{change.action} {change.entry.kind} {change.entry.name}"
    return moment(change.at), _who(change.by), what, "; ".join(_differences(change))


CHANGES = Listing(("when", "who", "what", "fields"), _change_row, _change_json, whole=("when", "what"))


def _who(operator: Operator) -> str:
    machine = f"@{operator.machine}" if operator.machine else ""
    return f"{operator.user}{machine}{f', {operator.identity}' if operator.identity else ''}"


def _differences(change: RegistryChange) -> Iterator[str]:
    """Yield the fields that a change set: of an addition what there is, of a removal nothing."""
    for name, field in change.fields.items():
        if change.action is Action.CHANGED:
            yield f"{name} {_difference(field)}"
        elif change.action is Action.ADDED and field.after and field.after != change.entry.name:
            yield f"{name} {_text(field.after)}"


def _difference(field: FieldChange) -> str:
    match field.before, field.after:
        case list(before), list(after):
            gone = [f"- {_text(item)}" for item in before if item not in after]
            return " ".join([*gone, *(f"+ {_text(item)}" for item in after if item not in before)])
        case dict(before), dict(after):
            return ", ".join(
                f"{key}: {_text(before.get(key))} → {_text(after.get(key))}" for key in sorted(before | after)
            )
        case before, after:
            return f"{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    """Return a value of a field as people read it."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case {"iban": iban, "labels": labels, "postal": postal}:
            return f"{iban} {','.join(labels)}{' postal' if postal else ''}"
        case {"segregationCode": code, "firstDay": first, "lastDay": last}:
            return f"{code} from {first}{f' through {last}' if last else ''}"
        case {"id": key_id, "expiresAt": ends}:
            return f"{key_id}{f' until {ends}' if ends else ''}"
        case dict():
            return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
        case list():
            return ",".join(map(_text, value))
    return str(value)
