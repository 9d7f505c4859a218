"""How a search is asked of Cosmos DB: one query, in one composite index, from a position on.

Every physical partition is asked by itself and the answers are merged here: a query below the first value of the
partition key is not merged by the SDK, and a continuation token from before a split repeats what was seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.callers import EVERY
from shared.domain.dates import format_instant
from shared.domain.lifecycle import TRUE_NOW, Status
from shared.domain.notice import Notice
from shared.ports import Order, Search

DUE_PAGE = 100
"""Due notices that are asked of one physical partition at once."""

Condition = tuple[str, Mapping[str, object]]
"""A part of the WHERE clause and its parameters."""

_PATH = {Order.NUMBER: "c.noticeNumber", Order.DUE_DATE: "c.dueDateKey", Order.UPDATE: "c.updatedAt"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query and its parameters, as the SDK takes them."""

    text: str
    parameters: list[dict[str, object]]


def search_query(search: Search) -> Query:
    """Return the query of a search."""
    conditions = [*_granted(search), *_status(search), *_anomaly(search), *_dates(search), *_position(search)]
    keys = [_PATH[search.order]] if search.order is not Order.NUMBER else []
    return _query(conditions, ["c.creditorInstitution", *keys, "c.noticeNumber"], search.limit)


def due_query(now: datetime, after: Notice | None) -> Query:
    """Return the query of the notices that are due, the longest due first, from the last one seen on."""
    conditions: list[Condition] = [("c.nextChangeAt <= @now", {"@now": format_instant(now)})]
    if after is not None:
        assert after.next_change_at is not None
        institution, number = after.address.creditor_institution, after.address.number
        values = {"@at": format_instant(after.next_change_at), "@institution": institution, "@number": number}
        later = (
            "c.creditorInstitution > @institution OR c.creditorInstitution = @institution AND c.noticeNumber > @number"
        )
        conditions.append((f"c.nextChangeAt > @at OR c.nextChangeAt = @at AND ({later})", values))
    return _query(conditions, ["c.nextChangeAt", "c.creditorInstitution", "c.noticeNumber"], DUE_PAGE)


def _query(conditions: list[Condition], order: list[str], limit: int) -> Query:
    where = " AND ".join(f"({condition})" for condition, _ in [("c.id = 'notice'", {}), *conditions])
    parameters = {"@limit": limit} | {name: value for _, values in conditions for name, value in values.items()}
    return Query(
        f"SELECT TOP @limit * FROM c WHERE {where} ORDER BY {', '.join(order)}",
        [{"name": name, "value": value} for name, value in parameters.items()],
    )


def _granted(search: Search) -> Iterator[Condition]:
    institution = {"@institution": search.creditor_institution, "@awaited": Status.AWAITED}
    yield "c.creditorInstitution = @institution AND c.status != @awaited", institution
    if EVERY not in search.segregation_codes:
        # NoticeNumber.segregation_code, in SQL.
        codes = {f"@code{n}": f"3{code}" for n, code in enumerate(sorted(search.segregation_codes))}
        is_regular = "REGEXMATCH(c.noticeNumber, '^[0-9]{18}$')"
        yield f"{is_regular} AND LEFT(c.noticeNumber, 3) IN ({', '.join(codes)})", codes


def _status(search: Search) -> Iterator[Condition]:
    if search.status is None:
        return
    values: dict[str, object] = {"@now": format_instant(search.now)}
    alternatives: list[str] = []
    for n, stored in enumerate(TRUE_NOW[search.status]):
        values[f"@status{n}"] = stored.status
        parts = [f"c.status = @status{n}"]
        for path, passed in (("c.startsAt", stored.started), ("c.endsAt", stored.ended)):
            if passed is not None:
                parts.append(f"{path} <= @now" if passed else f"(NOT IS_DEFINED({path}) OR {path} > @now)")
        alternatives.append(" AND ".join(parts))
    yield " OR ".join(f"({alternative})" for alternative in alternatives), values


def _anomaly(search: Search) -> Iterator[Condition]:
    if search.anomaly is True:
        yield "IS_DEFINED(c.anomalies)", {}
    elif search.anomaly is False:
        yield "NOT IS_DEFINED(c.anomalies)", {}
    elif search.anomaly is not None:
        yield "ARRAY_CONTAINS(c.anomalies, @anomaly)", {"@anomaly": search.anomaly}


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
        path = _PATH[search.order]
        seen = number | {"@key": search.after.key}
        yield f"{path} > @key OR {path} = @key AND c.noticeNumber > @number", seen
