"""Reading an expression, from what binds least to what binds most."""

from emulators.cosmos.sql.expressions import (
    AGGREGATES,
    Aggregate,
    And,
    Array,
    Call,
    Comparison,
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
from emulators.cosmos.sql.text import Kind, SqlError, Token
from emulators.cosmos.sql.values import UNDEFINED
from emulators.cosmos.sql.words import Words, missing

_BEFORE_OPERAND = {
    "EXISTS": "a subquery",
    "ARRAY": "a subquery",
    "SELECT": "a subquery",
    "+": "arithmetic",
    "~": "a bitwise operator",
}
_AFTER_OPERAND = {
    **dict.fromkeys("+-*/%", "arithmetic"),
    **dict.fromkeys("&|^", "a bitwise operator"),
    "||": "the concatenation of strings",
    "?": "the ternary operator",
    "??": "the coalescing operator",
    ".": "a property of an expression",
    "[": "an item of an expression",
    "LIKE": "LIKE",
}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")
_DEEPEST = 100


class ExpressionParser:
    """What reads the expressions of one query, and notes what the query as a whole must check."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._depth = 0
        self.roots: list[Token] = []
        """Where the paths begin: all must be the alias, which FROM tells later."""
        self.parameter_names: set[str] = set()
        self.aggregates: list[Aggregate] = []

    def expression(self) -> Expression:
        """Read a whole expression. Raises SqlError, or Refusal 501."""
        operands = [self._conjunction()]
        while self._words.take("OR"):
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def parameter(self, token: Token) -> Parameter:
        """Note a parameter that has been read."""
        self.parameter_names.add(token.text)
        return Parameter(token.text)

    def _conjunction(self) -> Expression:
        operands = [self._negation()]
        while self._words.take("AND"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _negation(self) -> Expression:
        if self._depth == _DEEPEST:
            raise self._words.next.unexpected()
        self._depth += 1
        expression = Not(self._negation()) if self._words.take("NOT") else self._predicate()
        self._depth -= 1
        return expression

    def _predicate(self) -> Expression:
        left = self._operand()
        if self._words.next.is_one_of(*_SIGNS):
            sign = self._words.read().text
            return Comparison("!=" if sign == "<>" else sign, left, self._operand())
        negated = self._words.take("NOT")
        self._words.refuse(_AFTER_OPERAND)
        predicate: Expression
        if self._words.take("IN"):
            self._words.need("(")
            predicate = In(left, self._list(")"))
        elif self._words.take("BETWEEN"):
            lowest = self._operand()
            self._words.need("AND")
            predicate = And((Comparison(">=", left, lowest), Comparison("<=", left, self._operand())))
        elif negated:
            raise self._words.next.unexpected()
        else:
            return left
        return Not(predicate) if negated else predicate

    def _operand(self) -> Expression:
        self._words.refuse(_BEFORE_OPERAND)
        operand = self._primary()
        self._words.refuse(_AFTER_OPERAND)
        return operand

    def _primary(self) -> Expression:
        token = self._words.read()
        match token.kind:
            case Kind.NUMBER | Kind.STRING:
                return Literal(token.value)
            case Kind.PARAMETER:
                return self.parameter(token)
            case Kind.KEYWORD if token.is_one_of(*_CONSTANTS):
                return Literal(_CONSTANTS[token.text.upper()])
            case Kind.NAME | Kind.KEYWORD if self._words.take("("):
                return self._call(token)
            case Kind.NAME:
                return self._path(token)
            case Kind.SYMBOL:
                return self._enclosed(token)
            case _:
                raise token.unexpected()

    def _enclosed(self, token: Token) -> Expression:
        match token.text:
            case "(":
                expression = self.expression()
                self._words.need(")")
                return expression
            case "[":
                return Array(() if self._words.take("]") else self._list("]"))
            case "{":
                return Object(() if self._words.take("}") else self._properties())
            case "-":
                number = self._words.read()
                if number.kind is not Kind.NUMBER or isinstance(number.value, str):
                    raise missing("arithmetic")
                return Literal(-number.value)
            case _:
                raise token.unexpected()

    def _list(self, closing: str) -> tuple[Expression, ...]:
        items = [self.expression()]
        while self._words.take(","):
            items.append(self.expression())
        self._words.need(closing)
        return tuple(items)

    def _properties(self) -> tuple[tuple[str, Expression], ...]:
        properties = [self._property()]
        while self._words.take(","):
            properties.append(self._property())
        self._words.need("}")
        return tuple(properties)

    def _property(self) -> tuple[str, Expression]:
        quoted = self._words.next.kind is Kind.STRING
        name = str(self._words.read().value) if quoted else self._words.name()
        self._words.need(":")
        return name, self.expression()

    def _path(self, root: Token) -> Path:
        if root.text.lower() == "udf" and self._words.next.is_one_of("."):
            raise missing("a user-defined function")
        self.roots.append(root)
        steps: list[str | int] = []
        while True:
            if self._words.take("."):
                steps.append(self._words.name())
            elif self._words.take("["):
                steps.append(self._index())
                self._words.need("]")
            else:
                return Path(tuple(steps))

    def _index(self) -> str | int:
        token = self._words.read()
        if token.kind in (Kind.STRING, Kind.NUMBER) and not isinstance(token.value, float):
            return token.value
        raise missing("a computed index")

    def _call(self, name: Token) -> Expression:
        arguments = () if self._words.take(")") else self._list(")")
        function = name.text.upper()
        if function in AGGREGATES and len(arguments) == 1:
            self.aggregates.append(Aggregate(function, arguments[0]))
            return self.aggregates[-1]
        if function in KNOWN_BY_NAME:
            raise missing(f"the function {function}")
        known = FUNCTIONS.get(function)
        place = (name.start, name.end)
        if known is None:
            raise SqlError(f"'{name.text}' is not a recognized built-in function name.", "SC2005", place)
        if not known.fewest <= len(arguments) <= known.most:
            raise SqlError(f"The {function} function does not take {len(arguments)} argument(s).", "SC2050", place)
        return Call(known, arguments)
