"""How answers are shown: tables for people, on any width, and JSON whose names are permanent, for programs."""

import json as json_text
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ops.rows import Row, show_rows
from shared.domain.callers import Caller, Key
from shared.domain.dates import format_instant, in_rome
from shared.domain.institutions import CreditorInstitution, Exclusion, RegisteredIban

SEEN = "A running archive sees it within 60 seconds."
"""Of a change; what is new is found within a second."""

Json = dict[str, Any]


def show(fields: Json, table: Table, done: str | None = None, *, json: bool) -> None:
    """Show one thing, and what was done with it."""
    if json:
        show_json(fields)
        return
    if done:
        typer.echo(done)
    _show_table(table)


def show_json(fields: Json) -> None:
    """Show an answer for programs."""
    typer.echo(json_text.dumps(fields, ensure_ascii=False, indent=2))


Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Shown]):
    """How a list is shown; texts in the columns named as `whole` are never broken."""

    heads: Row
    row: Callable[[Shown], Row]
    json: Callable[[Shown], Json]
    whole: Collection[str] = ()

    def show(self, items: Sequence[Shown], *, json: bool, **beside: object) -> None:
        """Show the items; JSON also has what stands `beside` them."""
        if json:
            show_json({"items": [self.json(item) for item in items], **beside})
        elif items:
            show_rows(self.heads, [self.row(item) for item in items], self.whole)
        else:
            typer.echo("None.")


def institution_json(institution: CreditorInstitution) -> Json:
    """Return an institution for programs."""
    return {
        "fiscalCode": institution.fiscal_code,
        "name": institution.name,
        "lenient": institution.lenient,
        "standIn": institution.stand_in,
        "ibans": [
            {
                "iban": iban.iban,
                "labels": sorted(iban.labels),
                "postal": iban.postal,
                "default": iban == institution.default_iban,
                "registeredAt": format_instant(iban.registered_at),
            }
            for iban in institution.ibans
        ],
        "exclusions": [
            {
                "segregationCode": exclusion.segregation_code,
                "firstDay": exclusion.first_day.isoformat(),
                "lastDay": exclusion.last_day.isoformat() if exclusion.last_day else None,
            }
            for exclusion in institution.exclusions
        ],
    }


def institution_table(institution: CreditorInstitution) -> Table:
    """Return an institution for people."""
    return _fields(
        ("fiscal code", institution.fiscal_code),
        ("name", institution.name),
        ("checks", _checks(institution)),
        ("Stand-In", _stand_in(institution)),
        ("IBANs", "\n".join(_iban(institution, iban) for iban in institution.ibans) or "none"),
        ("exclusions", "\n".join(map(_exclusion, institution.exclusions)) or "none"),
    )


def _institution_row(institution: CreditorInstitution) -> Row:
    default = institution.default_iban
    checks, stand_in = _checks(institution), _stand_in(institution)
    return institution.fiscal_code, institution.name, checks, stand_in, default.iban if default else "none"


INSTITUTIONS = Listing(
    ("fiscal code", "name", "checks", "Stand-In", "default IBAN"),
    _institution_row,
    institution_json,
    whole=("fiscal code", "default IBAN"),
)


def caller_json(caller: Caller, now: datetime, key: str | None = None) -> Json:
    """Return a caller for programs; `key` is the one that was just made, in clear."""
    fields: Json = {
        "name": caller.name,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "grants": {institution: sorted(codes) for institution, codes in sorted(caller.grants.items())},
        "validFrom": format_instant(caller.valid_from) if caller.valid_from else None,
        "validUntil": format_instant(caller.valid_until) if caller.valid_until else None,
        "valid": caller.is_valid(now),
        "keys": [key_json(key, now) for key in caller.keys],
    }
    return fields | ({"key": key} if key else {})


def caller_table(caller: Caller, now: datetime) -> Table:
    """Return a caller for people."""
    return _fields(
        ("name", caller.name),
        ("role", caller.role),
        ("scopes", ", ".join(sorted(caller.scopes)) or "none"),
        ("grants", "\n".join(_grant(*grant) for grant in sorted(caller.grants.items())) or "none"),
        ("valid", _validity(caller, now)),
        ("keys", "\n".join(f"{key.id}, {_state(key, now)}" for key in caller.keys) or "none"),
    )


