"""Commands for dead letters: list, show, replay, discard."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ops.cli import Command, CommandError, ExitCode, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_bus
from ops.operator import current_operator
from ops.output import Json, Row, show_list, show_one
from ops.parsing import UsageErrors, parse_dead_letter_id, parse_duration, parse_source
from ops.views import format_in_rome
from shared.bootstrap import Application, utc_now
from shared.dead_letters import REJECTED, DeadLetter, Filter, find, name_of, send_again, take
from shared.domain.dates import format_instant
from shared.domain.identifiers import InstitutionCode
from shared.domain.registry_changes import Action, Entry, Kind
from shared.ports import Bus

app = typer.Typer(no_args_is_help=True, help="Messages that were rejected, or that failed at every attempt.")

HEADS = ("id", "since", "reason", "type", "institution", "message")
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` shows it: rejected:17.")]
SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="NAME",
        help="rejected: events that can never be applied. inbound: events that failed at every attempt. Or a "
        "subscription: all (it gets every event), stand-in, customer-care. Repeatable.",
    ),
]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="Such as invalid_data.")]
TypeOption = Annotated[
    str | None, typer.Option("--type", metavar="NAME", help="The type of the event: paid, or it.pagopa.notice.paid.v1.")
]
InstitutionOption = Annotated[str | None, typer.Option("--institution", metavar="CODE", help="Of this institution.")]
OlderOption = Annotated[str | None, typer.Option("--older-than", metavar="AGE", help="Such as 2d, 12h or 90m.")]
YoungerOption = Annotated[str | None, typer.Option("--younger-than", metavar="AGE", help="Such as 2d, 12h or 90m.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
AllOption = Annotated[bool, typer.Option("--all", help="Needed if there is no id and no filter.")]


@app.command("list", cls=Command)
async def show_all(
    context: typer.Context,
    source: SourceOption = None,
    reason: ReasonOption = None,
    type_: TypeOption = None,
    institution: InstitutionOption = None,
    older_than: OlderOption = None,
    younger_than: YoungerOption = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="The most to list.")] = 100,
    json: JsonOption = False,
) -> None:
    """List the dead letters, oldest first. It removes none of them."""
    wanted = _filter(None, source, reason, type_, institution, older_than, younger_than)
    found: list[DeadLetter] = []
    has_more = False
    async with open_bus(context) as (_, bus):
        async for letter in find(bus, wanted):
            if has_more := len(found) == limit:
                break
            found.append(letter)
    show_list(HEADS, map(_row, found), map(_item, found), json=json, unwrapped=HEADS[:-1], more=has_more)
    if has_more and not json:
        warn(f"There are more than {limit}. Use a filter, or --limit.")


@app.command(cls=Command)
async def show(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it: rejected:17.")],
    json: JsonOption = False,
) -> None:
    """Show a dead letter with its body. The body of a publication has the data of a debtor."""
    async with open_bus(context) as (_, bus):
        found = await _found(bus, _filter([letter_id], None, None, None, None, None, None))
    [letter] = found
    body = letter.queued.message.body.decode(errors="backslashreplace")
    fields = (
        *zip(HEADS, _row(letter), strict=True),
        ("description", letter.description),
        # Nothing was delivered from there.
        *(() if letter.source == REJECTED else [("deliveries", str(letter.queued.delivery_count))]),
        ("body", body.removesuffix("\n")),
    )
    show_one({**_item(letter), "body": body}, fields, json=json)


@app.command(cls=Command)
async def replay(
    context: typer.Context,
    ids: IdsArgument = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    type_: TypeOption = None,
    institution: InstitutionOption = None,
    older_than: OlderOption = None,
    younger_than: YoungerOption = None,
    every: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Send dead letters again: inbound events to the archive, others to their subscriber. A repetition does no harm."""
    wanted = _filter(ids, source, reason, type_, institution, older_than, younger_than)
    _require_choice(wanted, ids, every)
    if not dry_run:
        require_terminal_or_yes(yes)
    async with open_bus(context) as (application, bus):
        found = await _found(bus, wanted)
        if not _is_to_be_done(found, "replay", dry_run, yes):
            return

        async def do(letter: DeadLetter) -> None:
            await send_again(bus, letter)
            await _record(application, context, Action.REPLAYED, letter, letter.replayed().id)

        done = await _each(bus, found, "Replaying", do)
    _report("Replayed", done, found)


