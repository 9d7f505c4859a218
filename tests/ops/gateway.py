"""A gateway in front of an archive: a real HTTP server that passes requests on, or does something else with them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import MappingProxyType
from urllib.parse import urlsplit

from tests.server import PATIENCE

LARGE = 1024 * 1024
"""Bytes from which on a body is large."""
OWN_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding"}
"""Headers that the gateway makes itself."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Gateway:
    """Treats each call as `treat` says. Without it, each is passed on."""

    def __init__(self, archive: str, treat: Callable[[Call], None] | None = None) -> None:
        self.archive = urlsplit(archive)
        self.treat = treat or Call.forward
        self.calls: list[tuple[str, str]] = []
        """Method and path of each call."""
        self.bodies: dict[tuple[str, str], bytes] = {}
        """The first body that came with a method, for the last part of a path."""
        self.holds, self.released = Event(), Event()
        """A call is held, and it may go on."""
        self.base = ""

    @contextmanager
    def serving(self) -> Iterator[Gateway]:
        """Serve on a free port of this machine."""
        with ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) as server:
            self.base = f"http://127.0.0.1:{server.server_port}/api"
            thread = Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                self.released.set()
                server.shutdown()
                thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def __getattr__(self, name: str) -> Callable[[], None]:
                """Return what handles a method: the base class asks for `do_GET` and others."""
                if name.startswith("do_"):
                    return self._handle
                raise AttributeError(name)

            def _handle(self) -> None:
                gateway.calls.append((self.command, self.path))
                # The client may have gone.
                with suppress(ConnectionError):
                    gateway.treat(Call(gateway, self))
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler


class Call:
    """A request that came to the gateway."""

    def __init__(self, gateway: Gateway, handler: BaseHTTPRequestHandler) -> None:
        self.gateway = gateway
        self.method = handler.command
        self._handler = handler
        self._length = int(handler.headers.get("Content-Length", 0))
        self._body: bytes | None = None

    @property
    def is_large(self) -> bool:
        """Return whether the body is large."""
        return self._length >= LARGE

    @property
    def is_publish(self) -> bool:
        """Return whether a notice is published, by a body that is not large."""
        return self.method == "PUT" and not self.is_large

    def forward(self) -> None:
        """Pass the request on, and its answer back."""
        status, headers, body = self.fetch()
        self.answer(status, body, headers)

    def fetch(self, body: bytes | None = None) -> tuple[int, Mapping[str, str], bytes]:
        """Pass the request on, or one with another body. Return the answer of the archive."""
        archive = self.gateway.archive
        connection = HTTPConnection(str(archive.hostname), archive.port, timeout=PATIENCE)
        try:
            headers = {name: value for name, value in self._handler.headers.items() if name.lower() != "content-length"}
            connection.request(self.method, self._handler.path, body or self._read() or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Answer with a status, a body and headers."""
        self._read()
        self._handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in OWN_HEADERS:
                self._handler.send_header(name, value)
        self._handler.send_header("Content-Length", str(len(body)))
        self._handler.end_headers()
        self._handler.wfile.write(body)

    def send_raw(self, content: bytes, *, read: bool = True) -> None:
        """Send bytes that may be no HTTP. If the body is not read, the connection is cut."""
        if read:
            self._read()
        self._handler.wfile.write(content)
        if not read:
            self._handler.connection.shutdown(socket.SHUT_WR)

    def _read(self) -> bytes:
        if self._body is None:
            self._body = self._handler.rfile.read(self._length)
            path = self._handler.path.rpartition("/")[2]
            self.gateway.bodies.setdefault((self.method, path), self._body)
        return self._body
