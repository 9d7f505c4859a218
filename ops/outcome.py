"""How a command ends: an exit code, and for a refusal one sentence on the standard error, never a traceback."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from enum import IntEnum
from functools import wraps
from typing import Any, NoReturn, ParamSpec

import typer
from typer.core import TyperCommand, TyperGroup

from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile
from shared.telemetry import error_chain

Parameters = ParamSpec("Parameters")


CHANGED = "Another operator changed it meanwhile, so nothing was done: look at it again with `show`, then repeat."
AFTER_A_FAILURE = "If this was a change, `audit` lists it if it was made: look there before you repeat it."


class ExitCode(IntEnum):
    """What the shell is told."""

    REFUSED = 1
    USAGE = 2
    NO_ANSWER = 3


class Stop(Exception):
    """The command ends here; each of the sentences is a line of its own."""

    def __init__(self, code: ExitCode, *sentences: str) -> None:
        super().__init__(*sentences)
        self.code = code
        self.sentences = sentences


class OneSentence(TyperGroup):
    """The commands; whatever stops them is told in a sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command and end the process with its exit code."""
        try:
            typed = _with_data_first(sys.argv[1:] if args is None else args)
            code = super().main(typed, prog_name, complete_var, False, windows_expand_args, **extra)
        except Stop as stop:
            _end(stop.code, *stop.sentences)
        except ChangedMeanwhile:
            _end(ExitCode.REFUSED, CHANGED)
        except StoreUnavailable as error:
            _end(ExitCode.NO_ANSWER, f"The registry does not answer ({error_chain(error)}). {AFTER_A_FAILURE}")
        except typer.TyperException as error:
            _end(ExitCode.USAGE, error.format_message())
        except typer.Abort:
            _end(ExitCode.REFUSED, "\nNothing was done.")
        sys.exit(code)


_NOT_GIVEN: tuple[object, ...] = (None, (), [])


class Command(TyperCommand):
    """A command that names all the options and arguments that are missing, at once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        if "help" not in given:
            missing: list[Any] = [
                each for each in self.get_params(ctx) if each.required and given.get(each.name) in _NOT_GIVEN
            ]
            if missing:
                names = (f"{each.param_type_name} {each.get_error_hint()}" for each in missing)
                raise Stop(ExitCode.USAGE, *(f"Missing {name}." for name in names))
        return super().parse_args(ctx, args)


def in_loop(command: Callable[Parameters, Coroutine[Any, Any, None]]) -> Callable[Parameters, None]:
    """Let a coroutine be a command."""

    @wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        asyncio.run(command(*args, **kwargs))

    return run


def tell(sentence: str) -> None:
    """Say something beside the answer: a warning, what else to know."""
    typer.echo(sentence, err=True)


def need_consent(yes: bool) -> None:
    """Refuse what has to be confirmed where nobody can be asked."""
    if not yes and not sys.stdin.isatty():
        raise Stop(ExitCode.USAGE, "This cannot be undone, and nobody can be asked here: confirm it with --yes.")


def ask_consent(question: str, yes: bool) -> None:
    """Go on only if the operator says yes."""
    if not yes and not typer.confirm(question, err=True):
        raise Stop(ExitCode.REFUSED, "Nothing was done.")


def _with_data_first(typed: Sequence[str]) -> list[str]:
    """Return what was typed with `--data` and its folder before the command, wherever they were typed."""
    end = typed.index("--") if "--" in typed else len(typed)
    places = [n for n in range(end) if typed[n] == "--data" or typed[n].startswith("--data=")]
    if len(places) > 1:
        raise Stop(ExitCode.USAGE, "--data is given twice.")
    for n in places:
        last = n if "=" in typed[n] else n + 1
        if last == end:
            raise Stop(ExitCode.USAGE, "--data must be followed by a folder.")
        return [*typed[n : last + 1], *typed[:n], *typed[last + 1 :]]
    return list(typed)


def _end(code: ExitCode, *sentences: str) -> NoReturn:
    for sentence in sentences:
        tell(sentence)
    sys.exit(code)
