"""Commands for callers: add, show, list, change, remove."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from ops.cli import Command, CommandError, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_registry
from ops.operator import current_operator
from ops.parsing import (
    NO_LIMIT,
    ROLES,
    Grant,
    UsageErrors,
    parse_argument,
    parse_caller_name,
    parse_grant,
    parse_grant_to_remove,
    parse_role,
    parse_scope,
    parse_segregation_code,
    parse_valid_from,
    parse_valid_until,
)
from ops.views import WITHIN_A_MINUTE, describe_change, show_caller, show_callers
from shared.auth import key_hash, new_key
from shared.bootstrap import utc_now
from shared.domain.callers import EVERY, Caller, Key, Scope
from shared.domain.identifiers import InstitutionCode
from shared.ports import ChangedMeanwhile, Registry

app = typer.Typer(no_args_is_help=True, help="Callers: programs that call the archive, and their access.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the caller.")]
ROLE_HELP = f"On whose behalf it calls: {', '.join(ROLES)}."
SCOPE_HELP = f"One of {', '.join(Scope)}. Repeatable."
GRANT_HELP = (
    "EC:CODE,CODE: an institution and its segregation codes. `*` means all institutions or all codes. Repeatable."
)
FROM_HELP = "The start of its access: a day, a date-time, or `none`."
UNTIL_HELP = "The end of its access: a day, which is included, a date-time, or `none`."


@app.command(cls=Command)
async def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1-50 of a-z 0-9 . _ -, shown in histories.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help=ROLE_HELP)],
    scope: Annotated[list[str], typer.Option(metavar="SCOPE", help=SCOPE_HELP)],
    grant: Annotated[list[str], typer.Option(metavar="GRANT", help=GRANT_HELP)],
    valid_from: Annotated[str, typer.Option(metavar="WHEN", help=FROM_HELP)] = NO_LIMIT,
    valid_until: Annotated[str, typer.Option(metavar="WHEN", help=UNTIL_HELP)] = NO_LIMIT,
    json: JsonOption = False,
) -> None:
    """Register a caller and show its first key, only once. Creates the archive if there is none."""
    key, now = new_key(), utc_now()
    with UsageErrors() as errors:
        caller = Caller(
            errors.parse("NAME", parse_caller_name, name),
            errors.parse("--role", parse_role, role),
            frozenset(errors.parse_all("--scope", parse_scope, scope)),
            _add_grants({}, errors.parse_all("--grant", parse_grant, grant)),
            (Key(key_hash(key)),),
            errors.parse("--valid-from", parse_valid_from, valid_from),
            errors.parse("--valid-until", parse_valid_until, valid_until),
        )
        _check_dates(errors, caller)
    async with open_registry(context, may_create=True) as registry:
        try:
            await registry.save_caller(caller, None, current_operator(context.obj))
        except ChangedMeanwhile:
            raise CommandError(
                f"{name} is already registered. `callers change {name}` changes it, `keys rotate {name}` makes a key."
            ) from None
        await _warn(registry, caller, now)
    show_caller(caller, now, "Registered.", key=key, json=json)


@app.command("show", cls=Command)
async def show_one(context: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Show a caller."""
    async with open_registry(context) as registry:
        caller = await registered_caller(registry, name)
    show_caller(caller, utc_now(), json=json)


