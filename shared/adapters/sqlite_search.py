"""How a search of an institution's notices is asked of SQLite: one statement, in one index, from a position on."""

from collections.abc import Iterator

from shared.domain.callers import EVERY
from shared.domain.dates import format_instant
from shared.domain.lifecycle import TRUE_NOW, Status
from shared.ports import Order, Search

DUE = """
SELECT document FROM notices
WHERE next_change_at <= ? AND (next_change_at, creditor_institution, number) > (?, ?, ?)
ORDER BY next_change_at, creditor_institution, number
LIMIT 100
"""

Condition = tuple[str, tuple[object, ...]]
"""A part of the WHERE clause and its values."""

_COLUMN = {Order.NUMBER: "number", Order.DUE_DATE: "due_date_key", Order.UPDATE: "updated_at"}


def search_statement(search: Search) -> tuple[str, list[object]]:
    """Return the statement and its values."""
    conditions = [*_granted(search), *_status(search), *_anomaly(search), *_dates(search), *_position(search)]
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    values = [value for _, more in conditions for value in more]
    order = f"{_COLUMN[search.order]}, number" if search.order is not Order.NUMBER else "number"
    return f"SELECT document FROM notices WHERE {where} ORDER BY {order} LIMIT ?", [*values, search.limit]


def _granted(search: Search) -> Iterator[Condition]:
    yield "creditor_institution = ? AND status <> ?", (search.creditor_institution, Status.AWAITED)
    if EVERY not in search.segregation_codes:
        # NoticeNumber.segregation_code, in SQL.
        codes = tuple(f"3{code}" for code in sorted(search.segregation_codes))
        marks = ", ".join("?" * len(codes))
        regular = "length(number) = 18 AND number NOT GLOB '*[^0-9]*'"
        yield f"{regular} AND substr(number, 1, 3) IN ({marks})", codes


def _status(search: Search) -> Iterator[Condition]:
    if search.status is None:
        return
    now = format_instant(search.now)
    alternatives: list[str] = []
    values: list[object] = []
    for stored in TRUE_NOW[search.status]:
        parts = ["status = ?"]
        values.append(stored.status)
        for column, passed in (("starts_at", stored.started), ("ends_at", stored.ended)):
            if passed is not None:
                parts.append(f"{column} <= ?" if passed else f"({column} IS NULL OR {column} > ?)")
                values.append(now)
        alternatives.append(" AND ".join(parts))
    yield " OR ".join(f"({alternative})" for alternative in alternatives), tuple(values)


def _anomaly(search: Search) -> Iterator[Condition]:
    if search.anomaly is True:
        yield "anomalies IS NOT NULL", ()
    elif search.anomaly is False:
        yield "anomalies IS NULL", ()
    elif search.anomaly is not None:
        yield "instr(' ' || anomalies || ' ', ?) > 0", (f" {search.anomaly} ",)


def _dates(search: Search) -> Iterator[Condition]:
    # A key begins with the day that is shown and a blank, after which comes `!`; days compare as text.
    if search.due_from is not None:
        yield "due_date_key >= ?", (search.due_from.isoformat(),)
    if search.due_to is not None:
        yield "due_date_key < ?", (f"{search.due_to}!",)
    if search.updated_from is not None:
        yield "updated_at >= ?", (format_instant(search.updated_from),)
    if search.updated_to is not None:
        yield "updated_at < ?", (format_instant(search.updated_to),)


def _position(search: Search) -> Iterator[Condition]:
    if search.after is None:
        return
    if search.order is Order.NUMBER:
        yield "number > ?", (search.after.number,)
    else:
        yield f"({_COLUMN[search.order]}, number) > (?, ?)", (search.after.key, search.after.number)
