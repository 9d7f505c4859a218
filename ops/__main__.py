"""The entry point: `python -m ops`, which is `make ops ARGS="…"`."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from ops import callers, dead_letters, debtors, events, institutions, keys, readers
from ops.audit import audit
from ops.cli import EXIT_CODES, Command, CommandGroup
from ops.history import history
from ops.opening import choose_store
from ops.sending import send
from ops.smoke import smoke
from ops.uncommunicated import uncommunicated

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    # In help texts, brackets are part of the syntax of options. They are not markup.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)
app.add_typer(institutions.app, name="institutions", epilog=EXIT_CODES)
app.add_typer(callers.app, name="callers", epilog=EXIT_CODES)
app.add_typer(keys.app, name="keys", epilog=EXIT_CODES)
app.add_typer(events.app, name="events", epilog=EXIT_CODES)
app.add_typer(readers.app, name="readers", epilog=EXIT_CODES)
app.add_typer(debtors.app, name="debtors", epilog=EXIT_CODES)
app.add_typer(dead_letters.app, name="dead-letters", epilog=EXIT_CODES)
for command in (audit, history, send, smoke, uncommunicated):
    app.command(cls=Command, epilog=EXIT_CODES)(command)


@app.callback()
def ops(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder of the embedded store, as for `make run`. The default is DATA, or .local. If "
            "ARCHIVE_STORE names a store, leave --data out.",
        ),
    ] = None,
) -> None:
    """Manage institutions, callers, events, lists of debtors and dead letters, and show histories of notices."""
    context.obj = choose_store(data)


def main() -> None:
    """Run one command."""
    for stream in (sys.stdout, sys.stderr):
        # If the terminal cannot print a character, print its code.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="python -m ops")


if __name__ == "__main__":
    main()
