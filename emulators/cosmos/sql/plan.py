"""Make the query plan: how a client gets the answer from many ranges, and the query for each range."""

import json
from typing import TYPE_CHECKING, Any

from emulators.cosmos.sql.expressions import Parameters

if TYPE_CHECKING:
    from emulators.cosmos.sql.select import Select

# The client replaces it by a condition, with which it goes on after a page. The Python SDK always uses `true`.
_RESUMING = "{documentdb-formattableorderbyquery-filter}"


def query_plan(select: "Select", parameters: Parameters) -> dict[str, Any]:
    """Return the answer to a query-plan request.

    It always has all ranges. The service may leave out ranges by the partition key in WHERE.
    """
    return {
        "partitionedQueryExecutionInfoVersion": 2,
        "queryInfo": {
            "distinctType": "None",
            "top": select.number(select.top, parameters),
            "offset": select.number(select.offset, parameters),
            "limit": select.number(select.limit, parameters),
            "orderBy": ["Descending" if key.descending else "Ascending" for key in select.sort],
            "orderByExpressions": [key.text for key in select.sort],
            "groupByExpressions": [],
            "groupByAliases": [],
            "aggregates": [] if select.count is None else ["Count"],
            "groupByAliasToAggregateType": {},
            "rewrittenQuery": _rewritten(select, parameters),
            "hasSelectValue": select.is_value,
            "hasNonStreamingOrderBy": False,
        },
        "queryRanges": [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}],
    }


def _rewritten(select: "Select", parameters: Parameters) -> str:
    """Return the query for one range, empty if it is the same."""
    if select.is_simple:
        return ""
    where = f" WHERE ({select.where_text})" if select.where_text else ""
    if select.count is not None:
        return f'SELECT VALUE [{{"item": {select.columns[0].text}}}] FROM {select.from_text}{where}'
    top, cut = _cuts(select, parameters)
    if not select.sort:
        return f"SELECT {top}{select.select_text} FROM {select.from_text}{where}{cut}"
    where = f"{where} AND ({_RESUMING})" if where else f" WHERE ({_RESUMING})"
    items = ", ".join(f'{{"item": {key.text}}}' for key in select.sort)
    order = ", ".join(f"{key.text} {'DESC' if key.descending else 'ASC'}" for key in select.sort)
    columns = f"{select.alias}._rid, [{items}] AS orderByItems, {_payload(select)} AS payload"
    return f"SELECT {top}{columns} FROM {select.from_text}{where} ORDER BY {order}{cut}"


def _cuts(select: "Select", parameters: Parameters) -> tuple[str, str]:
    """Return TOP and OFFSET for one range. All items to skip and to return may be in this range."""
    top = select.number(select.top, parameters)
    offset, limit = select.number(select.offset, parameters), select.number(select.limit, parameters)
    last = None if offset is None or limit is None else offset + limit
    return ("" if top is None else f"TOP {top} ", "" if last is None else f" OFFSET 0 LIMIT {last}")


def _payload(select: "Select") -> str:
    if not select.columns:
        return select.alias
    if select.is_value:
        return select.columns[0].text
    return "{" + ", ".join(f"{json.dumps(column.name)}: {column.text}" for column in select.columns) + "}"
