"""Parse a query, by the grammar in query.lark."""

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken
from lark.exceptions import VisitError
from lark.lark import PostLex

from emulators.cosmos.sql.builder import Builder
from emulators.cosmos.sql.errors import SqlError, missing, place
from emulators.cosmos.sql.expressions import Document
from emulators.cosmos.sql.select import Select

_MISSING = {
    "arithmetic": "arithmetic",
    "bitwise": "a bitwise operator",
    "coalescing": "the coalescing operator",
    "concatenation": "the concatenation of strings",
    "distinct": "DISTINCT",
    "group": "GROUP BY",
    "item_of_expression": "an item of an expression",
    "iteration": "the iteration of an array",
    "join": "JOIN",
    "like": "LIKE",
    "path_in_from": "a path in FROM",
    "property_of_expression": "a property of an expression",
    "subquery": "a subquery",
    "ternary": "the ternary operator",
    "user_defined": "a user-defined function",
    "without_from": "a query without FROM",
}
"""The rules of the grammar that the double does not implement, with the names of the features."""

_DEEPEST = 100
"""Brackets inside brackets, at most."""

_Query = Tree[Token]


@lru_cache(maxsize=512)
def parse(text: str) -> Select:
    """Parse a query.

    Raises SqlError if the service would not compile it, and Refusal 501 if the double does not implement it.
    """
    tree = _tree(text)
    # From the outside in: a subquery is refused as one, and not for a part of it.
    for node in reversed([*tree.iter_subtrees()]):
        if node.data in _MISSING:
            raise missing(_MISSING[node.data])
    try:
        select = Builder(text, frozenset(map(str, _tokens(tree, "parameter")))).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    for name in _tokens(tree, "root"):
        if name != select.alias:
            raise SqlError(f"Identifier '{name}' could not be resolved.", "SC2001", place(name))
    _check_count(select, sum(name.upper() == "COUNT" for name in _tokens(tree, "call")))
    return select


def condition(text: str) -> Callable[[Document], bool]:
    """Parse the filter predicate of a patch, "from c where c.n = 5". Raises the errors of parse."""
    select = parse(f"SELECT * {text}")
    if not select.is_simple:
        raise SqlError("A filter predicate has FROM and WHERE only.")
    return lambda document: select.matches(document, {})


class _Brackets(PostLex):
    """Refuses a query with too many brackets inside brackets, before it is parsed."""

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
            if depth > _DEEPEST:
                raise _unexpected(token, place(token))
            yield token


@cache
def _grammar() -> Lark:
    # With the basic lexer, a reserved word is never a name.
    return Lark.open(
        "query.lark",
        rel_to=__file__,
        start="query",
        parser="lalr",
        lexer="basic",
        postlex=_Brackets(),
        propagate_positions=True,
        g_regex_flags=re.IGNORECASE,
    )


def _tree(text: str) -> _Query:
    try:
        return _grammar().parse(text)
    except UnexpectedToken as error:
        # At the end of the text, it is the place of the last word, as in the service.
        start, end = place(error.token)
    except UnexpectedCharacters as error:
        start = error.pos_in_stream or 0
        end = start + 1
    raise _unexpected(text[start:end], (start, end))


def _check_count(select: Select, times: int) -> None:
    """Refuse an aggregate in a place that is not implemented."""
    if times and (times > 1 or select.count is None):
        raise missing("an aggregate other than as the one VALUE selected")
    if times and (select.sort or select.top or select.offset):
        raise missing("an aggregate with ORDER BY, TOP or OFFSET")


def _tokens(tree: _Query, rule: str) -> list[Token]:
    """Return the first token of each node of a rule."""
    return [node.children[0] for node in tree.find_data(rule) if isinstance(node.children[0], Token)]


def _unexpected(word: str, location: tuple[int, int]) -> SqlError:
    return SqlError(f"Syntax error, incorrect syntax near '{word}'.", location=location)
