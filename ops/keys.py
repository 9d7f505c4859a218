"""The keys of callers: make a new one beside the old one, list them, revoke one."""

from dataclasses import replace
from typing import Annotated

import typer

from ops.callers import registered
from ops.opening import opened
from ops.operator import operator
from ops.outcome import Command, ExitCode, Stop, ask_consent, in_loop, need_consent, tell
from ops.reading import Faults, key_id as read_key_id, lifetime
from ops.showing import SEEN, caller_json, held_keys, keys, show_json, show_key
from shared.auth import key_hash, new_key
from shared.bootstrap import utc_now
from shared.domain.callers import Key, TooManyKeys

app = typer.Typer(no_args_is_help=True, help="The keys of callers: at most two live ones, for a change without a gap.")

ID_LENGTH = 12
"""Digits of the id of a key."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The caller's name.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command(cls=Command)
@in_loop
async def rotate(
    context: typer.Context,
    name: Name,
    old_expires_in: Annotated[
        str, typer.Option(metavar="TIME", help="How long the key in use still opens: 30d, 12h, 90m. Never prolongs it.")
    ] = "30d",
    json: Json = False,
) -> None:
    """Make a second key and show it, once; the one in use ends later, so the caller changes over in between."""
    key, now = new_key(), utc_now()
    with Faults() as faults:
        left = faults.read("--old-expires-in", lifetime, old_expires_in)
    async with opened(context) as registry:
        before = await registered(registry, name)
        try:
            after = before.with_new_key(key_hash(key), now + left, now)
        except TooManyKeys:
            ids = " and ".join(key.id for key in before.live_keys(now))
            raise Stop(
                ExitCode.REFUSED,
                f"{name} has two live keys, {ids}: revoke the one no longer used, `keys revoke {name} KEYID`.",
            ) from None
        await registry.save_caller(after, before, operator(context.obj))
    if json:
        show_json(caller_json(after, now, key))
        return
    typer.echo("Rotated.")
    keys(now).show(after.keys, json=False)
    show_key(key)


@app.command("list", cls=Command)
@in_loop
async def show_list(context: typer.Context, name: Name, json: Json = False) -> None:
    """List the keys of a caller: id, end, live or run out. A key itself is never shown again."""
    async with opened(context) as registry:
        caller = await registered(registry, name)
    keys(utc_now()).show(caller.keys, json=json)


@app.command(cls=Command)
@in_loop
async def find(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The key's id: the first 12 digits of its SHA-256.")],
    json: Json = False,
) -> None:
    """Find the caller that a key belongs to, by the id of the key."""
    _refuse_a_key(key_id)
    with Faults() as faults:
        faults.read("KEYID", read_key_id, key_id)
    async with opened(context) as registry:
        found = [(caller, key) for caller in await registry.callers() for key in caller.keys if key.id == key_id]
    if not found:
        raise Stop(ExitCode.REFUSED, f"No caller has the key {key_id}: `audit` shows keys that were taken away, too.")
    held_keys(utc_now()).show(found, json=json)


@app.command(cls=Command)
@in_loop
async def revoke(
    context: typer.Context,
    name: Name,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The key's id, as `keys list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key. A running archive refuses it within 60 seconds."""
    _refuse_a_key(key_id)
    need_consent(yes)
    async with opened(context) as registry:
        before = await registered(registry, name)
        after = replace(before, keys=tuple(key for key in before.keys if key.id != key_id))
        if after == before:
            raise Stop(ExitCode.REFUSED, f"{name} has no key {key_id}: `keys list {name}` shows those it has.")
        if not after.live_keys(utc_now()):
            tell(f"{name} has no other live key: it cannot call until `keys rotate {name}` makes one.")
        ask_consent(f"Revoke the key {key_id} of {name}?", yes)
        await registry.save_caller(after, before, operator(context.obj))
    typer.echo(f"Revoked. {SEEN}")


def _refuse_a_key(key_id: str) -> None:
    """Stop if the key was given in place of its id: no message may repeat it."""
    if len(key_id) > ID_LENGTH:
        raise Stop(
            ExitCode.USAGE, f"KEYID has {ID_LENGTH} digits. If this is a key, its id is {Key(key_hash(key_id)).id}."
        )
