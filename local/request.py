"""Turns a request of the wire into the library's HttpRequest, as Kestrel and the real host do.

Bytes that are not UTF-8 are never an error here: the function decides.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from azure.functions.http import HttpRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ENCODED_SLASH = re.compile(rb"(%2[Ff])")
_ENCODED = re.compile("(?:%[0-9A-Fa-f]{2})+")


def segments_of(scope: Scope) -> list[str]:
    """Return the address split at its slashes, segments decoded once; as in Kestrel, %2F stays as it is."""
    raw = scope.get("raw_path")
    if raw is None or b"%" not in raw:
        segments: list[str] = scope["path"][1:].split("/")
    else:
        segments = [_decoded(segment) for segment in raw[1:].split(b"/")]
    if not segments[-1] and len(segments) > 1:
        segments.pop()
    return segments


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their lower-cased names; what comes more than once is joined with a comma."""
    pairs = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    return headers if len(headers) == len(pairs) else _joined(pairs)


def request_of(scope: Scope, headers: Mapping[str, str], route_values: Mapping[str, str], body: bytes) -> HttpRequest:
    """Return the request as the worker builds it. The query in its `url` is the one that was sent."""
    query = scope["query_string"].decode("utf-8", "replace")
    raw_path = scope.get("raw_path")
    path = scope["path"] if raw_path is None else raw_path.decode("latin-1")
    return HttpRequest(
        method=scope["method"],
        url=f"{scope['scheme']}://{headers.get('host', 'localhost')}{path}{'?' if query else ''}{query}",
        headers=headers,
        params=params_of(query) if query else {},
        route_params=route_values,
        body_type="bytes",
        body=body,
    )


def params_of(query: str) -> dict[str, str]:
    """Return the parameters of a query as the platform shows them.

    The values of a name, in whatever case it is written, are joined with a comma. Empty values are left out.
    """
    params: dict[str, str] = {}
    names: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = map(_unescaped, pair.partition("="))
        if value:
            first = names.setdefault(name.lower(), name)
            params[first] = f"{params[first]},{value}" if first in params else value
    return params


def _unescaped(text: str) -> str:
    return _ENCODED.sub(lambda escapes: _as_far_as_utf_8(escapes[0]), text.replace("+", " "))


def _as_far_as_utf_8(escapes: str) -> str:
    """Decode percent-encoded bytes, but keep as they are written those that are not UTF-8."""
    left = bytes.fromhex(escapes.replace("%", ""))
    decoded = ""
    while left:
        at = len(escapes) - 3 * len(left)
        try:
            return decoded + left.decode()
        except UnicodeDecodeError as error:
            kept = escapes[at + 3 * error.start : at + 3 * error.end]
            decoded += left[: error.start].decode() + kept
            left = left[error.end :]
    return decoded


def _decoded(segment: bytes) -> str:
    parts = _ENCODED_SLASH.split(segment)
    parts[::2] = map(unquote_to_bytes, parts[::2])
    return b"".join(parts).decode("utf-8", "replace")


def _joined(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
