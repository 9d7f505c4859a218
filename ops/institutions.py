"""Commands for creditor institutions: add, show, list, change, remove."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated
from unicodedata import combining, normalize

import typer

from ops.cli import Command, CommandError, JsonOption, YesOption, confirm, require_terminal_or_yes, warn
from ops.opening import open_registry
from ops.operator import current_operator
from ops.parsing import (
    IbanParser,
    UsageErrors,
    parse_argument,
    parse_exclusion,
    parse_exclusion_to_remove,
    parse_institution_name,
)
from ops.views import WITHIN_A_MINUTE, describe_change, show_institution, show_institutions
from shared.bootstrap import utc_now
from shared.domain.identifiers import Iban, InstitutionCode
from shared.domain.institutions import DEFAULT_LABEL, CreditorInstitution, Exclusion, RegisteredIban
from shared.ports import ChangedMeanwhile, Registry

app = typer.Typer(no_args_is_help=True, help="Creditor institutions, their IBANs and their rules.")

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="The fiscal code of the institution, 11 digits.")]
NAME_HELP = "Its name as payers see it, 1-140 characters."
IBAN_HELP = (
    "IBAN[:LABEL,...][:postal]. The default label is ACA, for notices without an IBAN. With `postal` it is also their "
    "postal IBAN. Repeatable."
)
EXCLUSION_HELP = "CODE:FIRST_DAY[:LAST_DAY]: payments of this segregation code need no notice. Repeatable."


@app.command(cls=Command)
async def add(
    context: typer.Context,
    code: CodeArgument,
    name: Annotated[str, typer.Option(metavar="NAME", help=NAME_HELP)],
    iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help=IBAN_HELP)] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="EXCLUSION", help=EXCLUSION_HELP)] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="For test environments: only the form of numbers and codes is checked.")
    ] = False,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Its notices can be paid while its system is down.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Register an institution. Creates the archive if there is none."""
    with UsageErrors() as errors:
        institution = CreditorInstitution(
            errors.parse("CODE", InstitutionCode.parse, code),
            errors.parse("--name", parse_institution_name, name),
            errors.parse_all("--iban", IbanParser(lenient, utc_now()), iban),
            lenient,
            stand_in,
            errors.parse_all("--exclude", parse_exclusion, exclude),
        )
        _check_duplicates(errors, institution)
    async with open_registry(context, may_create=True) as registry:
        try:
            await registry.save_institution(institution, None, current_operator(context.obj))
        except ChangedMeanwhile:
            raise CommandError(f"{code} is already registered. `institutions change {code}` changes it.") from None
    _warn(institution)
    show_institution(institution, "Registered.", json=json)


@app.command("show", cls=Command)
async def show_one(context: typer.Context, code: CodeArgument, json: JsonOption = False) -> None:
    """Show an institution."""
    async with open_registry(context) as registry:
        institution = await _registered_institution(registry, code)
    show_institution(institution, json=json)


