"""Authenticates callers by their keys, and checks their grants before any look-up."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import NamedTuple

from shared.domain.callers import Caller, Scope
from shared.errors import (
    Forbidden,
    InstitutionNotGranted,
    ScopeNotGranted,
    SegregationCodeNotGranted,
    Unauthenticated,
)
from shared.registry import MINUTE, SECOND, CachedRegistry


class AccessRequest(NamedTuple):
    """The access that a request needs: a scope, an institution, segregation codes.

    A list needs no code, because it shows only granted notices, and the list of a debtor needs no institution. Among
    the codes, None stands for a number that has no code.
    """

    scope: Scope
    institution: str | None
    segregation_codes: tuple[str | None, ...] = ()


def new_key() -> str:
    """Make a key: 256 random bits, 43 letters, digits, `-` and `_`."""
    return token_urlsafe(32)


def key_hash(key: str) -> str:
    """Return the hash under which a key is registered. Keys are random, so a plain hash keeps them secret."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


async def authenticate(registry: CachedRegistry, key: str | None, now: datetime, max_age: timedelta = MINUTE) -> Caller:
    """Return the caller that the key opens for. Raises Unauthenticated."""
    if not key:
        raise Unauthenticated
    hashed = key_hash(key)
    caller = await registry.caller(hashed, max_age)
    if caller is None or not caller.holds(hashed, now):
        raise Unauthenticated(
            "The key in the header Ocp-Apim-Subscription-Key is unknown, expired or revoked."
            " Check that it was copied whole, or ask the operators of the archive for a new one."
        )
    return caller


async def authorise(registry: CachedRegistry, caller: Caller, key: str | None, wanted: AccessRequest) -> Caller:
    """Return the caller, as it is registered now, if it has the access.

    Raises ScopeNotGranted, InstitutionNotGranted, SegregationCodeNotGranted. Whether or not the notice exists.
    """
    try:
        _check(caller, wanted)
    except Forbidden:
        # A grant may be newer than what this process remembers.
        caller = await authenticate(registry, key, registry.clock(), SECOND)
        _check(caller, wanted)
    return caller


def _check(caller: Caller, wanted: AccessRequest) -> None:
    scope, institution = wanted.scope, wanted.institution
    if scope not in caller.scopes:
        raise ScopeNotGranted(
            f"This caller does not have the scope {scope}. Ask the operators of the archive to grant it."
        )
    if institution is None:
        return
    if not caller.segregation_codes(institution):
        if len(institution) != 11:
            raise InstitutionNotGranted(
                f"Correct the fiscal code of the institution: it has 11 digits, not {len(institution)} characters."
            )
        raise InstitutionNotGranted
    for code in wanted.segregation_codes:
        if not caller.acts_for(institution, code):
            raise _code_not_granted(code)


def _code_not_granted(code: str | None) -> SegregationCodeNotGranted:
    if code is None or not code.isdecimal():
        return SegregationCodeNotGranted(
            "The number has no segregation code: only notice numbers of 18 digits that begin with 3 have one."
            " Correct the number, or ask the operators of the archive to grant all codes (*) of the institution."
        )
    return SegregationCodeNotGranted(
        f"Segregation code {code} is not granted to this caller: it stands in digits 2 and 3 of the notice number, or"
        " in the first two of an IUV. Correct the number, or ask the operators of the archive for the grant."
    )
