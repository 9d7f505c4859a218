"""The words a query is made of, and how a query that cannot be read is refused."""

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

from emulators.cosmos.refusals import Refusal


class SqlError(Refusal):
    """A query the service would not compile, told in the service's words and with the place in the text."""

    def __init__(self, message: str, code: str = "SC1001", location: tuple[int, int] = (0, 0)) -> None:
        start, end = location
        error = {"severity": "Error", "location": {"start": start, "end": end}, "code": code, "message": message}
        body = json.dumps({"errors": [error]}, separators=(",", ":"), ensure_ascii=False)
        super().__init__(400, "BadRequest", f"Message: {body}")


class Kind(Enum):
    """What sort of word a token is."""

    NUMBER = auto()
    STRING = auto()
    PARAMETER = auto()
    NAME = auto()
    KEYWORD = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query as it is written, with its place and, of a literal, its value."""

    kind: Kind
    text: str
    start: int
    end: int
    value: str | int | float = ""

    def is_one_of(self, *words: str) -> bool:
        """Tell whether the token is one of these keywords (in capitals) or symbols."""
        return self.kind in (Kind.KEYWORD, Kind.SYMBOL) and self.text.upper() in words

    def unexpected(self) -> SqlError:
        """Return the refusal of a query in which this token is out of place."""
        return SqlError(f"Syntax error, incorrect syntax near '{self.text}'.", location=(self.start, self.end))


# Reserved: as a name of a property they must be quoted, c["value"], in the service as here.
_RESERVED = """
    AND ARRAY AS ASC BETWEEN BY DESC DISTINCT ESCAPE EXISTS FALSE FROM GROUP IN JOIN LEFT LIKE LIMIT NOT NULL
    OFFSET OR ORDER RIGHT SELECT TOP TRUE UNDEFINED VALUE WHERE
"""
KEYWORDS = frozenset(_RESERVED.split())

_SKIPPED = re.compile(r"(?:\s|--[^\n]*)*")
_TOKEN = re.compile(
    r"""(?P<NUMBER> (?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
      | (?P<STRING> '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
      | (?P<PARAMETER> @\w+ )
      | (?P<NAME> [^\W\d]\w* )
      | (?P<SYMBOL> \?\? | \|\| | <= | >= | != | <> | [-+*/%=<>(),.\[\]{}:?&|^~] )""",
    re.VERBOSE | re.DOTALL,
)
_MISQUOTED = re.compile(r"\\.|\"", re.DOTALL)
_AS_JSON_QUOTES = {"\\'": "'", '"': '\\"'}
_LONGEST_INTEGER = 300


def tokens(text: str) -> list[Token]:
    """Cut a query into its words; the last token is always the end.

    Raises SqlError at the first character that begins no word.
    """
    found: list[Token] = []
    start = _end_of_skipped(text, 0)
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise Token(Kind.SYMBOL, text[start], start, start + 1).unexpected()
        found.append(_token(match))
        start = _end_of_skipped(text, match.end())
    # The service names the last word it read when a query ends too early.
    last = found[-1].text if found else ""
    return [*found, Token(Kind.END, last, len(text), len(text))]


def _end_of_skipped(text: str, start: int) -> int:
    match = _SKIPPED.match(text, start)
    return match.end() if match else start


def _token(match: re.Match[str]) -> Token:
    text, start, end = match.group(), match.start(), match.end()
    kind = Kind[match.lastgroup or ""]
    if kind is Kind.NUMBER:
        return Token(kind, text, start, end, _number(text))
    if kind is Kind.STRING:
        return Token(kind, text, start, end, _string(text, start, end))
    if kind is Kind.NAME and text.upper() in KEYWORDS:
        return Token(Kind.KEYWORD, text, start, end)
    return Token(kind, text, start, end)


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() and len(text) <= _LONGEST_INTEGER else float(text)


def _string(text: str, start: int, end: int) -> str:
    """Return what a quoted string says; its escapes are those of JSON, and the quote's own."""
    inner = _MISQUOTED.sub(lambda found: _AS_JSON_QUOTES.get(found.group(), found.group()), text[1:-1])
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        message = f"Syntax error, invalid string literal token '{text}'."
        raise SqlError(message, "SC1010", (start, end)) from None