@app.command("list", cls=Command)
async def show_all(
    context: typer.Context,
    name: Annotated[
        str, typer.Option(metavar="PART", help="A part of the name. Case, accents and apostrophes are ignored.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """List the institutions, by fiscal code."""
    async with open_registry(context) as registry:
        institutions = await registry.institutions()
    part = _normalize(name)
    show_institutions([each for each in institutions if part in _normalize(each.name)], json=json)


@app.command(cls=Command)
async def change(
    context: typer.Context,
    code: CodeArgument,
    name: Annotated[str | None, typer.Option(metavar="NAME", help=NAME_HELP)] = None,
    add_iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help=IBAN_HELP)] = None,
    remove_iban: Annotated[list[str] | None, typer.Option(metavar="IBAN", help="Repeatable.")] = None,
    add_exclusion: Annotated[list[str] | None, typer.Option(metavar="EXCLUSION", help=EXCLUSION_HELP)] = None,
    remove_exclusion: Annotated[
        list[str] | None, typer.Option(metavar="EXCLUSION", help="CODE:FIRST_DAY. Repeatable.")
    ] = None,
    lenient: Annotated[bool | None, typer.Option("--lenient/--strict", help="How codes are checked.")] = None,
    stand_in: Annotated[bool | None, typer.Option("--stand-in/--no-stand-in", help="Enable Stand-In or not.")] = None,
    json: JsonOption = False,
) -> None:
    """Change an institution. Options left out change nothing. Removals come first, so one command can replace."""
    async with open_registry(context) as registry:
        before = await _registered_institution(registry, code)
        is_lenient = before.lenient if lenient is None else lenient
        parse_iban = IbanParser(is_lenient, utc_now())
        with UsageErrors() as errors:
            new_name = errors.parse_optional("--name", parse_institution_name, name, before.name)
            ibans_to_add = errors.parse_all("--add-iban", parse_iban, add_iban)
            exclusions_to_add = errors.parse_all("--add-exclusion", parse_exclusion, add_exclusion)
            exclusions_to_remove = errors.parse_all("--remove-exclusion", parse_exclusion_to_remove, remove_exclusion)
        after = replace(
            before,
            name=new_name,
            ibans=(*_remove_ibans(before, remove_iban or ()), *ibans_to_add),
            lenient=is_lenient,
            stand_in=before.stand_in if stand_in is None else stand_in,
            exclusions=(*_remove_exclusions(before, exclusions_to_remove), *exclusions_to_add),
        )
        with UsageErrors() as errors:
            _check_duplicates(errors, after)
            for each in after.ibans:
                errors.parse("The IBAN", parse_iban.code_parser(each.postal), each.iban)
        if after != before:
            await registry.save_institution(after, before, current_operator(context.obj))
    _warn(after)
    show_institution(after, describe_change(before, after), json=json)


@app.command(cls=Command)
async def remove(context: typer.Context, code: CodeArgument, yes: YesOption = False) -> None:
    """Remove an institution. Its notices stay, but callers cannot read or change them until it is registered again."""
    require_terminal_or_yes(yes)
    async with open_registry(context) as registry:
        institution = await _registered_institution(registry, code)
        granted = [caller.name for caller in await registry.callers() if code in caller.grants]
        confirm(f"Remove {code}, {institution.name}? Its notices stay, but callers cannot read or change them.", yes)
        await registry.remove_institution(institution, current_operator(context.obj))
    typer.echo(f"Removed {code}. {WITHIN_A_MINUTE}")
    if granted:
        names = ", ".join(granted)
        warn(f"Still granted to {names}. `callers change NAME --remove-grant {code}` removes a grant.")


def unregistered(code: str) -> CommandError:
    """Return the error for an institution that is not registered."""
    return CommandError(f"{code} is not registered. `institutions list` shows the registered institutions.")


async def _registered_institution(registry: Registry, code: str) -> CreditorInstitution:
    institution = await registry.institution(parse_argument("CODE", InstitutionCode.parse, code))
    if institution is None:
        raise unregistered(code)
    return institution


def _normalize(name: str) -> str:
    """Return a name without case, accents and apostrophes: Città, CITTA' and citta are equal."""
    letters = normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not combining(letter) and letter not in _APOSTROPHES)


_APOSTROPHES = "'`´‘’"


def _remove_ibans(institution: CreditorInstitution, texts: Iterable[str]) -> tuple[RegisteredIban, ...]:
    removed = set(map(Iban, texts))
    if unknown := removed - {iban.iban for iban in institution.ibans}:
        raise _not_registered(institution, *(f"The IBAN {iban!r} is not registered." for iban in sorted(unknown)))
    return tuple(iban for iban in institution.ibans if iban.iban not in removed)


def _remove_exclusions(institution: CreditorInstitution, keys: Iterable[tuple[str, date]]) -> tuple[Exclusion, ...]:
    removed = set(keys)
    if unknown := removed - {(each.segregation_code, each.first_day) for each in institution.exclusions}:
        messages = (f"The exclusion '{code}:{first_day}' is not registered." for code, first_day in sorted(unknown))
        raise _not_registered(institution, *messages)
    return tuple(each for each in institution.exclusions if (each.segregation_code, each.first_day) not in removed)


def _not_registered(institution: CreditorInstitution, *messages: str) -> CommandError:
    hint = f"`institutions show {institution.fiscal_code}` shows its IBANs and exclusions."
    return CommandError(*messages, hint)


def _check_duplicates(errors: UsageErrors, institution: CreditorInstitution) -> None:
    ibans = [iban.iban for iban in institution.ibans]
    errors.check(
        len(ibans) == len(set(ibans)),
        "An IBAN would be registered twice. To change its labels, or make it the newest, also remove it.",
    )
    exclusions = [(exclusion.segregation_code, exclusion.first_day) for exclusion in institution.exclusions]
    errors.check(
        len(exclusions) == len(set(exclusions)),
        "An exclusion would be registered twice. To change its last day, also remove it.",
    )


def _warn(institution: CreditorInstitution) -> None:
    if institution.default_iban is None:
        warn(f"No IBAN has the label {DEFAULT_LABEL}. A notice without an IBAN is refused (no_iban_registered).")
