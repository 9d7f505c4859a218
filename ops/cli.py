"""Typer commands that are async, and that end with an exit code and error messages, never with a traceback."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from shared.errors import StoreUnavailable
from shared.ports import BusUnavailable, ChangedMeanwhile
from shared.telemetry import error_chain

EXIT_CODES = (
    "Exit codes: 0 success. 1 refused, declined, not found, or changed by another operator. "
    "2 not understood, or nobody to ask. 3 the store, the bus or the archive does not answer."
)
CONFLICT = "Another operator has changed it, so nothing was done. Look at it with `show`, then repeat."
CHECK_AUDIT = "Before you repeat a change, look in `audit` whether it was made."

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class ExitCode(IntEnum):
    """The exit code of a command that fails."""

    REFUSED = 1
    USAGE = 2
    NO_ANSWER = 3


class CommandError(Exception):
    """Ends the command with an exit code. Each message is printed on a line of its own."""

    def __init__(self, *messages: str, code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(*messages)
        self.code = code
        self.messages = messages


class CommandGroup(TyperGroup):
    """The group of all commands. It prints errors as messages."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **options: Any) -> NoReturn:
        """Run the command and exit."""
        try:
            arguments = _move_data_to_front(sys.argv[1:] if args is None else args)
            code = super().main(arguments, **{**options, "standalone_mode": False})
        except CommandError as error:
            _exit(*error.messages, code=error.code)
        except ChangedMeanwhile:
            _exit(CONFLICT)
        except StoreUnavailable as error:
            _exit(
                f"The store does not answer ({error_chain(error)}). {CHECK_AUDIT}",
                *_notes(error),
                code=ExitCode.NO_ANSWER,
            )
        except BusUnavailable as error:
            _exit(
                f"The bus does not answer ({error_chain(error)}). A repetition does no harm.",
                *_notes(error),
                code=ExitCode.NO_ANSWER,
            )
        except typer.TyperException as error:
            _exit(error.format_message(), code=ExitCode.USAGE)
        except typer.Abort:
            _exit("\nNothing was done.")
        sys.exit(code)


_MISSING: tuple[object, ...] = (None, (), [])


class Command(TyperCommand):
    """An async command. Its usage errors name all missing options and arguments at once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        if "help" not in given:
            missing: list[Any] = [
                each for each in self.get_params(ctx) if each.required and given.get(each.name) in _MISSING
            ]
            if missing:
                names = (f"{each.param_type_name} {each.get_error_hint()}" for each in missing)
                raise CommandError(*(f"Missing {name}." for name in names), code=ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> None:
        """Run the coroutine of the command. Ctrl-C cancels it."""
        try:
            asyncio.run(super().invoke(ctx))
        except KeyboardInterrupt:
            raise CommandError(f"\nStopped. {CHECK_AUDIT}") from None


def warn(message: str) -> None:
    """Print a message on standard error."""
    typer.echo(message, err=True)


def require_terminal_or_yes(yes: bool) -> None:
    """Raise CommandError if the command is not confirmed, and there is no terminal to ask."""
    if not yes and not sys.stdin.isatty():
        raise CommandError("This cannot be undone, and there is no terminal to ask: add --yes.", code=ExitCode.USAGE)


def confirm(question: str, yes: bool) -> None:
    """Ask the operator, and raise CommandError if the answer is no."""
    if yes:
        return
    # asyncio would take Ctrl-C for the command, and the question would go on.
    of_asyncio = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        is_confirmed = typer.confirm(question, err=True)
    finally:
        signal.signal(signal.SIGINT, of_asyncio)
    if not is_confirmed:
        raise CommandError("Nothing was done.")


def _move_data_to_front(args: Sequence[str]) -> list[str]:
    """Return the arguments with `--data FOLDER` before the command. Operators may write it anywhere."""
    end = args.index("--") if "--" in args else len(args)
    places = [n for n in range(end) if args[n] == "--data" or args[n].startswith("--data=")]
    if len(places) > 1:
        raise CommandError("--data is given twice.", code=ExitCode.USAGE)
    for n in places:
        last = n if "=" in args[n] else n + 1
        if last == end:
            raise CommandError("--data must be followed by a folder.", code=ExitCode.USAGE)
        return [*args[n : last + 1], *args[:n], *args[last + 1 :]]
    return list(args)


def _notes(error: Exception) -> Sequence[str]:
    """Return what was added to the error on its way."""
    return getattr(error, "__notes__", ())


def _exit(*messages: str, code: ExitCode = ExitCode.REFUSED) -> NoReturn:
    for message in messages:
        warn(message)
    sys.exit(code)
