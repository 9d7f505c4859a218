"""How a command ends: an exit code, and for a refusal one sentence on the standard error, never a traceback."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from enum import IntEnum
from functools import wraps
from typing import Any, NoReturn, ParamSpec

import typer
from typer.core import TyperGroup

from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile
from shared.telemetry import error_chain

Parameters = ParamSpec("Parameters")


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
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except Stop as stop:
            _end(stop.code, *stop.sentences)
        except ChangedMeanwhile:
            _end(ExitCode.REFUSED, "Somebody else changed it meanwhile and nothing was done: look again, then repeat.")
        except StoreUnavailable as error:
            _end(ExitCode.NO_ANSWER, f"The registry does not answer ({error_chain(error)}); nothing was done.")
        except typer.TyperException as error:
            _end(ExitCode.USAGE, error.format_message())
        except typer.Abort:
            _end(ExitCode.REFUSED, "\nNothing was done.")
        sys.exit(code)


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


def _end(code: ExitCode, *sentences: str) -> NoReturn:
    for sentence in sentences:
        tell(sentence)
    sys.exit(code)
