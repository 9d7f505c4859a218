"""Run a parsed query: filter, sort, select and cut documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulators.cosmos.sql.errors import SqlError
from emulators.cosmos.sql.expressions import (
    Array,
    Comparison,
    Count,
    Document,
    Expression,
    Literal,
    Object,
    Parameter,
    Parameters,
    Path,
    anded,
)
from emulators.cosmos.sql.plan import query_plan
from emulators.cosmos.sql.values import UNDEFINED, sort_key


@dataclass(frozen=True, slots=True)
class Column:
    """One selected expression, with its name and its text."""

    name: str
    expression: Expression
    text: str


@dataclass(frozen=True, slots=True)
class SortKey:
    """One path of ORDER BY, with its text."""

    path: Path
    text: str
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Select:
    """A query over the documents of one container.

    The texts are parts of the text of the query, for the plan.
    """

    alias: str
    columns: tuple[Column, ...]
    """Empty for SELECT *. One for SELECT VALUE."""
    is_value: bool
    where: Expression | None
    sort: tuple[SortKey, ...]
    top: Expression | None
    offset: Expression | None
    limit: Expression | None
    parameter_names: frozenset[str]
    select_text: str
    from_text: str
    where_text: str

    @property
    def order(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        """The paths of ORDER BY, each with whether it is descending."""
        return tuple((tuple(map(str, key.path.steps)), key.descending) for key in self.sort)

    @property
    def is_simple(self) -> bool:
        """Whether it needs no plan across partitions: it has no ORDER BY, TOP, OFFSET or aggregate."""
        return not self.sort and self.top is None and self.offset is None and self.count is None

    @property
    def count(self) -> Count | None:
        """The COUNT, if it is the one selected value: alone, or in the form of the query for one range."""
        match self.columns:
            case (Column(expression=Count() as count),) if self.is_value:
                return count
            case (Column(expression=Array((Object((("item", Count() as count),)),))),) if self.is_value:
                return count
        return None

    def run(self, documents: Iterable[Document], parameters: Parameters) -> list[object]:
        """Return the answer of the query for these documents. Raises SqlError for an unbound parameter."""
        if self.count is not None:
            return self.counted(self.ordered(documents, parameters), parameters)
        rows = [row for _, row in self.rows(self.ordered(documents, parameters), parameters)]
        first, last = self.cut(parameters)
        return rows[first:last]

    def ordered(self, documents: Iterable[Document], parameters: Parameters) -> list[Document]:
        """Return the documents that match, sorted. Equal ones keep their order, or for DESC have the opposite one.

        Documents without the property of ORDER BY come first when ascending, under every policy. Source: the page on
        ORDER BY since June 2022 ("Documents with missing fields"), and eclipse-edc/Connector#1512 for the default
        policy. Raises SqlError for an unbound parameter.
        """
        self._check_bound(parameters)
        found = [document for document in documents if self._holds(document, parameters)]
        if self.is_backwards:
            found.reverse()
        for key in reversed(self.sort):
            found.sort(key=lambda document: sort_key(key.path.evaluate(document, {})), reverse=key.descending)
        return found

    @property
    def is_backwards(self) -> bool:
        """Whether documents that are equal by ORDER BY come from the last to the first."""
        return bool(self.sort) and self.sort[0].descending

    def place(self, document: Document) -> list[list[object]]:
        """Return the values by which a document is sorted, each in a list, which is empty for no value."""
        values = [key.path.evaluate(document, {}) for key in self.sort]
        return [[] if value is UNDEFINED else [value] for value in values]

    def compared(self, document: Document, place: list[list[object]]) -> int:
        """Return whether a document comes before a place (-1), after it (1), or is equal to it (0)."""
        for key, seen in zip(self.sort, place, strict=True):
            own = sort_key(key.path.evaluate(document, {}))
            other = sort_key(seen[0] if seen else UNDEFINED)
            if own != other:
                return 1 if (own > other) != key.descending else -1
        return 0

    def rows(self, documents: Iterable[Document], parameters: Parameters) -> list[tuple[Document, object]]:
        """Return each document with its row. Leave out documents with an undefined row."""
        rows = [(document, self._project(document, parameters)) for document in documents]
        return [(document, row) for document, row in rows if row is not UNDEFINED]

    def cut(self, parameters: Parameters) -> tuple[int, int | None]:
        """Return the indexes of the first row of the answer, and of the first row after it."""
        first = self.number(self.offset, parameters) or 0
        length = self.number(self.top if self.offset is None else self.limit, parameters)
        return first, None if length is None else first + length

    def counted(self, documents: Iterable[Document], parameters: Parameters) -> list[object]:
        """Return the count of the documents, in the form that the query has."""
        assert self.count is not None
        total = self.count.over(documents, parameters)
        return [total if self.columns[0].expression is self.count else [{"item": total}]]

    def matches(self, document: Document, parameters: Parameters) -> bool:
        """Return whether a document matches WHERE. Raises SqlError for an unbound parameter."""
        self._check_bound(parameters)
        return self._holds(document, parameters)

    def bounds(self, name: str, parameters: Parameters) -> list[tuple[str, str]]:
        """Return comparisons of a property with a text that each match fulfils, as sign and text, or some of them."""
        self._check_bound(parameters)
        found = []
        for condition in anded(self.where):
            if isinstance(condition, Comparison) and condition.sign in ("=", "<", "<=", ">", ">="):
                path, constant = condition.left, condition.right
                if isinstance(path, Path) and path.steps == (name,) and isinstance(constant, Literal | Parameter):
                    value = constant.evaluate({}, parameters)
                    if isinstance(value, str):
                        found.append((condition.sign, value))
        return found

    def plan(self, parameters: Parameters) -> dict[str, Any]:
        """Return the body of the query plan. Raises SqlError for an unbound parameter."""
        self._check_bound(parameters)
        return query_plan(self, parameters)

    def number(self, expression: Expression | None, parameters: Parameters) -> int | None:
        """Return the number of TOP, OFFSET or LIMIT. Raises SqlError if it is not a whole number from 0."""
        if expression is None:
            return None
        value = expression.evaluate({}, parameters)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise SqlError("The value of TOP, OFFSET or LIMIT must be a non-negative integer.", "SC2062")
        return value

    def _check_bound(self, parameters: Parameters) -> None:
        for name in sorted(self.parameter_names - parameters.keys()):
            raise SqlError(f"Parameter '{name}' could not be resolved.", "SC2001")

    def _holds(self, document: Document, parameters: Parameters) -> bool:
        return self.where is None or self.where.evaluate(document, parameters) is True

    def _project(self, document: Document, parameters: Parameters) -> object:
        if not self.columns:
            return document
        if self.is_value:
            return self.columns[0].expression.evaluate(document, parameters)
        row = {column.name: column.expression.evaluate(document, parameters) for column in self.columns}
        return {name: value for name, value in row.items() if value is not UNDEFINED}
