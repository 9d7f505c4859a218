"""The values of the query language, which are JSON and undefined: their equality and their order."""

import json
import operator
from collections.abc import Callable
from enum import Enum
from typing import Any, Final


class Undefined(Enum):
    """The value of a property that does not exist, and of a comparison that is not possible."""

    UNDEFINED = "undefined"


UNDEFINED: Final = Undefined.UNDEFINED

# The order of the types in ORDER BY. Arrays and objects are last, as in the .NET SDK.
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
    """Return whether two values are equal, with their types and all they contain. 1 is 1.0, and 1 is not true."""
    if _RANKS[type(left)] != _RANKS[type(right)]:
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    return left == right


def compared(comparison: str, left: object, right: object) -> bool | Undefined:
    """Return the result of =, !=, <, <=, > or >=.

    It is undefined if one of the values is. = and != compare values of different types, the others only values of one
    scalar type. (By the documentation, = and != are undefined for different types too. The reference engine of
    Microsoft does as here, and every query with `!= null` expects it.)
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
    """Return the sort key of a value in the order of all values.

    The order of arrays, and of objects, is here that of their texts. In the service it is that of their hashes.
    """
    rank = _RANKS[type(value)]
    if rank <= _NULL:
        return rank, 0
    return rank, value if rank <= _LAST_SCALAR else json.dumps(value, sort_keys=True)
