"""Reading a query: from its text to a Select, or to the refusal of what cannot be read or is not implemented."""

from collections.abc import Callable
from functools import lru_cache

from emulators.cosmos.sql.expression_parser import ExpressionParser
from emulators.cosmos.sql.expressions import Document, Expression, Literal, Path
from emulators.cosmos.sql.select import Column, Select, SortKey, partial
from emulators.cosmos.sql.text import Kind, SqlError
from emulators.cosmos.sql.words import Words, missing

_IN_FROM = {"IN": "the iteration of an array", ".": "a path in FROM", "[": "a path in FROM", "(": "a subquery"}
_AFTER_FROM = {"JOIN": "JOIN", "GROUP": "GROUP BY"}


@lru_cache(maxsize=512)
def parse(text: str) -> Select:
    """Read a query.

    Raises SqlError if the service would not compile it, and Refusal 501 if it asks for what is not implemented here.
    """
    return _QueryParser(text).query()


def condition(text: str) -> Callable[[Document], bool]:
    """Read the filter predicate of a patch, "from c where c.n = 5". Raises what parse raises."""
    select = parse(f"SELECT * {text}")
    if not select.is_simple:
        raise SqlError("A filter predicate has FROM and WHERE only.")
    return lambda document: select.matches(document, {})


class _QueryParser:
    """What reads one query, clause by clause."""

    def __init__(self, text: str) -> None:
        self._words = Words(text)
        self._expressions = ExpressionParser(self._words)

    def query(self) -> Select:
        self._words.need("SELECT")
        self._words.refuse({"DISTINCT": "DISTINCT"})
        top = self._count() if self._words.take("TOP") else None
        (is_value, columns), select_text = self._words.spanned(self._columns)
        if not self._words.take("FROM"):
            raise (
                self._words.next.unexpected()
                if self._words.next.kind is not Kind.END
                else missing("a query without FROM")
            )
        alias, from_text = self._words.spanned(self._alias)
        self._words.refuse(_IN_FROM | _AFTER_FROM)
        where, where_text = self._where()
        self._words.refuse(_AFTER_FROM)
        sort = self._sort()
        offset, limit = self._offset_and_limit() if top is None else (None, None)
        if self._words.next.kind is not Kind.END:
            raise self._words.next.unexpected()
        aggregates = self._expressions.aggregates
        select = Select(
            alias=alias,
            columns=columns,
            is_value=is_value,
            where=where,
            sort=sort,
            top=top,
            offset=offset,
            limit=limit,
            aggregate=aggregates[0] if aggregates else None,
            parameter_names=frozenset(self._expressions.parameter_names),
            select_text=select_text,
            from_text=from_text,
            where_text=where_text,
        )
        self._check(select)
        return select

    def _columns(self) -> tuple[bool, tuple[Column, ...]]:
        if self._words.take("*"):
            return False, ()
        if self._words.take("VALUE"):
            expression, text = self._words.spanned(self._expressions.expression)
            return True, (Column("", expression, text),)
        columns = [self._column()]
        while self._words.take(","):
            columns.append(self._column())
        return False, tuple(_numbered(columns))

    def _column(self) -> Column:
        root = self._words.next.text
        expression, text = self._words.spanned(self._expressions.expression)
        if self._words.take("AS") or self._words.next.kind is Kind.NAME:
            return Column(self._words.name(), expression, text)
        steps = (root, *expression.steps) if isinstance(expression, Path) else ()
        name = steps[-1] if steps else ""
        return Column(name if isinstance(name, str) else "", expression, text)

    def _alias(self) -> str:
        self._words.refuse(_IN_FROM)
        alias = self._words.name()
        self._words.refuse(_IN_FROM)
        if self._words.take("AS") or self._words.next.kind is Kind.NAME:
            alias = self._words.name()
        return alias

    def _where(self) -> tuple[Expression | None, str]:
        return self._words.spanned(self._expressions.expression) if self._words.take("WHERE") else (None, "")

    def _sort(self) -> tuple[SortKey, ...]:
        if not self._words.take("ORDER"):
            return ()
        self._words.need("BY")
        keys = [self._sort_key()]
        while self._words.take(","):
            keys.append(self._sort_key())
        return tuple(keys)

    def _sort_key(self) -> SortKey:
        path, text = self._words.spanned(self._expressions.expression)
        if not isinstance(path, Path) or not path.steps:
            raise missing("ORDER BY of an expression")
        descending = self._words.take("DESC")
        if not descending:
            self._words.take("ASC")
        return SortKey(path, text, descending)

    def _offset_and_limit(self) -> tuple[Expression | None, Expression | None]:
        if not self._words.take("OFFSET"):
            return None, None
        offset = self._count()
        self._words.need("LIMIT")
        return offset, self._count()

    def _count(self) -> Expression:
        token = self._words.read()
        if token.kind is Kind.PARAMETER:
            return self._expressions.parameter(token)
        if token.kind is not Kind.NUMBER or not isinstance(token.value, int):
            raise token.unexpected()
        return Literal(token.value)

    def _check(self, select: Select) -> None:
        """Raise the refusal of what the clauses are right about one by one, and wrong together."""
        for root in self._expressions.roots:
            if root.text != select.alias:
                message = f"Identifier '{root.text}' could not be resolved."
                raise SqlError(message, "SC2001", (root.start, root.end))
        aggregate = select.aggregate
        if aggregate is None:
            return
        alone = len(self._expressions.aggregates) == 1 and select.is_value
        if not alone or select.columns[0].expression not in (aggregate, partial(aggregate)):
            raise missing("an aggregate other than as the one VALUE selected")
        if select.sort or select.top is not None or select.offset is not None:
            raise missing("an aggregate with ORDER BY, TOP or OFFSET")


def _numbered(columns: list[Column]) -> list[Column]:
    """Name the columns that have no name as the service does: $1, $2, and so on."""
    unnamed = [column for column in columns if not column.name]
    names = {id(column): f"${number}" for number, column in enumerate(unnamed, 1)}
    return [Column(names.get(id(column), column.name), column.expression, column.text) for column in columns]
