"""The command `audit`: list what operators did."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import typer

from ops.cli import JsonOption, warn
from ops.opening import open_registry
from ops.output import Json, Row, show_list
from ops.parsing import UsageErrors, parse_caller_name, parse_change_id, parse_valid_from, parse_valid_until
from ops.views import format_in_rome
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode
from shared.domain.registry_changes import Action, Entry, FieldChange, Kind, Operator, RegistryChange
from shared.ports import ChangeSearch, Registry

HEADS = ("when", "who", "what", "fields")
PAGE = 1000
"""Changes that are read at once, if only some of them are listed."""
WHEN_HELP = "A day in Rome, which is included, or a date-time."


async def audit(
    context: typer.Context,
    institution: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only changes of this institution, also if removed.")
    ] = None,
    caller: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only changes of this caller and its keys, also if removed."),
    ] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Only what was done with messages: sent, resent, replayed, discarded.")
    ] = False,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help=f"The earliest time. {WHEN_HELP}")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=f"The latest time. {WHEN_HELP}")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="The most changes to list.")] = 100,
    older_than: Annotated[
        str | None, typer.Option(metavar="CHANGE", help="Only changes before this one, to continue a list.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the changes of the registry, and what was done with messages and readers, newest first."""
    with UsageErrors() as errors:
        chosen = [institution is not None, caller is not None, messages]
        errors.check(sum(chosen) <= 1, "Use only one of --institution, --caller and --messages.")
        entry = None
        if institution is not None:
            entry = Entry(Kind.INSTITUTION, errors.parse("--institution", InstitutionCode.parse, institution))
        elif caller is not None:
            entry = Entry(Kind.CALLER, errors.parse("--caller", parse_caller_name, caller))
        search = ChangeSearch(
            entry,
            errors.parse_optional("--since", parse_valid_from, since, None),
            errors.parse_optional("--until", parse_valid_until, until, None),
            errors.parse_optional("--older-than", parse_change_id, older_than, None),
            limit + 1,
        )
    async with open_registry(context) as registry:
        found = await (_about_messages(registry, search) if messages else registry.changes(search))
    changes, last = found[:limit], found[limit - 1].id if len(found) > limit else None
    rows, items = map(_change_row, changes), map(_change_json, changes)
    show_list(HEADS, rows, items, json=json, unwrapped=("when", "what"), next=last)
    if last and not json:
        warn(f"There are older changes. --older-than {last} lists them.")


async def _about_messages(registry: Registry, search: ChangeSearch) -> list[RegistryChange]:
    """Return the newest changes that are about messages. The registry is read page by page for them."""
    found: list[RegistryChange] = []
    page = replace(search, limit=PAGE)
    while len(found) < search.limit and (changes := await registry.changes(page)):
        found += [change for change in changes if change.entry.kind is Kind.MESSAGE]
        page = replace(page, older_than=changes[-1].id)
    return found[: search.limit]


def _change_json(change: RegistryChange) -> Json:
    kind, name = change.entry.kind, change.entry.name
    return {
        "id": change.id,
        "at": format_instant(change.at),
        "by": {"user": change.by.user, "machine": change.by.machine, "identity": change.by.identity},
        "action": change.action,
        "institution": name if kind is Kind.INSTITUTION else None,
        "caller": name if kind is Kind.CALLER else None,
        "message": name if kind is Kind.MESSAGE else None,
        "reader": name if kind is Kind.READER else None,
        "fields": {field: {"from": each.before, "to": each.after} for field, each in change.fields.items()},
    }


def _change_row(change: RegistryChange) -> Row:
    action = f"{change.action} {change.entry.kind} {change.entry.name}"
    return format_in_rome(change.at), _operator(change.by), action, "; ".join(_fields(change))


def _operator(operator: Operator) -> str:
    machine = f"@{operator.machine}" if operator.machine else ""
    return f"{operator.user}{machine}{f', {operator.identity}' if operator.identity else ''}"


def _fields(change: RegistryChange) -> Iterator[str]:
    """Yield the changed fields. For an addition these are the fields with a value, for a removal none."""
    for name, field in change.fields.items():
        if change.action is Action.CHANGED:
            yield f"{name} {_difference(field)}"
        elif change.action is not Action.REMOVED and field.after and field.after != change.entry.name:
            yield f"{name} {_text(field.after)}"


def _difference(field: FieldChange) -> str:
    match field.before, field.after:
        case list(before), list(after):
            removed = [f"- {_text(item)}" for item in before if item not in after]
            return " ".join([*removed, *(f"+ {_text(item)}" for item in after if item not in before)])
        case dict(before), dict(after):
            return ", ".join(
                f"{key}: {_text(before.get(key))} → {_text(after.get(key))}" for key in sorted(before | after)
            )
        case before, after:
            return f"{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    """Return the value of a field as text for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case {"iban": iban, "labels": labels, "postal": postal}:
            return f"{iban} {','.join(labels)}{' postal' if postal else ''}"
        case {"segregationCode": code, "firstDay": first, "lastDay": last}:
            return f"{code} from {first}{f' through {last}' if last else ''}"
        case {"id": key_id, "expiresAt": end}:
            return f"{key_id}{f' until {end}' if end else ''}"
        case dict():
            return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
        case list():
            return ",".join(map(_text, value))
    return str(value)
