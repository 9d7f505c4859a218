"""Puts the commands together: `python -m ops`, which is `make ops ARGS="…"`."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from ops import callers, institutions, keys
from ops.audit import audit
from ops.opening import choose
from ops.outcome import Command, OneSentence

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, not found, or changed meanwhile; 2 not understood, or not confirmed; "
    "3 the registry does not answer."
)

app = typer.Typer(
    cls=OneSentence,
    no_args_is_help=True,
    add_completion=False,
    # Plain help: brackets are part of what operators type, not markup.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)
app.add_typer(institutions.app, name="institutions", epilog=EXIT_CODES)
app.add_typer(callers.app, name="callers", epilog=EXIT_CODES)
app.add_typer(keys.app, name="keys", epilog=EXIT_CODES)
app.command(cls=Command, epilog=EXIT_CODES)(audit)


@app.callback()
def ops(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder of the embedded store, as for `make run`. Without it DATA, else .local. When "
            "ARCHIVE_STORE names a store, that one is used.",
        ),
    ] = None,
) -> None:
    """Registers the creditor institutions and callers of the archive, and keeps the callers' keys."""
    context.obj = choose(data)


def main() -> None:
    """Run one command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name shows its code; it is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="python -m ops")


if __name__ == "__main__":
    main()
