"""The parameters of reads: query string → search. A cursor is valid for its own filters only."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Annotated, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from shared.archive import History, Page
from shared.domain.dates import parse_day, parse_instant
from shared.domain.identifiers import InstitutionCode
from shared.domain.lifecycle import TRUE_NOW, Anomaly, Status
from shared.domain.notice import Address
from shared.errors import InvalidCursor, InvalidParameter, InvalidValue, Violation
from shared.ports import FILTERS, Cursor, Search
from shared.wire import forms
from shared.wire.forms import Form
from shared.wire.texts import Text
from shared.wire.violations import violations_of

Parameters = TypeVar("Parameters", bound=BaseModel)

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
MAX_VERSION = 10**9
"""The highest version that a cursor names. No store can hold a higher one."""


def _status(text: str) -> Status:
    if text not in {*TRUE_NOW}:
        raise InvalidValue("not_allowed", f"must be one of {', '.join(TRUE_NOW)}")
    return Status(text)


def _anomaly(text: str) -> Anomaly | bool:
    if text in ("true", "false"):
        return text == "true"
    if text not in {*Anomaly}:
        raise InvalidValue("not_allowed", f"must be one of true, false, {', '.join(Anomaly)}")
    return Anomaly(text)


def parse_limit(most: int) -> Callable[[str], int]:
    """Return a parser of the size of a page: 1 to `most`, which has at most three digits."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= most):
            raise InvalidValue("out_of_range", f"must be an integer from 1 to {most}")
        return int(text)

    return parse


def limit_form(most: int) -> Form:
    """Return the form of the size of a page."""
    return {"type": "integer", "minimum": 1, "maximum": most}


def _instant(text: str) -> datetime:
    # In a query string `+` stands for a blank; clients do not escape it in an offset.
    return parse_instant(text.replace(" ", "+"))


_STATUS = forms.one_of(*TRUE_NOW)
_ANOMALY = forms.one_of("true", "false", *Anomaly)
_LIMIT = Text(parse_limit(MAX_LIMIT), limit_form(MAX_LIMIT))


class ListParameters(BaseModel):
    """The filters of a list."""

    model_config = ConfigDict(alias_generator=to_camel)

    status: Annotated[Status | None, Text(_status, _STATUS)] = None
    """Only notices that have this status now."""
    anomaly: Annotated[Anomaly | bool | None, Text(_anomaly, _ANOMALY)] = None
    """Only notices with this anomaly. true: with any anomaly. false: without."""
    due_from: Annotated[date | None, Text(parse_day, forms.DAY)] = None
    """Only notices due on this day or later."""
    due_to: Annotated[date | None, Text(parse_day, forms.DAY)] = None
    """Only notices due on this day or earlier. A filter by due date orders by it."""
    updated_from: Annotated[datetime | None, Text(_instant, forms.DATE_TIME)] = None
    """Only notices changed at this time or later."""
    updated_to: Annotated[datetime | None, Text(_instant, forms.DATE_TIME)] = None
    """Only notices changed before this time. A filter by change orders by it."""
    limit: Annotated[int, _LIMIT] = DEFAULT_LIMIT
    """The size of a page, at most."""
    cursor: str | None = None
    """`nextCursor` of the page before, with the same filters."""


class HistoryParameters(BaseModel):
    """The page of a history."""

    limit: Annotated[int, _LIMIT] = DEFAULT_LIMIT
    """The size of a page, at most."""
    cursor: str | None = None
    """`nextCursor` of the page before."""


class AtParameter(BaseModel):
    """The moment of which a notice is shown."""

    at: Annotated[datetime | None, Text(_instant, forms.DATE_TIME)] = None
    """A past moment: the answer is the notice as the archive knew it then."""


def names_of(kind: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the parameters in a query."""
    return tuple(field.alias or name for name, field in kind.model_fields.items())


LIST_PARAMETERS = names_of(ListParameters)
HISTORY_PARAMETERS = names_of(HistoryParameters)
AT_PARAMETERS = names_of(AtParameter)
"""The names that the query of an address may have. It has no others."""


def parse_search(
    parameters: Mapping[str, str],
    institution: InstitutionCode,
    segregation_codes: frozenset[str],
    now: datetime,
) -> Search:
    """Return the search that a list asks for. Raises InvalidParameter, InvalidCursor."""
    found = read(ListParameters, parameters)
    search = Search(
        institution,
        now,
        segregation_codes,
        **{name: getattr(found, name) for name in ListParameters.model_fields if name != "cursor"},
    )
    return search if found.cursor is None else replace(search, after=_position(found.cursor, search))


def parse_at(parameters: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the moment of which a notice is asked, None for now. Raises InvalidParameter."""
    if not parameters:  # nearly always
        return None
    at = read(AtParameter, parameters).at
    if at is not None and at > now:
        raise InvalidParameter(violations=[Violation("at", "in_the_future", "The moment lies in the future")])
    return at


def parse_history(parameters: Mapping[str, str], address: Address) -> tuple[int, int]:
    """Return the version after which a page of a history begins, and how many events it may hold.

    Raises InvalidParameter, InvalidCursor.
    """
    if not parameters:
        return 0, DEFAULT_LIMIT
    found = read(HistoryParameters, parameters)
    if found.cursor is None:
        return 0, found.limit
    match parts_of(found.cursor):
        case [str(fingerprint), int(version)] if 0 < version <= MAX_VERSION:
            if fingerprint != _fingerprint_of(address):
                raise InvalidCursor("Send the cursor with the address that it came from: it is of another history")
            return version, found.limit
        case _:
            raise InvalidCursor(CHANGED_CURSOR)


def cursor_after(search: Search, page: Page) -> str | None:
    """Return the cursor behind a page, None when the page was the last."""
    return cursor([_fingerprint(search), *page.after]) if page.after else None


def cursor_of_history(address: Address, history: History) -> str | None:
    """Return the cursor behind a page of a history, None when the page was the last."""
    return cursor([_fingerprint_of(address), history.events[-1].version]) if history.has_more else None


def read(kind: type[Parameters], parameters: Mapping[str, str]) -> Parameters:
    """Return the parameters of a query. Raises InvalidParameter."""
    try:
        return kind.model_validate(dict(parameters))
    except ValidationError as error:
        raise InvalidParameter(violations=violations_of(error)) from None


def _position(cursor: str, search: Search) -> Cursor:
    match parts_of(cursor):
        case [str(fingerprint), str(key), str(number)]:
            if fingerprint != _fingerprint(search):
                raise InvalidCursor("Send the filters of the first page, and no others: the cursor is of another list")
            return Cursor(key, number)
        case _:
            raise InvalidCursor(CHANGED_CURSOR)


CHANGED_CURSOR = "Send nextCursor whole, as it was received: this cursor is not one of the archive's"

_BOUND = attrgetter("creditor_institution", *FILTERS)


def cursor(parts: list[object]) -> str:
    """Return the cursor with these parts."""
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def parts_of(cursor: str) -> object:
    """Return the parts of a cursor. Raises InvalidCursor."""
    try:
        return orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise InvalidCursor(CHANGED_CURSOR) from None


def _fingerprint_of(address: Address) -> str:
    return sha256(f"{address.creditor_institution}/{address.number}".encode()).hexdigest()[:16]


def _fingerprint(search: Search) -> str:
    return sha256(repr(_BOUND(search)).encode()).hexdigest()[:16]
