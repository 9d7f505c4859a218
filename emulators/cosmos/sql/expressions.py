"""The expressions of a query. Each one has a value for a document.

Logic has three values: true, false, and undefined, which stands for all others. WHERE keeps true only.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from emulators.cosmos.sql.functions import Function
from emulators.cosmos.sql.values import UNDEFINED, compared, same

Document = dict[str, Any]
Parameters = Mapping[str, object]


class Expression(ABC):
    """An expression. Its value depends on the document and the parameters. The names of parameters begin with @."""

    __slots__ = ()

    @abstractmethod
    def evaluate(self, document: Document, parameters: Parameters) -> object:
        """Return the value, which may be UNDEFINED."""


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A value in the text of the query."""

    value: object

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Parameter(Expression):
    """A value that comes with the query. A missing one is refused before the evaluation."""

    name: str

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        return parameters[self.name]


@dataclass(frozen=True, slots=True)
class Path(Expression):
    """A property of the document, by names and indexes from the root. The empty path is the document."""

    steps: tuple[str | int, ...]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        value: object = document
        for step in self.steps:
            if isinstance(value, dict):
                value = value.get(step, UNDEFINED)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return UNDEFINED
        return value


@dataclass(frozen=True, slots=True)
class Array(Expression):
    """An array, without the items that are undefined."""

    items: tuple[Expression, ...]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        values = (item.evaluate(document, parameters) for item in self.items)
        return [value for value in values if value is not UNDEFINED]


@dataclass(frozen=True, slots=True)
class Object(Expression):
    """An object, without the properties that are undefined."""

    properties: tuple[tuple[str, Expression], ...]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        values = ((name, item.evaluate(document, parameters)) for name, item in self.properties)
        return {name: value for name, value in values if value is not UNDEFINED}


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """The opposite of true or false. It is undefined for all other values."""

    operand: Expression

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        value = self.operand.evaluate(document, parameters)
        return not value if isinstance(value, bool) else UNDEFINED


@dataclass(frozen=True, slots=True)
class _Logic(Expression):
    """AND and OR. One operand with the decisive value decides, with any values of the others."""

    operands: tuple[Expression, ...]
    decisive: ClassVar[bool]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        decisive = self.decisive
        outcome: object = not decisive
        for operand in self.operands:
            value = operand.evaluate(document, parameters)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                outcome = UNDEFINED
        return outcome


class And(_Logic):
    """True if all are, false if one is false, undefined otherwise."""

    __slots__ = ()
    decisive = False


class Or(_Logic):
    """True if one is, false if all are false, undefined otherwise."""

    __slots__ = ()
    decisive = True


@dataclass(frozen=True, slots=True)
class Comparison(Expression):
    """=, !=, <, <=, > or >= between two values."""

    sign: str
    left: Expression
    right: Expression

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        return compared(self.sign, self.left.evaluate(document, parameters), self.right.evaluate(document, parameters))


@dataclass(frozen=True, slots=True)
class In(Expression):
    """Whether a value is in a list. It is undefined for an undefined value."""

    operand: Expression
    options: tuple[Expression, ...]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        value = self.operand.evaluate(document, parameters)
        if value is UNDEFINED:
            return UNDEFINED
        return any(same(value, option.evaluate(document, parameters)) for option in self.options)


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A built-in function with its arguments."""

    function: Function
    arguments: tuple[Expression, ...]

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        return self.function.apply(*[argument.evaluate(document, parameters) for argument in self.arguments])


@dataclass(frozen=True, slots=True)
class Count(Expression):
    """COUNT of a value over all documents. For one document it has no value.

    It is the only aggregate: how a gateway answers MIN and MAX for a range without a value is not known.
    """

    argument: Expression

    def evaluate(self, document: Document, parameters: Parameters) -> object:
        return UNDEFINED

    def over(self, documents: Iterable[Document], parameters: Parameters) -> int:
        """Return how many documents have the value defined."""
        return sum(self.argument.evaluate(document, parameters) is not UNDEFINED for document in documents)


def anded(expression: Expression | None) -> Iterator[Expression]:
    """Yield the conditions that an AND joins."""
    if isinstance(expression, And):
        for operand in expression.operands:
            yield from anded(operand)
    elif expression is not None:
        yield expression
