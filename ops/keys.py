"""Commands for the keys of callers: rotate, list, find, revoke."""

from dataclasses import replace
from typing import Annotated

import typer

from ops.callers import NameArgument, registered_caller
from ops.cli import Command, CommandError, ExitCode, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_registry
from ops.operator import current_operator
from ops.output import show_json
from ops.parsing import parse_argument, parse_duration, parse_key_id
from ops.views import WITHIN_A_MINUTE, caller_json, show_callers_of_key, show_keys, show_new_key
from shared.auth import key_hash, new_key
from shared.bootstrap import utc_now
from shared.domain.callers import Key, TooManyKeys

app = typer.Typer(no_args_is_help=True, help="The keys of callers. A caller has at most two live keys.")

KEY_ID_LENGTH = 12


@app.command(cls=Command)
async def rotate(
    context: typer.Context,
    name: NameArgument,
    old_expires_in: Annotated[
        str, typer.Option(metavar="TIME", help="When the old key expires: 30d, 12h, 90m. Never later than it would.")
    ] = "30d",
    json: JsonOption = False,
) -> None:
    """Make a second key and show it, only once. The old key expires later, so the caller has time to change."""
    key, now = new_key(), utc_now()
    duration = parse_argument("--old-expires-in", parse_duration, old_expires_in)
    async with open_registry(context) as registry:
        before = await registered_caller(registry, name)
        try:
            after = before.with_new_key(key_hash(key), now + duration, now)
        except TooManyKeys:
            ids = " and ".join(key.id for key in before.live_keys(now))
            raise CommandError(
                f"{name} has two live keys, {ids}. Revoke the one that is not used: `keys revoke {name} KEYID`."
            ) from None
        await registry.save_caller(after, before, current_operator(context.obj))
    if json:
        show_json(caller_json(after, now, key))
        return
    typer.echo("Rotated.")
    show_keys(after.keys, now, json=False)
    show_new_key(key)


@app.command("list", cls=Command)
async def show_all(context: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """List the keys of a caller, by their ids. The key itself is never shown again."""
    async with open_registry(context) as registry:
        caller = await registered_caller(registry, name)
    show_keys(caller.keys, utc_now(), json=json)


@app.command(cls=Command)
async def find(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The id of the key: 12 digits of its SHA-256.")],
    json: JsonOption = False,
) -> None:
    """Find the caller of a key, by the id of the key."""
    _refuse_key(key_id)
    parse_argument("KEYID", parse_key_id, key_id)
    async with open_registry(context) as registry:
        found = [(caller, key) for caller in await registry.callers() for key in caller.keys if key.id == key_id]
    if not found:
        raise CommandError(f"No caller has the key {key_id}. `audit` also shows revoked keys.")
    show_callers_of_key(found, utc_now(), json=json)


@app.command(cls=Command)
async def revoke(
    context: typer.Context,
    name: NameArgument,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The id of the key, as `keys list` shows it.")],
    yes: YesOption = False,
) -> None:
    """Revoke a key. A running archive refuses it within 60 seconds."""
    _refuse_key(key_id)
    require_terminal_or_yes(yes)
    async with open_registry(context) as registry:
        before = await registered_caller(registry, name)
        after = replace(before, keys=tuple(key for key in before.keys if key.id != key_id))
        if after == before:
            raise CommandError(f"{name} has no key {key_id}. `keys list {name}` shows its keys.")
        if not after.live_keys(utc_now()):
            warn(f"{name} has no other live key. It cannot call until `keys rotate {name}` makes one.")
        confirm(f"Revoke the key {key_id} of {name}?", yes)
        await registry.save_caller(after, before, current_operator(context.obj))
    typer.echo(f"Revoked. {WITHIN_A_MINUTE}")


def _refuse_key(key_id: str) -> None:
    """Raise CommandError if a key is given instead of its id. The message does not repeat the key."""
    if len(key_id) > KEY_ID_LENGTH:
        own_id = Key(key_hash(key_id)).id
        raise CommandError(
            f"KEYID has {KEY_ID_LENGTH} digits. If this is a key, its id is {own_id}.", code=ExitCode.USAGE
        )
