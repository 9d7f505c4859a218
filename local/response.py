"""What goes back over the wire: a function's result, or an answer of the host, in the host's framing.

A function that sets the framing itself breaks the answer on the platform: there the client hangs, or gets less than the
body. Here it is refused, so that it is found before.
"""

from azure.functions import HttpResponse

from local.request import Send

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers without framing, body."""

_FRAMING = frozenset({"content-length", "transfer-encoding"})
WITHOUT_BODY = frozenset({204, 205, 304})
"""Statuses whose body is dropped."""

NOT_FOUND: Answer = (404, [], b"")
STOPPING: Answer = (503, [(b"retry-after", b"1")], b"")
BAD_REQUEST: Answer = (400, [], b"")
FAILED: Answer = (500, [], b"")
OVERLOADED: Answer = (503, [(b"retry-after", b"1")], b"")


def answer_of(result: object) -> Answer:
    """Return what the real host makes of a response or a text; raises TypeError for anything else, None too."""
    if isinstance(result, HttpResponse):
        return _answer_of_response(result)
    if isinstance(result, str):
        return 200, [(b"content-type", b"text/plain; charset=utf-8")], result.encode()
    raise TypeError("a function returns an HttpResponse or a str")


def _answer_of_response(response: HttpResponse) -> Answer:
    status = response.status_code
    if not 200 <= status <= 599:
        raise ValueError("a function answers with a status from 200 to 599")
    # Of a header that is set twice the platform sends the last, and none with other characters than ASCII.
    headers = {key.lower(): value for key, value in response.headers}
    if not _FRAMING.isdisjoint(headers):
        raise ValueError("a function leaves Content-Length and Transfer-Encoding to the host")
    if "content-type" not in headers:
        charset = f"; charset={response.charset}" if response.mimetype.startswith("text/") else ""
        headers["content-type"] = f"{response.mimetype}{charset}"
    return (
        status,
        [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()],
        response.get_body(),
    )


async def send_answer(send: Send, method: str, answer: Answer) -> None:
    """Send a whole answer; HEAD, 204, 205 and 304 go without their body."""
    start, body = framed(method, answer)
    await send({"type": "http.response.start", "status": answer[0], "headers": start})
    await send({"type": "http.response.body", "body": body})


def framed(method: str, answer: Answer) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers with the framing, and the body as it is sent."""
    status, headers, body = answer
    if status in WITHOUT_BODY:
        return headers, b""
    return [*headers, (b"content-length", b"%d" % len(body))], b"" if method == "HEAD" else body
