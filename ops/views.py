"""Print institutions, callers and keys: as text, or as JSON whose names are permanent."""

from collections.abc import Iterable
from datetime import datetime

import typer

from ops.output import Json, Row, show_list, show_one
from shared.domain.callers import Caller, Key
from shared.domain.dates import format_instant, in_rome
from shared.domain.institutions import CreditorInstitution, Exclusion, RegisteredIban

WITHIN_A_MINUTE = "A running archive sees it within 60 seconds."
"""For changes and removals. Additions are seen within a second."""


def describe_change(before: object, after: object) -> str:
    """Return the message of a `change` command."""
    return f"Changed. {WITHIN_A_MINUTE}" if after != before else "Nothing to change."


def show_institution(institution: CreditorInstitution, message: str | None = None, *, json: bool) -> None:
    """Print an institution, as text after a message."""
    fields = (
        ("fiscal code", institution.fiscal_code),
        ("name", institution.name),
        ("checks", _checks(institution)),
        ("Stand-In", _stand_in(institution)),
        ("IBANs", "\n".join(_iban(institution, iban) for iban in institution.ibans) or "none"),
        ("exclusions", "\n".join(map(_exclusion, institution.exclusions)) or "none"),
    )
    show_one(_institution_json(institution), fields, message, json=json)


def show_institutions(institutions: Iterable[CreditorInstitution], *, json: bool) -> None:
    """Print a list of institutions."""
    heads = ("fiscal code", "name", "checks", "Stand-In", "default IBAN")
    rows, items = map(_institution_row, institutions), map(_institution_json, institutions)
    show_list(heads, rows, items, json=json, unwrapped=("fiscal code", "default IBAN"))


def show_caller(
    caller: Caller, now: datetime, message: str | None = None, *, key: str | None = None, json: bool
) -> None:
    """Print a caller, as text after a message. `key` is its new key, in clear."""
    fields = (
        ("name", caller.name),
        ("role", caller.role),
        ("scopes", ", ".join(sorted(caller.scopes)) or "none"),
        ("grants", "\n".join(_grant(*grant) for grant in sorted(caller.grants.items())) or "none"),
        ("valid", _validity(caller, now)),
        ("keys", "\n".join(_key(key, now) for key in caller.keys) or "none"),
    )
    show_one(caller_json(caller, now, key), fields, message, json=json)
    if key and not json:
        show_new_key(key)


def show_callers(callers: Iterable[Caller], now: datetime, institution: str | None, *, json: bool) -> None:
    """Print a list of callers. For one institution, it shows the segregation codes that each caller was granted."""

    def row(caller: Caller) -> Row:
        if institution is not None:
            granted = ", ".join(sorted(caller.segregation_codes(institution)))
        else:
            granted = ", ".join(sorted(caller.grants)) if len(caller.grants) <= 3 else str(len(caller.grants))
        return caller.name, caller.role, granted, _valid(caller, now), str(len(caller.live_keys(now)))

    heads = ("name", "role", "codes" if institution else "institutions", "valid", "live keys")
    items = (caller_json(caller, now) for caller in callers)
    show_list(heads, map(row, callers), items, json=json, unwrapped=("name", "role"))


def show_keys(keys: Iterable[Key], now: datetime, *, json: bool) -> None:
    """Print the keys of a caller."""
    rows = (_key_row(key, now) for key in keys)
    show_list(("key id", "ends", "state"), rows, (_key_json(key, now) for key in keys), json=json)


def show_callers_of_key(found: Iterable[tuple[Caller, Key]], now: datetime, *, json: bool) -> None:
    """Print callers, each with a key of its own."""
    heads = ("caller", "role", "valid", "key id", "ends", "state")
    rows = ((caller.name, caller.role, _validity(caller, now), *_key_row(key, now)) for caller, key in found)
    items = ({"caller": caller.name, "valid": caller.is_valid(now), **_key_json(key, now)} for caller, key in found)
    show_list(heads, rows, items, json=json, unwrapped=("caller",))


def show_new_key(key: str) -> None:
    """Print a key on a line of its own, which is never wrapped."""
    typer.echo(f"\nThe key, shown only now (the registry keeps only its SHA-256):\n\n{key}\n")


def caller_json(caller: Caller, now: datetime, key: str | None = None) -> Json:
    """Return the JSON of a caller. `key` is its new key, in clear."""
    fields: Json = {
        "name": caller.name,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "grants": {institution: sorted(codes) for institution, codes in sorted(caller.grants.items())},
        "validFrom": format_instant(caller.valid_from) if caller.valid_from else None,
        "validUntil": format_instant(caller.valid_until) if caller.valid_until else None,
        "valid": caller.is_valid(now),
        "keys": [_key_json(key, now) for key in caller.keys],
    }
    return fields | ({"key": key} if key else {})


def format_in_rome(instant: datetime) -> str:
    """Return a date-time as text, in the time of Rome."""
    return in_rome(instant).isoformat(" ", "seconds")


def _institution_json(institution: CreditorInstitution) -> Json:
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


def _institution_row(institution: CreditorInstitution) -> Row:
    default = institution.default_iban
    checks, stand_in = _checks(institution), _stand_in(institution)
    return institution.fiscal_code, institution.name, checks, stand_in, default.iban if default else "none"


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


def _valid(caller: Caller, now: datetime) -> str:
    return "yes" if caller.is_valid(now) else "not now"


def _validity(caller: Caller, now: datetime) -> str:
    limits = [
        *([f"from {format_in_rome(caller.valid_from)}"] if caller.valid_from else []),
        *([f"until {format_in_rome(caller.valid_until)}"] if caller.valid_until else []),
    ]
    return ", ".join([_valid(caller, now), *limits])


def _key(key: Key, now: datetime) -> str:
    word = "until" if key.is_live(now) else "on"
    end = f" {word} {format_in_rome(key.expires_at)}" if key.expires_at else ""
    return f"{key.id}, {_state(key, now)}{end}"


def _key_row(key: Key, now: datetime) -> Row:
    return key.id, format_in_rome(key.expires_at) if key.expires_at else "never", _state(key, now)


def _state(key: Key, now: datetime) -> str:
    return "live" if key.is_live(now) else "expired"


def _key_json(key: Key, now: datetime) -> Json:
    # Never the key, and never its whole hash.
    return {
        "id": key.id,
        "expiresAt": format_instant(key.expires_at) if key.expires_at else None,
        "live": key.is_live(now),
    }
