"""Creditor institutions: register, show, list, change, remove."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated
from unicodedata import combining, normalize

import typer

from ops.opening import opened
from ops.operator import operator
from ops.outcome import Command, ExitCode, Stop, ask_consent, in_loop, need_consent, tell
from ops.reading import Faults, IbanReader, exclusion, institution_name, removed_exclusion
from ops.showing import INSTITUTIONS, SEEN, institution_json, institution_table, show
from shared.bootstrap import utc_now
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, Exclusion, RegisteredIban
from shared.ports import ChangedMeanwhile, Registry

app = typer.Typer(no_args_is_help=True, help="Creditor institutions: who they are, their IBANs and their rules.")

Code = Annotated[str, typer.Argument(metavar="CODE", help="The fiscal code of the institution, 11 digits.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
IBAN_HELP = (
    "IBAN[:LABEL,...][:postal], repeatable. Without labels it is ACA, an IBAN for the notices that name none. "
    "`postal`: it also serves as their postal IBAN."
)
EXCLUSION_HELP = "CODE:FIRST_DAY[:LAST_DAY], repeatable: payments of this segregation code need no notice."


@app.command(cls=Command)
@in_loop
async def add(
    context: typer.Context,
    code: Code,
    name: Annotated[str, typer.Option(metavar="NAME", help="As payers read it, 1-140 characters.")],
    iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help=IBAN_HELP)] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="EXCLUSION", help=EXCLUSION_HELP)] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Test environments: numbers and codes are checked for form only.")
    ] = False,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Its notices are paid while its system is down.")
    ] = False,
    json: Json = False,
) -> None:
    """Register an institution. The first one begins a new archive where there is none."""
    with Faults() as faults:
        institution = CreditorInstitution(
            faults.read("CODE", InstitutionCode.parse, code),
            faults.read("--name", institution_name, name),
            faults.read_all("--iban", IbanReader(lenient, utc_now()), iban),
            lenient,
            stand_in,
            faults.read_all("--exclude", exclusion, exclude),
        )
        _check_nothing_twice(faults, institution)
    async with opened(context, may_make=True) as registry:
        try:
            await registry.save_institution(institution, None, operator(context.obj))
        except ChangedMeanwhile:
            raise Stop(
                ExitCode.REFUSED, f"{code} is registered already: `institutions change {code}` changes what is known."
            ) from None
    _warn(institution)
    show(institution_json(institution), institution_table(institution), "Registered.", json=json)


@app.command("show", cls=Command)
@in_loop
async def show_one(context: typer.Context, code: Code, json: Json = False) -> None:
    """Show an institution."""
    async with opened(context) as registry:
        institution = await _registered(registry, code)
    show(institution_json(institution), institution_table(institution), json=json)


@app.command("list", cls=Command)
@in_loop
async def show_list(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Option(
            metavar="PART", help="Only those with this in their name; case, accents, apostrophes do not count."
        ),
    ] = "",
    json: Json = False,
) -> None:
    """List the institutions, by fiscal code."""
    async with opened(context) as registry:
        found = await registry.institutions()
    part = _bare(name)
    INSTITUTIONS.show([each for each in found if part in _bare(each.name)], json=json)


@app.command(cls=Command)
@in_loop
async def change(
    context: typer.Context,
    code: Code,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="As payers read it, 1-140 characters.")] = None,
    add_iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help=IBAN_HELP)] = None,
    remove_iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help="Repeatable.")] = None,
    add_exclusion: Annotated[list[str] | None, typer.Option(metavar="EXCLUSION", help=EXCLUSION_HELP)] = None,
    remove_exclusion: Annotated[
        list[str] | None, typer.Option(metavar="EXCLUSION", help="CODE:FIRST_DAY, repeatable.")
    ] = None,
    lenient: Annotated[bool | None, typer.Option("--lenient/--strict", help="How codes are checked.")] = None,
    stand_in: Annotated[bool | None, typer.Option("--stand-in/--no-stand-in", help="Whether it is enabled.")] = None,
    json: Json = False,
) -> None:
    """Change an institution: what is not named stays. Removals come first, so one command can replace."""
    async with opened(context) as registry:
        before = await _registered(registry, code)
        is_lenient = before.lenient if lenient is None else lenient
        read_iban = IbanReader(is_lenient, utc_now())
        with Faults() as faults:
            new_name = before.name if name is None else faults.read("--name", institution_name, name)
            added = faults.read_all("--add-iban", read_iban, add_iban)
            added_exclusions = faults.read_all("--add-exclusion", exclusion, add_exclusion)
            gone = faults.read_all("--remove-exclusion", removed_exclusion, remove_exclusion)
        after = replace(
            before,
            name=new_name,
            ibans=(*_without(before, remove_iban or ()), *added),
            lenient=is_lenient,
            stand_in=before.stand_in if stand_in is None else stand_in,
            exclusions=(*_without_exclusions(before, gone), *added_exclusions),
        )
        with Faults() as faults:
            _check_nothing_twice(faults, after)
            for kept in after.ibans:
                faults.read("The IBAN", read_iban.parser(kept.postal), kept.iban)
        if after != before:
            await registry.save_institution(after, before, operator(context.obj))
    _warn(after)
    done = f"Changed. {SEEN}" if after != before else "Nothing to change: it is like that already."
    show(institution_json(after), institution_table(after), done, json=json)


@app.command(cls=Command)
@in_loop
async def remove(
    context: typer.Context,
    code: Code,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take an institution out of the register. Its notices stay, and nobody can reach them until it is back."""
    need_consent(yes)
    async with opened(context) as registry:
        institution = await _registered(registry, code)
        granted = [caller.name for caller in await registry.callers() if code in caller.grants]
        ask_consent(f"Remove {code}, {institution.name}? Its notices stay, but nobody can reach them.", yes)
        await registry.remove_institution(institution, operator(context.obj))
    typer.echo(f"Removed {code}. {SEEN}")
    if granted:
        tell(f"Still granted to {', '.join(granted)}: `callers change NAME --remove-grant {code}` takes it away.")


