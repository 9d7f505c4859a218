"""SQL filters: a predicate is true, false or unknown, and a subscription gets a message only if it is true.

An absent property is unknown, and so is all that is compared with it. Source: "Subscription Rule SQL Filter Syntax",
learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter.
"""

import re
from collections.abc import Callable
from functools import cache

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from emulators.servicebus.filters.names import SYSTEM_NAMES, Filter, Names, equal

LONGEST = 1024
"""Characters of a filter, at most: the limit of the service."""

Predicate = Callable[[Names], bool | None]
Value = Callable[[Names], object]


def sql(text: str) -> Filter:
    """Return the filter that a text describes. Raises ValueError for SQL that the double does not read."""
    predicate = _predicate(text)
    return lambda names: predicate(names) is True


def _predicate(text: str) -> Predicate:
    if len(text) > LONGEST:
        raise ValueError(f"A filter has at most {LONGEST} characters, and this one has {len(text)}.")
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        rest = text[error.pos_in_stream or 0 :][:20]
        raise ValueError(
            f"The double does not read the filter {text!r}, from {rest!r} on. It reads =, <>, IN, IS NULL, "
            "IS NOT NULL, AND, OR, NOT, parentheses, and as values only texts, numbers, TRUE and FALSE."
        ) from error
    try:
        predicate: Predicate = _Builder().transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    return predicate


@cache
def _grammar() -> Lark:
    # With the basic lexer, a reserved word is never a name.
    return Lark.open(
        "filter.lark",
        rel_to=__file__,
        start="predicate",
        parser="lalr",
        lexer="basic",
        g_regex_flags=re.IGNORECASE,
    )


@v_args(inline=True)
class _Builder(Transformer[Token, Predicate]):
    """Turns the tree of a text into functions."""

    def either(self, one: Predicate, other: Predicate) -> Predicate:
        return lambda names: _or(one(names), other(names))

    def both(self, one: Predicate, other: Predicate) -> Predicate:
        return lambda names: _not(_or(_not(one(names)), _not(other(names))))

    def negated(self, predicate: Predicate) -> Predicate:
        return lambda names: _not(predicate(names))

    def same(self, one: Value, other: Value) -> Predicate:
        return lambda names: equal(one(names), other(names))

    def different(self, one: Value, other: Value) -> Predicate:
        return lambda names: _not(equal(one(names), other(names)))

    def absent(self, value: Value) -> Predicate:
        return lambda names: value(names) is None

    def present(self, value: Value) -> Predicate:
        return lambda names: value(names) is not None

    def within(self, value: Value, *listed: Value) -> Predicate:
        def holds(names: Names) -> bool | None:
            found: bool | None = False
            for one in listed:
                found = _or(found, equal(value(names), one(names)))
            return found

        return holds

    def outside(self, value: Value, *listed: Value) -> Predicate:
        return self.negated(self.within(value, *listed))

    def literal(self, token: Token) -> Value:
        value = _literal(token)
        return lambda _: value

    def property(self, *tokens: Token) -> Value:
        *scope, token = tokens
        name = token[1:-1].replace("]]", "]") if token.type == "BRACKETED" else str(token)
        if scope and scope[0].lower().startswith("sys"):
            if name.lower() not in SYSTEM_NAMES:
                raise ValueError(f"The double knows no system property sys.{name}.")
            return lambda names: names.system(name)
        return lambda names: names.application(name)


def _literal(token: Token) -> object:
    if token.type == "STRING":
        return token[1:-1].replace("''", "'")
    if token.type == "BOOLEAN":
        return token.upper() == "TRUE"
    return float(token) if "." in token else int(token)


def _or(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
