"""What goes back over the wire: a function's result, or an answer of the host, in the host's framing.

Where a function says how long its body is, a client might believe it and the server contradict it: headers of
that kind are dropped and made anew.
"""

import json
from collections.abc import Iterable

from azure.functions import HttpResponse

from local.request import Send

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers without framing, body."""

_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})
_WITHOUT_BODY = frozenset({204, 304})


def _problem(status: int, title: str, code: str) -> Answer:
    content = {"type": "about:blank", "title": title, "status": status, "code": code}
    return status, [(b"content-type", b"application/problem+json")], json.dumps(content).encode()


_METHOD_NOT_ALLOWED = _problem(405, "The address does not answer this method", "method_not_allowed")
NOT_FOUND = _problem(404, "Nothing answers at this address", "not_found")
STOPPING = _problem(503, "The host is stopping", "try_again")
BAD_REQUEST: Answer = (400, [], b"")
FAILED: Answer = (500, [], b"")
OVERLOADED: Answer = (503, [(b"retry-after", b"1")], b"")


def method_not_allowed(methods: Iterable[str]) -> Answer:
    """Return the refusal of a method at an address that answers others."""
    status, headers, body = _METHOD_NOT_ALLOWED
    return status, [*headers, (b"allow", ", ".join(methods).encode())], body


def answer_of(result: object) -> Answer:
    """Return what the real host makes of a response, a text, or nothing (204); else raises TypeError."""
    if isinstance(result, HttpResponse):
        return _answer_of_response(result)
    if isinstance(result, str):
        return 200, [(b"content-type", b"text/plain; charset=utf-8")], result.encode()
    if result is None:
        return 204, [], b""
    raise TypeError("a function returns an HttpResponse, a str or None")


def _answer_of_response(response: HttpResponse) -> Answer:
    status = response.status_code
    if not 200 <= status <= 599:
        raise ValueError("a function answers with a status from 200 to 599")
    headers: list[tuple[bytes, bytes]] = []
    typed = status in _WITHOUT_BODY
    for key, value in response.headers:
        name = key.lower()
        if name not in _FRAMING:
            headers.append((name.encode("latin-1"), value.encode("latin-1")))
            typed = typed or name == "content-type"
    if not typed:
        charset = f"; charset={response.charset}" if response.mimetype.startswith("text/") else ""
        headers.append((b"content-type", f"{response.mimetype}{charset}".encode("latin-1")))
    return status, headers, response.get_body()


async def send_answer(send: Send, method: str, answer: Answer) -> None:
    """Send a whole answer; HEAD, 204 and 304 go without their body."""
    start, body = framed(method, answer)
    await send({"type": "http.response.start", "status": answer[0], "headers": start})
    await send({"type": "http.response.body", "body": body})


def framed(method: str, answer: Answer) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers with the framing, and the body as it is sent."""
    status, headers, body = answer
    if status in _WITHOUT_BODY:
        return headers, b""
    return [*headers, (b"content-length", b"%d" % len(body))], b"" if method == "HEAD" else body
