"""The keys of callers: make a new one beside the old one, list them, revoke one."""

from dataclasses import replace
from typing import Annotated

import typer

from ops.callers import registered
from ops.opening import opened
from ops.outcome import ExitCode, Stop, ask_consent, in_loop, need_consent, tell
from ops.reading import Faults, lifetime
from ops.showing import SEEN, caller_json, key_json, keys_table, show, show_all, show_key
from shared.auth import key_hash, new_key
from shared.bootstrap import utc_now
from shared.domain.callers import TooManyKeys

app = typer.Typer(no_args_is_help=True, help="The keys of callers: at most two live ones, for a change without a gap.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The caller's name.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
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
        await registry.save_caller(after, before)
    show(caller_json(after, now, key), keys_table(after, now), "Rotated.", json=json)
    if not json:
        show_key(key)


@app.command("list")
@in_loop
async def show_list(context: typer.Context, name: Name, json: Json = False) -> None:
    """List the keys of a caller: id, end, live or run out. A key itself is never shown again."""
    async with opened(context) as registry:
        caller = await registered(registry, name)
    now = utc_now()
    show_all([key_json(key, now) for key in caller.keys], keys_table(caller, now), json=json)


@app.command()
@in_loop
async def revoke(
    context: typer.Context,
    name: Name,
    key_id: Annotated[str, typer.Argument(metavar="KEYID", help="The key's id, as `keys list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key at once."""
    need_consent(yes)
    async with opened(context) as registry:
        before = await registered(registry, name)
        after = replace(before, keys=tuple(key for key in before.keys if key.id != key_id))
        if after == before:
            raise Stop(ExitCode.REFUSED, f"{name} has no key {key_id}: `keys list {name}` shows those it has.")
        if not after.live_keys(utc_now()):
            tell(f"{name} has no other live key: it cannot call until `keys rotate {name}` makes one.")
        ask_consent(f"Revoke the key {key_id} of {name}?", yes)
        await registry.save_caller(after, before)
    typer.echo(f"Revoked. {SEEN}")
