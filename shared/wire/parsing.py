"""Parses the bodies of requests: JSON → domain. A refusal names all violations of a body at once."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from shared.domain.content import Changes, Content, Debtor, IbanSource, Stamp, Transfer
from shared.domain.declarations import Publication
from shared.domain.identifiers import Iuv
from shared.domain.notice import CONTENT_FIELDS, Address
from shared.errors import InvalidBody
from shared.wire.bodies import (
    ADDED_BY_THE_ARCHIVE,
    Body,
    DebtorBody,
    DebtorPatchBody,
    LifeCycleBody,
    NoticeBody,
    PatchBody,
    StampBody,
    TransferBody,
)
from shared.wire.json_faults import refusal_of
from shared.wire.texts import ParseContext
from shared.wire.unknown_fields import UnknownFields
from shared.wire.violations import violations_of


@dataclass(frozen=True, slots=True)
class Amendment:
    """A PATCH: the fields that change, the IUV if it is named, and the time of the declaration."""

    changes: Changes
    iuv: Iuv | None
    occurred_at: datetime | None


def parse_json(body: bytes) -> object:
    """Return the JSON value of a body. Raises InvalidEncoding, InvalidJson."""
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise refusal_of(body, str(error)) from None


def parse_notice(value: object, address: Address, context: ParseContext) -> tuple[Publication, datetime | None]:
    """Return the publication of a whole notice, and the time of the declaration. Raises InvalidBody."""
    if isinstance(value, dict):
        value = {name: field for name, field in value.items() if name not in ADDED_BY_THE_ARCHIVE}
    body = _validated(NoticeBody, value, context._replace(number=address.number))
    source = None if body.iban is None else IbanSource.GIVEN
    return Publication(address, _to_domain(Content, body, iban_source=source), body.iuv), body.occurred_at


def parse_amendment(value: object, context: ParseContext) -> Amendment:
    """Return the amendment of a merge patch. Raises InvalidBody."""
    body = _validated(PatchBody, value, context)
    named = _named(body)
    changes = {
        name: _DEFAULTS.get(name) if value is None else value for name, value in named.items() if name in CONTENT_FIELDS
    }
    return Amendment(changes, body.iuv, body.occurred_at)


def parse_life_cycle_event(value: object, address: Address, context: ParseContext) -> LifeCycleBody:
    """Return the declared event. Raises InvalidBody."""
    return _validated(LifeCycleBody, value, context._replace(number=address.number))


Part = TypeVar("Part")
_PARTS: Mapping[type[Body], type[Any]] = {DebtorBody: Debtor, TransferBody: Transfer, StampBody: Stamp}
_KINDS: tuple[type[Any], ...] = (Content, Debtor, Transfer, Stamp)
_FIELDS: Mapping[type[Any], list[tuple[str, bool]]] = {
    kind: [(one.name, one.default is MISSING and one.default_factory is MISSING) for one in fields(kind)]
    for kind in _KINDS
}
"""The fields of each part, and whether they have no default."""
_DEFAULTS = {one.name: one.default for one in fields(Content) if one.default is not MISSING}


def _to_domain(kind: type[Part], body: Body, **values: Any) -> Part:
    """Return the part of a notice that a body holds, with other values that it does not hold.

    A field that is null has the default of the domain, if any.
    """
    given = vars(body)
    for name, is_required in _FIELDS[kind]:
        value = given.get(name)
        if value is not None or is_required:
            values[name] = _value(value)
    return kind(**values)


def _named(body: Body) -> dict[str, Any]:
    """Return the fields that a body names."""
    return {name: _value(getattr(body, name)) for name in body.model_fields_set}


def _value(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return tuple(map(_value, value))
    if kind in _PARTS:
        return _to_domain(_PARTS[kind], value)
    return _named(value) if kind is DebtorPatchBody else value


Kind = TypeVar("Kind", bound=Body)

MANY = 2000
"""Broken rules that a body can have without very many unknown fields, with room to spare."""


_UNKNOWN_FIELDS: Mapping[type[Body], UnknownFields] = {
    kind: UnknownFields(kind, ADDED_BY_THE_ARCHIVE) for kind in (NoticeBody, PatchBody, LifeCycleBody)
}


def _validated(kind: type[Kind], value: object, context: ParseContext) -> Kind:
    unknown = _UNKNOWN_FIELDS[kind]
    try:
        return kind.model_validate(value, context=context)
    except ValidationError as error:
        if error.error_count() <= MANY:
            raise InvalidBody(violations=violations_of(error, unknown.explain)) from None
    # So many errors are of unknown fields. Making each of them takes ten times as long as validation.
    return _validated(kind, unknown.shortened(value), context)
