"""Turn the result of a function into a response, and send it.

In Azure, a function that sets Content-Length or Transfer-Encoding can break its response: the client hangs, or gets
only a part of the body. Here it is an error.
"""

from azure.functions import HttpResponse

from local.request import Send

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""

_LENGTH_HEADERS = frozenset({"content-length", "transfer-encoding"})
STATUSES_WITHOUT_BODY = frozenset({204, 205, 304})

BAD_REQUEST: Answer = (400, [], b"")
NOT_FOUND: Answer = (404, [], b"")
FAILED: Answer = (500, [], b"")
UNAVAILABLE: Answer = (503, [(b"retry-after", b"1")], b"")


def make_answer(result: object) -> Answer:
    """Return the answer for an HttpResponse or a str. Raises TypeError for any other result, None too."""
    if isinstance(result, HttpResponse):
        return _from_response(result)
    if isinstance(result, str):
        return 200, [(b"content-type", b"text/plain; charset=utf-8")], result.encode()
    raise TypeError("a function returns an HttpResponse or a str")


def _from_response(response: HttpResponse) -> Answer:
    status = response.status_code
    if not 200 <= status <= 599:
        raise ValueError("a function answers with a status from 200 to 599")
    # As in Azure: of a header that is set twice only the last is sent, and a value that is not ASCII is an error.
    headers = {key.lower(): value for key, value in response.headers}
    if not _LENGTH_HEADERS.isdisjoint(headers):
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
    """Send an answer. For HEAD, 204, 205 and 304 the body is left out."""
    headers, body = with_length(method, answer)
    await send({"type": "http.response.start", "status": answer[0], "headers": headers})
    await send({"type": "http.response.body", "body": body})


def with_length(method: str, answer: Answer) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers with Content-Length, and the body to send."""
    status, headers, body = answer
    if status in STATUSES_WITHOUT_BODY:
        return headers, b""
    return [*headers, (b"content-length", b"%d" % len(body))], b"" if method == "HEAD" else body