@app.command(cls=Command)
async def discard(
    context: typer.Context,
    ids: IdsArgument = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    type_: TypeOption = None,
    institution: InstitutionOption = None,
    older_than: OlderOption = None,
    younger_than: YoungerOption = None,
    every: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Remove dead letters. They cannot be brought back."""
    wanted = _filter(ids, source, reason, type_, institution, older_than, younger_than)
    _require_choice(wanted, ids, every)
    if not dry_run:
        require_terminal_or_yes(yes)
    async with open_bus(context) as (application, bus):
        found = await _found(bus, wanted)
        if not _is_to_be_done(found, "discard", dry_run, yes):
            return

        async def do(letter: DeadLetter) -> None:
            await _record(application, context, Action.DISCARDED, letter, None)

        done = await _each(bus, found, "Discarding", do)
    _report("Discarded", done, found)


def _filter(
    ids: list[str] | None,
    source: list[str] | None,
    reason: str | None,
    type_: str | None,
    institution: str | None,
    older_than: str | None,
    younger_than: str | None,
) -> Filter:
    now = utc_now()
    with UsageErrors() as errors:
        names = errors.parse_all("--source", parse_source, source)
        chosen = errors.parse_all("ID", parse_dead_letter_id, ids)
        code = errors.parse_optional("--institution", InstitutionCode.parse, institution, None)
        oldest = _age(errors, "--younger-than", younger_than)
        youngest = _age(errors, "--older-than", older_than)
    return Filter(
        sources=names or {each.partition(":")[0] for each in chosen} or None,
        ids=chosen or None,
        reason=reason,
        type=type_ and (name_of(type_) or type_),
        institution=code,
        since=None if oldest is None else now - oldest,
        until=None if youngest is None else now - youngest,
    )


def _age(errors: UsageErrors, name: str, text: str | None) -> timedelta | None:
    return None if text is None else errors.parse(name, parse_duration, text)


def _require_choice(wanted: Filter, ids: list[str] | None, every: bool) -> None:
    if ids and every:
        raise CommandError("Name ids, or --all, not both.", code=ExitCode.USAGE)
    if wanted == Filter() and not every:
        raise CommandError("Name ids, or use a filter, or --all for every dead letter.", code=ExitCode.USAGE)


async def _found(bus: Bus, wanted: Filter) -> list[DeadLetter]:
    found = [letter async for letter in find(bus, wanted)]
    missing = sorted(set(wanted.ids or ()) - {letter.id for letter in found})
    if missing:
        raise CommandError(f"There is no dead letter {', '.join(missing)}. `dead-letters list` shows them.")
    return found


def _is_to_be_done(found: list[DeadLetter], verb: str, dry_run: bool, yes: bool) -> bool:
    """Return whether there is something to do, and the operator wants it."""
    if not found or dry_run:
        show_list(HEADS, map(_row, found), (), json=False, unwrapped=HEADS[:-1])
        if dry_run:
            typer.echo(f"Would {verb} {len(found):,}.")
        return False
    confirm(f"{verb.capitalize()} {len(found):,} dead letter{'' if len(found) == 1 else 's'}?", yes)
    return True


async def _each(bus: Bus, letters: list[DeadLetter], doing: str, do: Callable[[DeadLetter], Awaitable[None]]) -> int:
    """Take each dead letter that is still there, with a progress bar on a terminal. Return how many there were."""
    done = 0
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing, total=len(letters))
        async with aclosing(take(bus, letters)) as taken:
            async for letter in taken:
                await do(letter)
                done += 1
                progress.advance(task)
    return done


def _report(did: str, done: int, found: list[DeadLetter]) -> None:
    """Print how many were done. Raise CommandError if others were taken meanwhile."""
    typer.echo(f"{did} {done:,}.")
    if left := len(found) - done:
        raise CommandError(
            f"{left:,} of them {'is' if left == 1 else 'are'} gone, or in the hands of another operator. "
            "`dead-letters list` shows those that are left."
        )


async def _record(
    application: Application, context: typer.Context, action: Action, letter: DeadLetter, sent_as: str | None
) -> None:
    fields = {"id": letter.id, "reason": letter.reason, "type": letter.type, "sentAs": sent_as}
    given = {name: value for name, value in fields.items() if value is not None}
    entry = Entry(Kind.MESSAGE, letter.queued.message.id)
    await application.registry.record(action, entry, current_operator(context.obj), given)


def _row(letter: DeadLetter) -> Row:
    return (
        letter.id,
        format_in_rome(letter.queued.enqueued_at),
        letter.reason,
        letter.type or "",
        letter.institution or "",
        letter.queued.message.id,
    )


def _item(letter: DeadLetter) -> Json:
    return {
        "id": letter.id,
        "source": letter.source,
        "since": format_instant(letter.queued.enqueued_at),
        "reason": letter.reason,
        "description": letter.description,
        "type": letter.type,
        "institution": letter.institution,
        "messageId": letter.queued.message.id,
        "deliveries": letter.queued.delivery_count,
    }
