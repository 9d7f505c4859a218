"""The parameters of an address, read from its query as it was sent.

The platform joins repeated parameters and drops empty ones, so it hides such mistakes.
"""

import re
from collections.abc import Collection, Iterator
from urllib.parse import unquote_to_bytes

from shared.errors import InvalidParameter, Violation
from shared.wire.violations import MAX_VIOLATIONS, plain_name

_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def parameters_of(url: str, names: Collection[str]) -> dict[str, str]:
    """Return the parameters of an address, decoded, by name. `names` are those that it may have.

    A `+` is a blank. Empty pieces between `&` are no parameters. Raises InvalidParameter for one that is unknown, given
    twice, without a value, or no percent-encoded UTF-8.
    """
    query = url.partition("?")[2]
    if not query:  # nearly always
        return {}
    parameters: dict[str, str] = {}
    broken = [*_read(query, names, parameters)]
    if broken:
        raise InvalidParameter(_detail(broken[0], names), broken[:MAX_VIOLATIONS])
    return parameters


def _read(query: str, names: Collection[str], parameters: dict[str, str]) -> Iterator[Violation]:
    """Read the parameters of a query into `parameters`, and yield a violation for each that cannot be read."""
    for piece in filter(None, query.split("&")):
        raw_name, _, raw_value = piece.partition("=")
        name, value = _decoded(raw_name), _decoded(raw_value)
        if name is None or name not in names:
            yield Violation(plain_name(name or ""), "unknown_field", _only(names))
        elif name in parameters:
            yield Violation(name, "repeated", "must be given once")
        elif value is None:
            yield Violation(name, "not_decodable", "must be percent-encoded UTF-8")
        elif not value:
            yield Violation(name, "no_value", "must have a value, or be left out")
        else:
            parameters[name] = value


def _decoded(text: str) -> str | None:
    """Return the text, its escapes decoded. None where they cannot be."""
    if _STRAY_PERCENT.search(text):
        return None
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError:
        return None


def _only(names: Collection[str]) -> str:
    if not names:
        return "is not known here: the address takes no parameters"
    return f"is not known here: the parameters are {', '.join(names)}, written exactly so"


def _detail(broken: Violation, names: Collection[str]) -> str:
    named = f"The parameter {broken.field}" if broken.field != plain_name("") else "A parameter"
    return f"{named} {broken.message}"
