"""How a request of the wire becomes the library's HttpRequest, as Kestrel and the real host hand it over.

What cannot be read is never a crash: bytes that are no UTF-8 are replaced, and the function decides.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from azure.functions.http import HttpRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_LIMIT = 100 * 1024 * 1024
"""Bytes of a body, the platform's default (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`)."""

_ENCODED_SLASH = re.compile(rb"(%2[Ff])")


class BodyTooLarge(Exception):
    """The body is over the limit; some of it may not have been read."""


class Disconnected(Exception):
    """The client left before its body was read."""


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


async def body_of(headers: Mapping[str, str], receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """Return the body; raises BodyTooLarge as soon as that is known, and Disconnected."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:18]) > limit:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def request_of(scope: Scope, headers: Mapping[str, str], route_values: Mapping[str, str], body: bytes) -> HttpRequest:
    """Return the request as the worker builds it; of a key given twice in a query, the last value counts."""
    query = scope["query_string"].decode("utf-8", "replace")
    raw_path = scope.get("raw_path")
    path = scope["path"] if raw_path is None else raw_path.decode("latin-1")
    return HttpRequest(
        method=scope["method"],
        url=f"{scope['scheme']}://{headers.get('host', 'localhost')}{path}{'?' if query else ''}{query}",
        headers=headers,
        params=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        route_params=route_values,
        body_type="bytes",
        body=body,
    )


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