def callers(now: datetime, institution: str | None = None) -> Listing[Caller]:
    """Return how callers are listed; for an institution, with the codes that each is granted."""

    def row(caller: Caller) -> Row:
        if institution is None:
            granted = ", ".join(sorted(caller.grants)) if len(caller.grants) <= 3 else str(len(caller.grants))
        else:
            granted = ", ".join(sorted(caller.segregation_codes(institution)))
        valid = "yes" if caller.is_valid(now) else "not now"
        return caller.name, caller.role, granted, valid, str(len(caller.live_keys(now)))

    column = "codes" if institution else "institutions"
    heads = ("name", "role", column, "valid", "live keys")
    return Listing(heads, row, lambda caller: caller_json(caller, now), whole=("name", "role"))


def key_json(key: Key, now: datetime) -> Json:
    """Return a key for programs: never the key, nor its whole hash."""
    return {
        "id": key.id,
        "expiresAt": format_instant(key.expires_at) if key.expires_at else None,
        "live": key.is_live(now),
    }


def keys(now: datetime) -> Listing[Key]:
    """Return how the keys of a caller are listed."""
    return Listing(("key id", "ends", "state"), lambda key: _key_row(key, now), lambda key: key_json(key, now))


def held_keys(now: datetime) -> Listing[tuple[Caller, Key]]:
    """Return how keys are listed, each with its caller."""

    def row(held: tuple[Caller, Key]) -> Row:
        caller, key = held
        return caller.name, caller.role, _validity(caller, now), *_key_row(key, now)

    def json(held: tuple[Caller, Key]) -> Json:
        caller, key = held
        return {"caller": caller.name, "valid": caller.is_valid(now), **key_json(key, now)}

    return Listing(("caller", "role", "valid", "key id", "ends", "state"), row, json, whole=("caller",))


def show_key(key: str) -> None:
    """Show a key, once: on a line of its own, which is never broken."""
    typer.echo(f"\nThe key, shown this once (the registry keeps its SHA-256 only):\n\n{key}\n")


def _checks(institution: CreditorInstitution) -> str:
    return "lenient" if institution.lenient else "strict"


def _stand_in(institution: CreditorInstitution) -> str:
    return "enabled" if institution.stand_in else "not enabled"


def _iban(institution: CreditorInstitution, iban: RegisteredIban) -> str:
    marks = [*sorted(iban.labels)]
    marks += ["postal"] if iban.postal else []
    marks += ["the default"] if iban == institution.default_iban else []
    return ", ".join([iban.iban, *marks])


def _exclusion(exclusion: Exclusion) -> str:
    until = f" through {exclusion.last_day}" if exclusion.last_day else ""
    return f"{exclusion.segregation_code} from {exclusion.first_day}{until}"


def _grant(institution: str, codes: frozenset[str]) -> str:
    return f"{institution}: {', '.join(sorted(codes))}"


def _validity(caller: Caller, now: datetime) -> str:
    limits = [
        *([f"from {moment(caller.valid_from)}"] if caller.valid_from else []),
        *([f"until {moment(caller.valid_until)}"] if caller.valid_until else []),
    ]
    return ", ".join(["yes" if caller.is_valid(now) else "not now", *limits])


def _state(key: Key, now: datetime) -> str:
    if key.expires_at is None:
        return "live"
    return f"{_liveness(key, now)}, {'ends' if key.is_live(now) else 'ended'} {moment(key.expires_at)}"


def _key_row(key: Key, now: datetime) -> Row:
    return key.id, moment(key.expires_at) if key.expires_at else "never", _liveness(key, now)


def _liveness(key: Key, now: datetime) -> str:
    return "live" if key.is_live(now) else "run out"


def moment(at: datetime) -> str:
    """Return a moment as people read it, in Rome."""
    return in_rome(at).isoformat(" ", "seconds")


def _fields(*rows: tuple[str, str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def _show_table(table: Table) -> None:
    # Names are shown as they are: `[b]` in one is no markup.
    console = Console(markup=False, highlight=False, emoji=False)
    wide = console.options.update(max_width=_WIDE)
    needed, wanted = Measurement.get(console, wide, table)
    # A program that reads a table wants a line for each row; on a screen too narrow, the terminal breaks the lines.
    console.width = max(console.width, needed if console.is_terminal else wanted)
    with console.capture() as drawn:
        console.print(table)
    for line in drawn.get().splitlines():
        typer.echo(line.rstrip())


_WIDE = 2000
