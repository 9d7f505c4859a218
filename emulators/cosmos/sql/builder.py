"""Build the Select from the tree of a query. Each method is named after the rule of the grammar that it is for."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from emulators.cosmos.sql.errors import SqlError, missing, place
from emulators.cosmos.sql.expressions import (
    And,
    Array,
    Call,
    Comparison,
    Count,
    Expression,
    In,
    Literal,
    Not,
    Object,
    Or,
    Parameter,
    Path,
)
from emulators.cosmos.sql.functions import FUNCTIONS, KNOWN_BY_NAME
from emulators.cosmos.sql.select import Column, Select, SortKey
from emulators.cosmos.sql.values import UNDEFINED

_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_MISQUOTED = re.compile(r"\\.|\"", re.DOTALL)
_AS_JSON_QUOTES = {"\\'": "'", '"': '\\"'}

_Selection = tuple[bool, tuple[Column, ...], str]
"""Whether it is a single VALUE, the columns, and the text."""
_Written = tuple[Expression, str]
"""An expression and its text."""


@v_args(inline=True)
class Builder(Transformer_NonRecursive[Token, Select]):
    """One query. It raises SqlError, or Refusal 501, inside the VisitError of lark."""

    def __init__(self, text: str, parameter_names: frozenset[str]) -> None:
        super().__init__()
        self._text = text
        self._parameter_names = parameter_names

    def query(
        self,
        selection: _Selection,
        source: tuple[str, str],
        where: _Written | None,
        sort: tuple[SortKey, ...] | None,
        cut: tuple[Expression, Expression] | None = None,
    ) -> Select:
        (is_value, columns, select_text), (alias, from_text) = selection, source
        condition, where_text = where or (None, "")
        offset, limit = cut or (None, None)
        return Select(
            alias=alias,
            columns=columns,
            is_value=is_value,
            where=condition,
            sort=sort or (),
            top=None,
            offset=offset,
            limit=limit,
            parameter_names=self._parameter_names,
            select_text=select_text,
            from_text=from_text,
            where_text=where_text,
        )

    def top_query(self, top: Expression, *clauses: Any) -> Select:
        return replace(self.query(*clauses), top=top)

    @v_args(meta=True, inline=True)
    def columns(self, meta: Meta, *columns: Column) -> _Selection:
        return False, tuple(_numbered(columns)), self._text_of(meta)

    @v_args(meta=True, inline=True)
    def value(self, meta: Meta, written: _Written) -> _Selection:
        return True, (Column("", *written),), self._text_of(meta)

    def column(self, written: _Written, name: Token | None = None) -> Column:
        expression, text = written
        if name is None and isinstance(expression, Path):
            last = expression.steps[-1] if expression.steps else text
            return Column(last if isinstance(last, str) else "", expression, text)
        return Column(str(name or ""), expression, text)

    @v_args(meta=True, inline=True)
    def source(self, meta: Meta, *names: Token) -> tuple[str, str]:
        return str(names[-1]), self._text_of(meta)

    @v_args(meta=True, inline=True)
    def written(self, meta: Meta, expression: Expression) -> _Written:
        return expression, self._text_of(meta)

    def order(self, *keys: SortKey) -> tuple[SortKey, ...]:
        return keys

    def sort_key(self, written: _Written, descending: Token | None = None) -> SortKey:
        path, text = written
        if not isinstance(path, Path) or not path.steps:
            raise missing("ORDER BY of an expression")
        return SortKey(path, text, descending is not None)

    def slice(self, offset: Expression, limit: Expression) -> tuple[Expression, Expression]:
        return offset, limit

    def disjunction(self, *operands: Expression) -> Expression:
        return Or(operands)

    def conjunction(self, *operands: Expression) -> Expression:
        return And(operands)

    def negation(self, *words: Any) -> Expression:
        *negations, operand = words
        return Not(operand) if len(negations) % 2 else Not(Not(operand))

    def comparison(self, left: Expression, sign: Token, right: Expression) -> Expression:
        return Comparison("!=" if sign == "<>" else str(sign), left, right)

    def membership(self, operand: Expression, negated: Token | None, *options: Expression) -> Expression:
        return _negated(negated, In(operand, options))

    def between(self, value: Expression, negated: Token | None, lowest: Expression, highest: Expression) -> Expression:
        return _negated(negated, And((Comparison(">=", value, lowest), Comparison("<=", value, highest))))

    def negative(self, operand: Expression) -> Expression:
        match operand:
            case Literal(int() | float() as number) if not isinstance(number, bool):
                return Literal(-number)
        raise missing("arithmetic")

    def literal(self, token: Token) -> Expression:
        match token.type:
            case "INTEGER":
                return Literal(int(token))
            case "FLOAT":
                return Literal(float(token))
            case "STRING":
                return Literal(_string(token))
        return Literal(_CONSTANTS[token.type])

    def parameter(self, name: Token) -> Expression:
        return Parameter(str(name))

    def root(self, _: Token) -> Path:
        return Path(())

    def property(self, path: Path, name: Token) -> Path:
        return Path((*path.steps, str(name)))

    def item(self, path: Path, index: Expression) -> Path:
        match index:
            case Literal(int() | str() as step) if not isinstance(step, bool):
                return Path((*path.steps, step))
        raise missing("a computed index")

    def array(self, *items: Expression) -> Expression:
        return Array(items)

    def object(self, *members: tuple[str, Expression]) -> Expression:
        return Object(members)

    def member(self, name: Token, expression: Expression) -> tuple[str, Expression]:
        return _string(name) if name.type == "STRING" else str(name), expression

    def call(self, name: Token, *arguments: Expression) -> Expression:
        function = name.upper()
        if function == "COUNT" and len(arguments) == 1:
            return Count(arguments[0])
        if function in KNOWN_BY_NAME:
            raise missing(f"the function {function}")
        known = FUNCTIONS.get(function)
        if known is None:
            raise SqlError(f"'{name}' is not a recognized built-in function name.", "SC2005", place(name))
        if not known.fewest <= len(arguments) <= known.most:
            message = f"The {function} function does not take {len(arguments)} argument(s)."
            raise SqlError(message, "SC2050", place(name))
        return Call(known, arguments)

    def _text_of(self, meta: Meta) -> str:
        return self._text[meta.start_pos : meta.end_pos]


def _numbered(columns: tuple[Column, ...]) -> Iterator[Column]:
    """Name the columns that have no name as the service does: $1, $2, and so on."""
    numbers = count(1)
    return (column if column.name else replace(column, name=f"${next(numbers)}") for column in columns)


def _negated(negated: Token | None, expression: Expression) -> Expression:
    return Not(expression) if negated else expression


def _string(token: Token) -> str:
    """Return the value of a quoted string. Its escapes are those of JSON, and the quote's own."""
    inner = _MISQUOTED.sub(lambda found: _AS_JSON_QUOTES.get(found.group(), found.group()), token[1:-1])
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        message = f"Syntax error, invalid string literal token '{token}'."
        raise SqlError(message, "SC1010", place(token)) from None
