"""Turns a request of the wire into the library's HttpRequest, as Kestrel and the real host do.

Bytes of an address that are not UTF-8 are no error: they stay percent-encoded, and the function decides.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from azure.functions.http import HttpRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_IN_PATH = re.compile("(?:%(?!2[Ff])[0-9A-Fa-f]{2})+")
_IN_QUERY = re.compile("(?:%(?!00)[0-9A-Fa-f]{2})+")
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def path_of(scope: Scope) -> str:
    """Return the path, decoded once, with its dot segments resolved. As in Kestrel, %2F stays as it is."""
    raw = scope.get("raw_path")
    path: str = scope["path"] if raw is None else _unescaped(_IN_PATH, raw.decode("latin-1"))
    return _without_dots(path) if "/." in path else path


def segments_of(path: str) -> list[str]:
    """Return a path split at its slashes; a last slash does not count."""
    segments = path[1:].split("/")
    if not segments[-1] and len(segments) > 1:
        segments.pop()
    return segments


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their lower-cased names; what comes more than once is joined with a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        # The protocol refuses values that are not UTF-8.
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def request_of(
    scope: Scope, path: str, headers: Mapping[str, str], route_values: Mapping[str, str], body: bytes
) -> HttpRequest:
    """Return the request as the worker builds it.

    The path in its `url` is the decoded one, encoded again. The query is the one that was sent.
    """
    query = scope["query_string"].decode("utf-8", "replace")
    encoded = _STRAY_PERCENT.sub("%25", quote(path, safe="/%:@!$&'()*+,;="))
    return HttpRequest(
        method=scope["method"],
        url=f"{scope['scheme']}://{headers.get('host', 'localhost')}{encoded}{'?' if query else ''}{query}",
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
        name, _, value = (_unescaped(_IN_QUERY, part.replace("+", " ")) for part in pair.partition("="))
        if value:
            first = names.setdefault(name.lower(), name)
            params[first] = f"{params[first]},{value}" if first in params else value
    return params


def _unescaped(encoded: re.Pattern[str], text: str) -> str:
    return encoded.sub(lambda escapes: _as_far_as_utf_8(escapes[0]), text)


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


def _without_dots(path: str) -> str:
    """Return a path without `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path[1:].split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