async def _registered(registry: Registry, code: str) -> CreditorInstitution:
    with Faults() as faults:
        parsed = faults.read("CODE", InstitutionCode.parse, code)
    institution = await registry.institution(parsed)
    if institution is None:
        raise Stop(ExitCode.REFUSED, f"{code} is not registered: `institutions list` shows those that are.")
    return institution


def _bare(name: str) -> str:
    """Return a name without case, accents and apostrophes: Città, CITTA' and citta are one."""
    letters = normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not combining(letter) and letter not in _APOSTROPHES)


_APOSTROPHES = "'`´‘’"


def _without(institution: CreditorInstitution, removed: Iterable[str]) -> tuple[RegisteredIban, ...]:
    gone = set(map(Iban, removed))
    if unknown := gone - {iban.iban for iban in institution.ibans}:
        raise Stop(
            ExitCode.REFUSED,
            *(f"The IBAN {iban!r} is not registered: {_look(institution)}." for iban in sorted(unknown)),
        )
    return tuple(iban for iban in institution.ibans if iban.iban not in gone)


def _without_exclusions(institution: CreditorInstitution, removed: Iterable[object]) -> tuple[Exclusion, ...]:
    names = {(exclusion.segregation_code, exclusion.first_day) for exclusion in institution.exclusions}
    gone = set(removed)
    if gone - names:
        raise Stop(
            ExitCode.REFUSED,
            f"{len(gone - names)} of the exclusions to remove are not registered: {_look(institution)}.",
        )
    return tuple(each for each in institution.exclusions if (each.segregation_code, each.first_day) not in gone)


def _look(institution: CreditorInstitution) -> str:
    return f"`institutions show {institution.fiscal_code}` shows those that are"


def _check_nothing_twice(faults: Faults, institution: CreditorInstitution) -> None:
    ibans = [iban.iban for iban in institution.ibans]
    faults.check(
        len(ibans) == len(set(ibans)),
        "An IBAN would be registered twice: to give it other labels, or make it the newest, remove it as well.",
    )
    exclusions = [(exclusion.segregation_code, exclusion.first_day) for exclusion in institution.exclusions]
    faults.check(
        len(exclusions) == len(set(exclusions)),
        "A segregation code would be excluded twice from the same day: to give it another last day, remove it as well.",
    )


def _warn(institution: CreditorInstitution) -> None:
    if institution.default_iban is None:
        tell(f"No IBAN has the label {DEFAULT_LABEL}: notices that name no IBAN are refused (no_iban_registered).")
