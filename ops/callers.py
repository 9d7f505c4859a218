"""Callers: register, show, list, change, remove."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from ops.opening import opened
from ops.operator import operator
from ops.outcome import Command, ExitCode, Stop, ask_consent, in_loop, need_consent, tell
from ops.reading import (
    ROLES,
    Faults,
    caller_name,
    caller_role,
    grant as read_grant,
    removed_grant,
    scope as read_scope,
    segregation_code,
    valid_from as read_valid_from,
    valid_until as read_valid_until,
)
from ops.showing import SEEN, caller_json, caller_table, callers, show, show_key
from shared.auth import key_hash, new_key
from shared.bootstrap import utc_now
from shared.domain.callers import EVERY, Caller, Key, Scope
from shared.domain.identifiers import InstitutionCode
from shared.ports import ChangedMeanwhile, Registry

app = typer.Typer(no_args_is_help=True, help="Callers: the programs that call, and what they may do.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The caller's name, as histories show it.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
ROLE_HELP = f"On whose behalf it calls: {', '.join(ROLES)}."
SCOPE_HELP = f"Repeatable: {', '.join(Scope)}."
GRANT_HELP = "EC:CODE,CODE, repeatable: an institution and its segregation codes; `*` is every one, of either."
FROM_HELP = "A day, or a date-time; `none`: since ever."
UNTIL_HELP = "A day, which counts whole, or a date-time; `none`: for ever."

Grants = Iterable[tuple[str, frozenset[str]]]


@app.command(cls=Command)
@in_loop
async def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1-50 of a-z 0-9 . _ -, as histories will show it.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help=ROLE_HELP)],
    scope: Annotated[list[str], typer.Option(metavar="SCOPE", help=SCOPE_HELP)],
    grant: Annotated[list[str], typer.Option(metavar="GRANT", help=GRANT_HELP)],
    valid_from: Annotated[str, typer.Option(metavar="WHEN", help=FROM_HELP)] = "none",
    valid_until: Annotated[str, typer.Option(metavar="WHEN", help=UNTIL_HELP)] = "none",
    json: Json = False,
) -> None:
    """Register a caller and show its first key, once. The first one begins a new archive where there is none."""
    key, now = new_key(), utc_now()
    with Faults() as faults:
        caller = Caller(
            faults.read("NAME", caller_name, name),
            faults.read("--role", caller_role, role),
            frozenset(faults.read_all("--scope", read_scope, scope)),
            _granted({}, faults.read_all("--grant", read_grant, grant)),
            (Key(key_hash(key)),),
            faults.read("--valid-from", read_valid_from, valid_from),
            faults.read("--valid-until", read_valid_until, valid_until),
        )
        _check_order(faults, caller)
    async with opened(context, may_make=True) as registry:
        try:
            await registry.save_caller(caller, None, operator(context.obj))
        except ChangedMeanwhile:
            raise Stop(
                ExitCode.REFUSED,
                f"{name} is registered already: `callers change {name}` changes it, `keys rotate {name}` makes a key.",
            ) from None
        await _warn(registry, caller, now)
    show(caller_json(caller, now, key), caller_table(caller, now), "Registered.", json=json)
    if not json:
        show_key(key)


@app.command("show", cls=Command)
@in_loop
async def show_one(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show a caller."""
    async with opened(context) as registry:
        caller = await registered(registry, name)
    now = utc_now()
    show(caller_json(caller, now), caller_table(caller, now), json=json)


@app.command("list", cls=Command)
@in_loop
async def show_list(
    context: typer.Context,
    institution: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only those that may call for this institution, with its codes.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CC", help="With --institution: only those granted this segregation code.")
    ] = None,
    json: Json = False,
) -> None:
    """List the callers, by name: all of them, or those that may call for an institution."""
    with Faults() as faults:
        wanted = None if institution is None else faults.read("--institution", InstitutionCode.parse, institution)
        wanted_code = None if code is None else faults.read("--code", segregation_code, code)
        faults.check(code is None or institution is not None, "--code needs --institution: which one is the code of?")
    async with opened(context) as registry:
        found = await registry.callers()
        if wanted is not None:
            await _warn_of_unregistered(registry, wanted)
    if wanted is not None:
        found = [each for each in found if each.segregation_codes(wanted)]
    if wanted is not None and wanted_code is not None:
        found = [each for each in found if each.acts_for(wanted, wanted_code)]
    callers(utc_now(), wanted).show(found, json=json)


