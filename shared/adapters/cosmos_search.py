"""The queries of lists and of due notices: in the order of one composite index, from a position on.

An index serves every condition that may hold for few notices only: institution, number, status, anomaly, and the time
of the next change. So a list of few notices reads few documents, however many the institution has.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.codecs import Document
from shared.domain.callers import EVERY
from shared.domain.dates import format_instant
from shared.domain.lifecycle import TRUE_NOW, Anomaly, Status
from shared.ports import Cursor, Order, Search

DUE_PAGE = 100
"""Due or awaited notices that are asked of one physical partition at once."""

Condition = tuple[str, Mapping[str, object]]
"""A part of the WHERE clause and its parameters."""

Place = tuple[str, ...]
"""The values by which documents are sorted."""

_FIELDS = {Order.NUMBER: (), Order.DUE_DATE: ("dueDateKey",), Order.UPDATE: ("updatedAt",)}
_NOTICE_FIELDS = ("creditorInstitution", "noticeNumber")
_DUE_FIELDS = ("nextChangeAt", *_NOTICE_FIELDS)
_LATER_NOTICE = (
    "c.creditorInstitution > @institution OR c.creditorInstitution = @institution AND c.noticeNumber > @number"
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query and its parameters, as the SDK takes them."""

    text: str
    parameters: list[dict[str, object]]
    limit: int


def search_query(search: Search) -> Query:
    """Return the query of a search."""
    conditions = [*_granted(search), *_status(search), *_anomaly(search), *_dates(search), *_position(search)]
    return _query(conditions, ["creditorInstitution", *_FIELDS[search.order], "noticeNumber"], search.limit)


def search_place(order: Order) -> Callable[[Document], Place]:
    """Return how to find the place of a stored notice in a list of this order."""
    return lambda document: _place(document, (*_FIELDS[order], "noticeNumber"))


def position_after(place: Place) -> Cursor:
    """Return the position of a list after this place."""
    *key, number = place
    return Cursor("".join(key), number)


def due_query(now: datetime, after: Place | None) -> Query:
    """Return the query of the notices that are due, the longest due first, after the place of the last one seen."""
    conditions: list[Condition] = [("c.nextChangeAt <= @now", {"@now": format_instant(now)})]
    if after is not None:
        values = dict(zip(("@at", "@institution", "@number"), after, strict=True))
        conditions.append((f"c.nextChangeAt > @at OR c.nextChangeAt = @at AND ({_LATER_NOTICE})", values))
    return _query(conditions, list(_DUE_FIELDS), DUE_PAGE)


def awaited_query(after: Place | None) -> Query:
    """Return the query of the notices that are awaited, after the place of the last one seen."""
    conditions: list[Condition] = [("c.status = @awaited", {"@awaited": Status.AWAITED})]
    if after is not None:
        conditions.append((_LATER_NOTICE, dict(zip(("@institution", "@number"), after, strict=True))))
    return _query(conditions, list(_NOTICE_FIELDS), DUE_PAGE)


def awaited_place(document: Document) -> Place:
    """Return the place of a stored notice among those that are awaited."""
    return _place(document, _NOTICE_FIELDS)


def due_place(document: Document) -> Place:
    """Return the place of a stored notice among those that are due."""
    return _place(document, _DUE_FIELDS)


def _place(document: Document, fields: tuple[str, ...]) -> Place:
    # A damaged document may lack a field: it has a place all the same, so that reading goes on after it.
    values = (document.get(field) for field in fields)
    return tuple(value if isinstance(value, str) else "" for value in values)


def _query(conditions: list[Condition], order: list[str], limit: int) -> Query:
    where = " AND ".join(f"({condition})" for condition, _ in [("c.id = 'notice'", {}), *conditions])
    parameters = {"@limit": limit} | {name: value for _, values in conditions for name, value in values.items()}
    sort = ", ".join(f"c.{field}" for field in order)
    return Query(
        f"SELECT TOP @limit * FROM c WHERE {where} ORDER BY {sort}",
        [{"name": name, "value": value} for name, value in parameters.items()],
        limit,
    )


def _granted(search: Search) -> Iterator[Condition]:
    yield "c.creditorInstitution = @institution", {"@institution": search.creditor_institution}
    if EVERY not in search.segregation_codes:
        # NoticeNumber.segregation_code, in SQL: the ranges find a code by the index, the expression is the whole rule.
        values = dict[str, object]()
        ranges = []
        for n, code in enumerate(sorted(search.segregation_codes)):
            values |= {f"@code{n}": f"3{code}", f"@after{n}": _after(f"3{code}")}
            ranges.append(f"c.noticeNumber >= @code{n} AND c.noticeNumber < @after{n}")
        yield " OR ".join(f"({part})" for part in ranges), values
        yield "REGEXMATCH(c.noticeNumber, '^[0-9]{18}$')", {}


def _after(prefix: str) -> str:
    """Return the first text after all those that begin with the prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _status(search: Search) -> Iterator[Condition]:
    if search.status is None:
        yield "c.status != @awaited", {"@awaited": Status.AWAITED}
        return
    values: dict[str, object] = {"@now": format_instant(search.now)}
    alternatives: list[str] = []
    for n, stored in enumerate(TRUE_NOW[search.status]):
        values[f"@status{n}"] = stored.status
        parts = [f"c.status = @status{n}"]
        for path, passed in (("c.startsAt", stored.started), ("c.endsAt", stored.ended)):
            if passed is not None:
                parts.append(f"{path} <= @now" if passed else f"(NOT IS_DEFINED({path}) OR {path} > @now)")
        if stored.started or stored.ended:
            # This follows from the others. It finds the few by the index where the stored status is that of many.
            parts.append("c.nextChangeAt <= @now")
        alternatives.append(" AND ".join(parts))
    yield " OR ".join(f"({alternative})" for alternative in alternatives), values


def _anomaly(search: Search) -> Iterator[Condition]:
    if search.anomaly is None:
        return
    if search.anomaly is False:
        yield "NOT IS_DEFINED(c.anomalies)", {}
        return
    wanted = list(Anomaly) if search.anomaly is True else [search.anomaly]
    values = {f"@anomaly{n}": anomaly for n, anomaly in enumerate(wanted)}
    yield " OR ".join(f"ARRAY_CONTAINS(c.anomalies, {name})" for name in values), values


def _dates(search: Search) -> Iterator[Condition]:
    # A key begins with the day that is shown and a blank, after which comes `!`; days compare as text.
    if search.due_from is not None:
        yield "c.dueDateKey >= @dueFrom", {"@dueFrom": search.due_from.isoformat()}
    if search.due_to is not None:
        yield "c.dueDateKey < @dueTo", {"@dueTo": f"{search.due_to}!"}
    if search.updated_from is not None:
        yield "c.updatedAt >= @updatedFrom", {"@updatedFrom": format_instant(search.updated_from)}
    if search.updated_to is not None:
        yield "c.updatedAt < @updatedTo", {"@updatedTo": format_instant(search.updated_to)}


def _position(search: Search) -> Iterator[Condition]:
    if search.after is None:
        return
    number = {"@number": search.after.number}
    if search.order is Order.NUMBER:
        yield "c.noticeNumber > @number", number
    else:
        path = f"c.{_FIELDS[search.order][0]}"
        seen = number | {"@key": search.after.key}
        yield f"{path} > @key OR {path} = @key AND c.noticeNumber > @number", seen