@app.command("list", cls=Command)
async def show_all(
    context: typer.Context,
    institution: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only callers with a grant for this institution.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CC", help="With --institution: only callers with this segregation code.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the callers, by name."""
    with UsageErrors() as errors:
        ec = errors.parse_optional("--institution", InstitutionCode.parse, institution, None)
        segregation_code = errors.parse_optional("--code", parse_segregation_code, code, None)
        errors.check(code is None or institution is not None, "--code needs --institution.")
    async with open_registry(context) as registry:
        callers = await registry.callers()
        if ec is not None:
            await _warn_if_not_registered(registry, ec)
    if ec is not None:
        callers = [each for each in callers if each.segregation_codes(ec)]
    if ec is not None and segregation_code is not None:
        callers = [each for each in callers if each.acts_for(ec, segregation_code)]
    show_callers(callers, utc_now(), ec, json=json)


@app.command(cls=Command)
async def change(
    context: typer.Context,
    name: NameArgument,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help=ROLE_HELP)] = None,
    add_scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help=SCOPE_HELP)] = None,
    remove_scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="Repeatable.")] = None,
    add_grant: Annotated[list[str] | None, typer.Option(metavar="GRANT", help=GRANT_HELP)] = None,
    remove_grant: Annotated[
        list[str] | None, typer.Option(metavar="GRANT", help="EC, which is all its codes, or EC:CODE,CODE. Repeatable.")
    ] = None,
    valid_from: Annotated[str | None, typer.Option(metavar="WHEN", help=FROM_HELP)] = None,
    valid_until: Annotated[str | None, typer.Option(metavar="WHEN", help=UNTIL_HELP)] = None,
    json: JsonOption = False,
) -> None:
    """Change a caller. Options left out change nothing. Removals come first, so one command can replace."""
    now = utc_now()
    async with open_registry(context) as registry:
        before = await registered_caller(registry, name)
        with UsageErrors() as errors:
            scopes_to_remove = errors.parse_all("--remove-scope", parse_scope, remove_scope)
            scopes_to_add = errors.parse_all("--add-scope", parse_scope, add_scope)
            grants_to_remove = errors.parse_all("--remove-grant", parse_grant_to_remove, remove_grant)
            grants_to_add = errors.parse_all("--add-grant", parse_grant, add_grant)
            after = replace(
                before,
                role=errors.parse_optional("--role", parse_role, role, before.role),
                scopes=before.scopes.difference(scopes_to_remove).union(scopes_to_add),
                grants=_add_grants(_remove_grants(before, grants_to_remove), grants_to_add),
                valid_from=errors.parse_optional("--valid-from", parse_valid_from, valid_from, before.valid_from),
                valid_until=errors.parse_optional("--valid-until", parse_valid_until, valid_until, before.valid_until),
            )
            _check_dates(errors, after)
        if missing := set(scopes_to_remove) - before.scopes:
            names = ", ".join(sorted(missing))
            raise CommandError(f"{name} does not have the scope {names}. `callers show {name}` shows its scopes.")
        if after != before:
            await registry.save_caller(after, before, current_operator(context.obj))
        await _warn(registry, after, now)
    show_caller(after, now, describe_change(before, after), json=json)


@app.command(cls=Command)
async def remove(context: typer.Context, name: NameArgument, yes: YesOption = False) -> None:
    """Remove a caller and its keys. Histories keep its name."""
    require_terminal_or_yes(yes)
    async with open_registry(context) as registry:
        caller = await registered_caller(registry, name)
        live = len(caller.live_keys(utc_now()))
        confirm(f"Remove {name}, with {live} live key{'' if live == 1 else 's'}? Histories keep its name.", yes)
        await registry.remove_caller(caller, current_operator(context.obj))
    typer.echo(f"Removed {name}. {WITHIN_A_MINUTE}")


async def registered_caller(registry: Registry, name: str) -> Caller:
    """Return the caller with a name. Raises CommandError."""
    caller = await registry.caller_named(parse_argument("NAME", parse_caller_name, name))
    if caller is None:
        raise CommandError(f"{name} is not registered. `callers list` shows the registered callers.")
    return caller


def _add_grants(grants: Mapping[str, frozenset[str]], new: Iterable[Grant]) -> dict[str, frozenset[str]]:
    result = dict(grants)
    for institution, codes in new:
        union = result.get(institution, frozenset()) | codes
        result[institution] = frozenset({EVERY}) if EVERY in union else union
    return result


def _remove_grants(caller: Caller, grants: Iterable[Grant]) -> dict[str, frozenset[str]]:
    result = dict(caller.grants)
    for institution, codes in grants:
        granted = result.pop(institution, frozenset())
        if not granted or (EVERY not in codes and not codes <= granted):
            existing = f"{institution}:{','.join(sorted(granted))}" if granted else "none"
            raise CommandError(f"This grant for {institution} cannot be removed. Its grant is: {existing}.")
        if EVERY not in codes and codes != granted:
            result[institution] = granted - codes
    return result


def _check_dates(errors: UsageErrors, caller: Caller) -> None:
    start, end = caller.valid_from, caller.valid_until
    errors.check(start is None or end is None or start < end, "The access would end before it starts.")


async def _warn(registry: Registry, caller: Caller, now: datetime) -> None:
    for institution in sorted(caller.grants):
        if institution != EVERY:
            await _warn_if_not_registered(registry, InstitutionCode(institution))
    if not caller.grants:
        warn(f"{caller.name} has no grant: it cannot call for any institution.")
    if not caller.scopes:
        warn(f"{caller.name} has no scope: it cannot send any request.")
    if caller.valid_until is not None and caller.valid_until <= now:
        warn(f"{caller.name} has expired: its keys are not accepted.")


async def _warn_if_not_registered(registry: Registry, institution: InstitutionCode) -> None:
    # Only a warning, because brokers are often registered before their institutions.
    if await registry.institution(institution) is None:
        warn(f"{institution} is not registered yet. Until then, calls for it are answered 404.")
