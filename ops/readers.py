"""Commands for the readers of the feed of changes: list, reset."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from ops.cli import Command, CommandError, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_application
from ops.operator import current_operator
from ops.output import Json, Row, show_list
from ops.views import format_in_rome
from shared.bootstrap import utc_now
from shared.debtor_projection import NAME as DEBTORS
from shared.domain.dates import format_instant
from shared.domain.registry_changes import Action, Entry, Kind
from shared.feed_reader import skip_to_end, waiting_since
from shared.ports import AnotherReader
from shared.relay import NAME as RELAY

app = typer.Typer(no_args_is_help=True, help="The readers of the changes of all notices.")


class Reader(StrEnum):
    """A reader, and what it does with each event."""

    RELAY = RELAY
    DEBTORS = DEBTORS


class Place(StrEnum):
    """Where a reader goes on after a reset."""

    BEGINNING = "beginning"
    END = "end"


EFFECTS = {
    (Reader.RELAY, Place.BEGINNING): "Every event that the archive has is sent again, to all subscriptions.",
    (Reader.RELAY, Place.END): "The events that are not sent yet are not sent. `events resend` can send them.",
    (Reader.DEBTORS, Place.BEGINNING): "The lists of the debtors are written again. They stay readable.",
    (Reader.DEBTORS, Place.END): "The notices that have changed stay in the lists as they are there now."
    " `debtors rebuild` writes all of them.",
}


@app.command("list", cls=Command)
async def list_readers(context: typer.Context, json: JsonOption = False) -> None:
    """List the readers, and since when the oldest event waits for each."""
    async with open_application(context) as application:
        waiting = {reader: await waiting_since(reader, application.feed) for reader in Reader}
    now = utc_now()
    heads = ("reader", "waiting since", "seconds")
    rows = (_row(reader, since, now) for reader, since in waiting.items())
    show_list(heads, rows, (_item(*each) for each in waiting.items()), json=json, unwrapped=heads)


@app.command(cls=Command)
async def reset(
    context: typer.Context,
    reader: Annotated[Reader, typer.Argument(metavar="READER", help="relay_events or project_debtors.")],
    to: Annotated[Place, typer.Option("--to", help="Where it goes on.")],
    yes: YesOption = False,
) -> None:
    """Let a reader go on at the beginning or at the end of all events, wherever it is.

    It is needed after a restore into another account, because the places of the readers are those of the old one.
    """
    warn(EFFECTS[reader, to])
    require_terminal_or_yes(yes)
    confirm(f"Reset {reader} to the {to}?", yes)
    async with open_application(context) as application:
        entry, by = Entry(Kind.READER, reader), current_operator(context.obj)
        await application.registry.record(Action.RESET, entry, by, {"to": to.value})
        if to is Place.BEGINNING:
            await application.feed.forget(reader)
        else:
            try:
                await skip_to_end(reader, application.feed)
            except AnotherReader:
                raise CommandError(f"{reader} has run meanwhile. Stop the archive, or repeat the command.") from None
    typer.echo(f"Reset {reader} to the {to}.")


def _row(reader: Reader, since: datetime | None, now: datetime) -> Row:
    if since is None:
        return reader.value, "nothing waits", "0"
    return reader.value, format_in_rome(since), str(max(0, round((now - since).total_seconds())))


def _item(reader: Reader, since: datetime | None) -> Json:
    return {"reader": reader.value, "waitingSince": None if since is None else format_instant(since)}