@app.command(cls=Command)
@in_loop
async def change(
    context: typer.Context,
    name: Name,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help=ROLE_HELP)] = None,
    add_scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help=SCOPE_HELP)] = None,
    remove_scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="Repeatable.")] = None,
    add_grant: Annotated[list[str] | None, typer.Option(metavar="GRANT", help=GRANT_HELP)] = None,
    remove_grant: Annotated[
        list[str] | None, typer.Option(metavar="GRANT", help="EC, with all its codes, or EC:CODE,CODE; repeatable.")
    ] = None,
    valid_from: Annotated[str | None, typer.Option(metavar="WHEN", help=FROM_HELP)] = None,
    valid_until: Annotated[str | None, typer.Option(metavar="WHEN", help=UNTIL_HELP)] = None,
    json: Json = False,
) -> None:
    """Change what a caller may do: what is not named stays. Removals come first, so one command can replace."""
    now = utc_now()
    async with opened(context) as registry:
        before = await registered(registry, name)
        with Faults() as faults:
            gone_scopes = faults.read_all("--remove-scope", read_scope, remove_scope)
            new_scopes = faults.read_all("--add-scope", read_scope, add_scope)
            gone = faults.read_all("--remove-grant", removed_grant, remove_grant)
            new = faults.read_all("--add-grant", read_grant, add_grant)
            after = replace(
                before,
                role=before.role if role is None else faults.read("--role", caller_role, role),
                scopes=before.scopes.difference(gone_scopes).union(new_scopes),
                grants=_granted(_without(before, gone), new),
                valid_from=before.valid_from
                if valid_from is None
                else faults.read("--valid-from", read_valid_from, valid_from),
                valid_until=before.valid_until
                if valid_until is None
                else faults.read("--valid-until", read_valid_until, valid_until),
            )
            _check_order(faults, after)
        if missing := set(gone_scopes) - before.scopes:
            names = ", ".join(sorted(missing))
            raise Stop(ExitCode.REFUSED, f"{name} was not granted {names}: `callers show {name}` shows its scopes.")
        if after != before:
            await registry.save_caller(after, before, operator(context.obj))
        await _warn(registry, after, now)
    done = f"Changed. {SEEN}" if after != before else "Nothing to change: it is like that already."
    show(caller_json(after, now), caller_table(after, now), done, json=json)


@app.command(cls=Command)
@in_loop
async def remove(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a caller and its keys out of the register. Histories keep its name."""
    need_consent(yes)
    async with opened(context) as registry:
        caller = await registered(registry, name)
        live = len(caller.live_keys(utc_now()))
        ask_consent(f"Remove {name}, with {live} live key{'' if live == 1 else 's'}? Histories keep its name.", yes)
        await registry.remove_caller(caller, operator(context.obj))
    typer.echo(f"Removed {name}. {SEEN}")


async def registered(registry: Registry, name: str) -> Caller:
    """Return the caller of this name, or stop."""
    with Faults() as faults:
        faults.read("NAME", caller_name, name)
    caller = await registry.caller_named(name)
    if caller is None:
        raise Stop(ExitCode.REFUSED, f"{name} is not registered: `callers list` shows those that are.")
    return caller


def _granted(grants: Mapping[str, frozenset[str]], new: Grants) -> dict[str, frozenset[str]]:
    granted = dict(grants)
    for institution, codes in new:
        every = granted.get(institution, frozenset()) | codes
        granted[institution] = frozenset({EVERY}) if EVERY in every else every
    return granted


def _without(caller: Caller, gone: Grants) -> dict[str, frozenset[str]]:
    kept = dict(caller.grants)
    for institution, codes in gone:
        granted = kept.get(institution, frozenset())
        if not granted or (EVERY not in codes and not codes <= granted):
            names = f"{institution}:{','.join(sorted(granted))}" if granted else "nothing"
            raise Stop(ExitCode.REFUSED, f"Of {institution} it was granted {names}: what is not there is not removed.")
        left = frozenset() if EVERY in codes else granted - codes
        kept.pop(institution)
        if left:
            kept[institution] = left
    return kept


def _check_order(faults: Faults, caller: Caller) -> None:
    first, end = caller.valid_from, caller.valid_until
    faults.check(first is None or end is None or first < end, "The caller would cease to be valid before it begins.")


async def _warn(registry: Registry, caller: Caller, now: datetime) -> None:
    for institution in sorted(caller.grants):
        if institution != EVERY:
            await _warn_of_unregistered(registry, InstitutionCode(institution))
    if not caller.grants:
        tell(f"{caller.name} may act for no institution.")
    if not caller.scopes:
        tell(f"{caller.name} has no scope and may do nothing.")
    if caller.valid_until is not None and caller.valid_until <= now:
        tell(f"{caller.name} has run out: its keys open nothing.")


async def _warn_of_unregistered(registry: Registry, institution: InstitutionCode) -> None:
    if await registry.institution(institution) is None:
        # An order of work, not a mistake: brokers are often registered before their institutions.
        tell(f"{institution} is not registered yet: until it is, calls for it are answered 404.")
