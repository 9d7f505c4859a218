"""How a search of an institution's notices is asked of SQLite: one statement that merges ranges of one index.

A list holds several stored statuses, and by number several segregation codes. For each of them the statement has one
SELECT in the order of the list, which begins where the page begins and reads no more than the page holds. SQLite merges
them. The index is named, so that the choice does not depend on statistics, and a missing index is an error.
"""

from collections.abc import Iterator
from functools import lru_cache

from shared.domain.callers import EVERY
from shared.domain.dates import format_instant
from shared.domain.lifecycle import TRUE_NOW, Status, StoredAs, is_communicated
from shared.ports import Order, Search

STORED = "version, status, next_change_at, shown, kept"
"""The columns of a StoredNotice, in its order."""

DUE = f"""
SELECT next_change_at, creditor_institution, number, {STORED} FROM notices INDEXED BY notices_due
WHERE next_change_at <= ? AND (next_change_at, creditor_institution, number) > (?, ?, ?)
ORDER BY next_change_at, creditor_institution, number
LIMIT 100
"""
"""The notices that are due, from the key (next change, institution, number) of the last one seen on."""

AWAITED = f"""
SELECT creditor_institution, number, {STORED} FROM notices INDEXED BY notices_awaited
WHERE status = 'AWAITED' AND (creditor_institution, number) > (?, ?)
ORDER BY creditor_institution, number
LIMIT 100
"""
"""The notices that are awaited, from the key (institution, number) of the last one seen on."""

FEW = 1000
"""Notices that are sorted for a list sooner than they are sought among others."""

Condition = tuple[str, tuple[object, ...]]
"""A part of the WHERE clause and its values."""

_KEY = {Order.NUMBER: "''", Order.DUE_DATE: "due_date_key", Order.UPDATE: "updated_at"}
_LISTED = {
    Order.NUMBER: "notices_listed_by_number",
    Order.DUE_DATE: "notices_listed_by_due_date",
    Order.UPDATE: "notices_listed_by_update",
}
_FIRST, _END = "", "~"
"""Texts before and after every number, day and instant."""


def count_statement(search: Search) -> tuple[str, list[object]]:
    """Return the statement that counts the notices of the granted segregation codes, up to one more than FEW."""
    ranges = _granted(search.segregation_codes)
    where = "creditor_institution = ? AND number > ? AND number < ?"
    selects = [f"SELECT 1 FROM notices INDEXED BY notices_by_number WHERE {where}"] * len(ranges)
    values: list[object] = [value for bounds in ranges for value in (search.creditor_institution, *bounds)]
    return f"SELECT count(*) FROM ({' UNION ALL '.join(selects)} LIMIT {FEW + 1})", values


def short_statement(search: Search) -> tuple[str, list[object]] | None:
    """Return a statement for a list of all notices by number, which is brief unless many of them are awaited.

    None for any other list. Its rows are those of `search_statement`, which merges the statuses and leaves no row out.
    """
    ranges = _granted(search.segregation_codes)
    if search.order is not Order.NUMBER or search.status or search.anomaly is not None or len(ranges) > 1:
        return None
    communicated = "creditor_institution = ? AND status <> ?", (search.creditor_institution, Status.AWAITED)
    where, values = _all_of(communicated, *_places(search, of_few=False), *_filters(search))
    return (
        f"SELECT '', number, {STORED} FROM notices INDEXED BY notices_by_number WHERE {where} ORDER BY number LIMIT ?",
        [*values, search.limit],
    )


def search_statement(search: Search, *, of_few: bool = False) -> tuple[str, list[object]]:
    """Return the statement and its values. Its rows are the sort key, the number and the columns of STORED.

    `of_few` sorts the notices of the granted segregation codes instead of seeking them among those of other codes.
    """
    key = _KEY[search.order]
    selects: list[str] = []
    values: list[object] = []
    for stored in _stored(search):
        for place in _places(search, of_few):
            where, more = _all_of(_kept_as(search, stored), place, *_times(search, stored), *_filters(search))
            index = _index(search, stored, of_few)
            selects.append(f"SELECT {key}, number, {STORED} FROM notices INDEXED BY {index} WHERE {where}")
            values += more
    order = "number" if search.order is Order.NUMBER else f"{key}, number"
    return f"{' UNION ALL '.join(selects)} ORDER BY {order} LIMIT ?", [*values, search.limit]


