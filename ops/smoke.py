"""The command `smoke`: test a deployed archive over HTTP with a notice of its own."""

import asyncio
from typing import Annotated

import typer

from ops.calls import Api, parse_base
from ops.cli import CommandError, JsonOption, warn
from ops.opening import read_key
from ops.output import show_json
from ops.parsing import UsageErrors, parse_segregation_code
from ops.smoke_run import SmokeRun, Step, new_number
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address

KEY_VARIABLE = "SMOKE_KEY"


async def smoke(
    base: Annotated[str, typer.Option(metavar="URL", help="Where the archive is: https://archive.example/api.")],
    institution: Annotated[str, typer.Option(metavar="CODE", help="A test institution with a default IBAN.")],
    code: Annotated[str, typer.Option(metavar="CC", help="The segregation code of the test notice.")],
    call_limit: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, max=300, help="The most for one call.")
    ] = 30,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, max=1800, help="The most to wait until the archive is up.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Publish, read and cancel a test notice over HTTP, and check what only the archive answers.

    The key of the caller comes from the variable SMOKE_KEY, or from standard input. The caller needs notices:write,
    notices:read, and a grant for the institution and the segregation code. Exits with 3 if nothing answers at URL.
    """
    with UsageErrors() as errors:
        address = errors.parse("--base", parse_base, base)
        ec = errors.parse("--institution", InstitutionCode.parse, institution)
        segregation_code = errors.parse("--code", parse_segregation_code, code)
    key = read_key(KEY_VARIABLE)
    run = SmokeRun(Api(address, call_limit), Address(ec, new_number(segregation_code)), _keep if json else _print)
    try:
        await run.all(key, wait)
    except asyncio.CancelledError:
        # After Ctrl-C too, the operator must know whether the notice was cancelled.
        for fault in run.faults:
            warn(fault)
        raise
    finally:
        if json:
            show_json(run.json)
    if run.faults:
        raise CommandError(*run.faults)
    if not json:
        typer.echo(f"Passed. The test notice was {ec}/{run.notice.number}.")


def _print(step: Step) -> None:
    typer.echo(f"{step.name:<16}{step.seconds * 1000:>6.0f} ms  {step.answer}{'  FAILED' if step.fault else ''}")


def _keep(_: Step) -> None:
    """Print nothing: JSON is printed at the end."""
