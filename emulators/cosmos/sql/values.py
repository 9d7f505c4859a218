"""Values as the query language sees them: JSON and undefined, when two are equal, and which comes first."""

import json
import operator
from collections.abc import Callable
from enum import Enum
from typing import Any, Final


class Undefined(Enum):
    """The value of a property that is not there, and of a comparison that makes no sense."""

    UNDEFINED = "undefined"


UNDEFINED: Final = Undefined.UNDEFINED

# The order of the types in ORDER BY, MIN and MAX; arrays and objects are last, as in the .NET SDK.
_RANKS: dict[type, int] = {
    Undefined: 0,
    type(None): 1,
    bool: 2,
    int: 3,
    float: 3,
    str: 4,
    list: 5,
    dict: 6,
}
_NULL, _LAST_SCALAR = 1, 4
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def same(left: object, right: object) -> bool:
    """Tell whether two values are the same, in type and in depth: 1 is 1.0, and 1 is not true."""
    if _RANKS[type(left)] != _RANKS[type(right)]:
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    return left == right


def compared(comparison: str, left: object, right: object) -> bool | Undefined:
    """Return what =, !=, <, <=, > or >= says of two values.

    Undefined where one of them is; = and != answer across types, the others do so only within one scalar type. (The
    documentation calls = and != across types undefined as well; Microsoft's own reference engine, and every query that
    asks for `!= null`, have it this way.)
    """
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    if comparison == "=":
        return same(left, right)
    if comparison == "!=":
        return not same(left, right)
    rank = _RANKS[type(left)]
    if rank != _RANKS[type(right)] or rank > _LAST_SCALAR:
        return UNDEFINED
    return comparison in ("<=", ">=") if rank == _NULL else _ORDERINGS[comparison](left, right)


def sort_key(value: object) -> tuple[int, Any]:
    """Return the place of a value in the total order of all values.

    Arrays and objects are ordered among themselves by their text, where the service takes a hash of them.
    """
    rank = _RANKS[type(value)]
    if rank <= _NULL:
        return rank, 0
    return rank, value if rank <= _LAST_SCALAR else json.dumps(value, sort_keys=True)
