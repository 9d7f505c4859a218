"""The limit: an ASGI app without a framework, which answers every request with the same bytes.

As a module it is the process: `python -m bench.sides.constant`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.sides import Process, Side

SIZE = 750
"""Bytes of an answer: as many as the archive shows of a notice of the loads, in the mean."""


@contextmanager
def _start(folder: Path) -> Iterator[Process]:
    # The process itself needs nothing of the archive.
    from bench.sides.processes import started

    with started(__name__) as process:
        yield process


CONSTANT = Side("constant", "an ASGI app that answers a constant of the size of a notice", _start, is_archive=False)


class Constant:
    """Answers every request with the same bytes."""

    def __init__(self, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"etag", b'"1-ACTIVE"'), (b"x-request-id", b"0" * 32)]
        length = (b"content-length", str(len(body)).encode())
        self._start = {"type": "http.response.start", "status": 200, "headers": [*headers, length]}
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await send(self._start)
        await send(self._body)


def main() -> None:
    """Serve the constant."""
    from bench.sides.serving import serve

    serve(Constant(b'"%s"' % (b"x" * (SIZE - 2))))


if __name__ == "__main__":
    main()
