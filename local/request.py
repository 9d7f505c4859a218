"""Make the HttpRequest for a function from an ASGI scope, as Kestrel and the host in Azure do.

Bytes of a URL that are not UTF-8 stay percent-encoded.
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
_PLAIN_PATH = re.compile("[A-Za-z0-9/-]*")
_SAFE = "/%:@!$&'()*+,;="
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def parse_path(scope: Scope) -> str:
    """Return the path, decoded once, without dot segments. As in Kestrel, %2F stays encoded."""
    raw = scope.get("raw_path")
    path: str = scope["path"] if raw is None else raw.decode("latin-1")
    if raw is not None and "%" in path:
        path = _percent_decode(_IN_PATH, path)
    return _remove_dot_segments(path) if "/." in path else path


def split_path(path: str) -> list[str]:
    """Return the segments of a path. A slash at the end is ignored."""
    segments = path[1:].split("/")
    if not segments[-1] and len(segments) > 1:
        segments.pop()
    return segments


def parse_headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name in lower case. Repeated headers are joined with a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        # Values that are not UTF-8 do not come here: the protocol refuses them.
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def make_request(
    scope: Scope, path: str, headers: Mapping[str, str], route_params: Mapping[str, str], body: bytes
) -> HttpRequest:
    """Return the request that the worker would make.

    In its `url`, the path is the decoded one, encoded again. The query is as the client sent it.
    """
    query = scope["query_string"].decode("utf-8", "replace")
    # Nearly every path has only letters and digits, and quoting takes longer than all the rest.
    encoded = path if _PLAIN_PATH.fullmatch(path) else _STRAY_PERCENT.sub("%25", quote(path, safe=_SAFE))
    return HttpRequest(
        method=scope["method"],
        url=f"{scope['scheme']}://{headers.get('host', 'localhost')}{encoded}{'?' if query else ''}{query}",
        headers=headers,
        params=parse_query(query) if query else {},
        route_params=route_params,
        body_type="bytes",
        body=body,
    )


def parse_query(query: str) -> dict[str, str]:
    """Return the parameters of a query, as in Azure.

    Values of one name are joined with a comma. Names are compared without case. Empty values are left out.
    """
    params: dict[str, str] = {}
    names: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = (_percent_decode(_IN_QUERY, part.replace("+", " ")) for part in pair.partition("="))
        if value:
            first = names.setdefault(name.lower(), name)
            params[first] = f"{params[first]},{value}" if first in params else value
    return params


def _percent_decode(encoded: re.Pattern[str], text: str) -> str:
    return encoded.sub(lambda escapes: _decode_utf_8(escapes[0]), text)


def _decode_utf_8(escapes: str) -> str:
    """Decode percent-encoded bytes. Bytes that are not UTF-8 stay encoded."""
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


def _remove_dot_segments(path: str) -> str:
    """Return a path without `.` and `..` segments (RFC 3986, 5.2.4)."""
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
