"""Commands for the lists of the debtors: rebuild."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from ops.cli import Command, CommandError, ExitCode, warn
from ops.opening import open_application
from ops.views import format_in_rome
from shared.debtor_projection import DebtorProjection
from shared.errors import Unavailable
from shared.telemetry import error_chain

app = typer.Typer(no_args_is_help=True, help="The lists of what debtors can pay.")

STEP = timedelta(seconds=5)
"""Between two lines about the progress."""
CLOCKS_APART = timedelta(seconds=10)
"""By how much the clocks of two machines may differ."""
GO_ON = "The same command goes on where it was."


@app.command(cls=Command)
async def rebuild(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Forget how far a rebuild came that was stopped.")
    ] = False,
) -> None:
    """Write every entry of the lists again, from all events. Publishing and reading go on.

    If it is stopped, the same command goes on where it was. It is needed after the first key of DEBTOR_KEYS has
    changed, and it does no harm at any time. The entries move to the first key.
    """
    async with open_application(context) as application:
        if application.debtors is None:
            raise CommandError("No debtor keys are set: set DEBTOR_KEYS as the archive has it.", code=ExitCode.USAGE)
        if from_beginning:
            await application.feed.forget(application.debtors.rebuilder.name)
        try:
            events = await _rebuild(application.debtors)
        except asyncio.CancelledError:  # Ctrl-C
            raise CommandError(f"\nStopped. {GO_ON}") from None
        await application.feed.forget(application.debtors.rebuilder.name)
        newest, *older = application.debtors.hashes.key_ids
    others = f" None are left under {', '.join(older)}." if older else ""
    typer.echo(f"Rebuilt the lists from {events:,} events, under the key {newest}.{others}")


async def _rebuild(debtors: DebtorProjection) -> int:
    """Rebuild until the events have no more. Return how many there were in this run."""
    reader, events = debtors.rebuilder, 0
    # Later events are the work of `project_debtors` alone. Where there are always some, a rebuild would not end.
    until = reader.clock() + CLOCKS_APART
    while True:
        turn = await reader.run(reader.clock() + STEP, until)
        events += turn.events
        if isinstance(turn.failure, Unavailable):
            raise turn.failure
        if turn.failure is not None:
            raise CommandError(
                f"It stopped ({error_chain(turn.failure)}). {GO_ON} If it stops again, use the version of the archive"
                " that runs."
            )
        if turn.is_drained:
            return events
        recorded = f", until {format_in_rome(turn.waiting_since)}" if turn.waiting_since else ""
        warn(f"{events:,} events done{recorded}.")
