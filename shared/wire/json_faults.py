"""Says why a body is no JSON and where, in words of ours that never repeat the body."""

import re
from codecs import BOM_UTF8
from typing import Final

from shared.errors import InvalidEncoding, InvalidJson

Refusal = InvalidJson | InvalidEncoding


def refusal_of(body: bytes, parser_error: str) -> Refusal:
    """Return the refusal of a body that the parser cannot read. `parser_error` is the parser's message."""
    if not body.strip():
        return InvalidJson("Send one JSON object: the body is empty")
    if body.startswith(BOM_UTF8):
        return InvalidEncoding("Leave out the byte order mark, the bytes EF BB BF with which the body begins")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return InvalidEncoding(f"Encode the body in UTF-8: the character at byte {error.start + 1} is not")
    found = _LINE_AND_COLUMN.search(parser_error)
    if found is None:
        return InvalidJson()
    at = _offset(body, int(found[1]), int(found[2]))
    if any(lone in parser_error for lone in _LONE_SURROGATE):
        escape = body[:at].lower().rfind(b"\\ud") + 1
        return InvalidEncoding(f"Send both escapes of a surrogate pair: the one at byte {escape} is alone")
    line_start = body.rfind(b"\n", 0, at) + 1
    line, column = body.count(b"\n", 0, at) + 1, len(body[line_start:at].decode(errors="replace")) + 1
    return InvalidJson(f"Correct line {line}, column {column}: {_reason(body[at:], parser_error)}")


def _offset(body: bytes, line: int, column: int) -> int:
    """Return where in the body the parser stopped. It counts lines and the bytes of a line from 1."""
    start = 0
    for _ in range(line - 1):
        start = body.index(b"\n", start) + 1
    return start + column - 1


def _reason(rest: bytes, parser_error: str) -> str:
    for beginnings, reason in _BEGINNINGS:
        if rest.startswith(beginnings):
            return reason
    return next((reason for part, reason in _REASONS if part in parser_error), "the syntax is wrong")


_LINE_AND_COLUMN: Final = re.compile(r" at line (\d+) column (\d+)$")
_LONE_SURROGATE: Final = ("surrogate", "end of hex escape")

_BEGINNINGS: Final = (
    ((b"NaN", b"Infinity", b"-Infinity"), "NaN and Infinity are not JSON"),
    (b"'", "texts and names stand in double quotes"),
    ((b"//", b"/*"), "comments are not JSON"),
    ((b"True", b"False", b"None", b"undefined"), "true, false and null are written so, in lower case"),
)
_REASONS: Final = (
    ("EOF", "the body ends before its JSON does"),
    ("trailing comma", "a comma stands before a closing bracket"),
    ("trailing characters", "something follows the JSON value"),
    ("key must be a string", "the name of a field in double quotes is expected"),
    ("expected `:`", "a colon is expected after the name of a field"),
    ("expected `,` or `}`", "a comma or a closing brace is expected"),
    ("expected `,` or `]`", "a comma or a closing bracket is expected"),
    ("expected ident", "true, false or null is not spelled so"),
    ("expected value", "a value is expected"),
    ("number out of range", "a number is too long"),
    ("number", "a number is written wrongly"),
    ("control character", "a control character in a text is written as an escape, such as \\n"),
    ("escape", "an escape in a text is not known"),
    ("recursion", "objects and lists are nested too deeply"),
)
"""Parts of the messages of the parser (jiter), and what to say instead."""