def _all_of(*conditions: Condition) -> tuple[str, list[object]]:
    """Return the conditions as one, and their values."""
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    return where, [value for _, values in conditions for value in values]


def _stored(search: Search) -> tuple[StoredAs, ...]:
    if search.status is not None:
        return TRUE_NOW[search.status]
    return tuple(StoredAs(status) for status in Status if is_communicated(status))


def _index(search: Search, stored: StoredAs, of_few: bool) -> str:
    if _is_overdue(stored):
        return "notices_due"
    if search.anomaly:
        return "notices_listed_by_anomaly"
    return _LISTED[Order.NUMBER if of_few else search.order]


def _is_overdue(stored: StoredAs) -> bool:
    """Return whether time has changed these notices and the change is not written down."""
    return bool(stored.started or stored.ended)


def _kept_as(search: Search, stored: StoredAs) -> Condition:
    return "creditor_institution = ? AND status = ?", (search.creditor_institution, stored.status)


def _places(search: Search, of_few: bool) -> Iterator[Condition]:
    """Yield the parts of the index in which the page may lie."""
    # One condition for each end: of two, SQLite would seek the one and step over everything that the other leaves out.
    after, ranges = search.after, _granted(search.segregation_codes)
    if search.order is Order.NUMBER:
        for first, end in ranges:
            yield "number > ? AND number < ?", (max(first, after.number if after else _FIRST), end)
        return
    key, (first, end) = _KEY[search.order], _window(search)
    start = max((first, _FIRST), (after.key, after.number) if after else (_FIRST, _FIRST))
    for some in [[bounds] for bounds in ranges] if of_few else [ranges]:
        granted = " OR ".join("number > ? AND number < ?" for _ in some)
        numbers = [bound for bounds in some for bound in bounds]
        yield f"({key}, number) > (?, ?) AND {key} < ? AND ({granted})", (*start, end, *numbers)


@lru_cache(maxsize=1024)  # callers have few different grants
def _granted(segregation_codes: frozenset[str]) -> list[tuple[str, str]]:
    """Return the ranges of numbers of the granted segregation codes. Codes that follow each other share one.

    A range may hold numbers without a segregation code too: `_filters` leaves them out.
    """
    if EVERY in segregation_codes:
        return [(_FIRST, _END)]
    codes = [code for code in range(100) if f"{code:02}" in segregation_codes]
    firsts = (code for code in codes if code - 1 not in codes)
    lasts = (code for code in codes if code + 1 not in codes)
    ranges = [(f"3{first:02}", f"3{last:02}~") for first, last in zip(firsts, lasts, strict=True)]
    return ranges or [(_FIRST, _FIRST)]


def _window(search: Search) -> tuple[str, str]:
    """Return the sort key from which the list may begin, and the one before which it ends."""
    if search.order is Order.DUE_DATE:
        return _due_days(search)
    first, end = search.updated_from, search.updated_to
    return format_instant(first) if first else _FIRST, format_instant(end) if end else _END


def _due_days(search: Search) -> tuple[str, str]:
    # A key begins with the day that is shown and a blank, after which comes `!`. Days compare as text.
    first, last = search.due_from, search.due_to
    return first.isoformat() if first else _FIRST, f"{last}!" if last else _END


def _times(search: Search, stored: StoredAs) -> Iterator[Condition]:
    now = format_instant(search.now)
    if _is_overdue(stored):
        yield "next_change_at <= ?", (now,)
    for column, passed in (("starts_at", stored.started), ("ends_at", stored.ended)):
        if passed is not None:
            yield f"{column} <= ?" if passed else f"{column} IS NULL OR {column} > ?", (now,)


def _filters(search: Search) -> Iterator[Condition]:
    if EVERY not in search.segregation_codes:
        # NoticeNumber.segregation_code, in SQL.
        yield "length(number) = 18 AND number NOT GLOB '*[^0-9]*'", ()
    if search.order is Order.UPDATE and (search.due_from or search.due_to):
        yield "due_date_key >= ? AND due_date_key < ?", _due_days(search)
    if search.anomaly is True:
        yield "anomalies IS NOT NULL", ()
    elif search.anomaly is False:
        yield "anomalies IS NULL", ()
    elif search.anomaly is not None:
        yield "anomalies IS NOT NULL AND instr(' ' || anomalies || ' ', ?) > 0", (f" {search.anomaly} ",)
