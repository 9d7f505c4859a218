"""HTTP/1.1 with the platform's limits of size and time, also for clients that send `Upgrade`.

A request over a limit, or one that Kestrel cannot decode, gets a status without a body, and its connection is closed.
Java's HttpClient sends `Upgrade: h2c` with every request. The parser takes the bytes after it for the other protocol. A
server may ignore `Upgrade` (RFC 9110, 7.8), so such a request is parsed again without this header.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

REQUEST_LINE_LIMIT = 8192
"""Bytes of the request line, with its line end."""
HEADERS_LIMIT = 32 * 1024
"""Bytes of all headers, with their line ends."""
FIELDS_LIMIT = 100
"""Headers of one request."""

_AROUND_TARGET = len(b"  HTTP/1.1\r\n")
_AROUND_HEADER = len(b": \r\n")


class _Refused(Exception):
    """The request is refused. The parser wraps this error, so the status is an attribute of the protocol."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = 30.0
    """Seconds that a client has to send the request line and all headers."""
    linger_seconds = 1.0
    """Seconds that the connection stays open after a refusal, so that a client that is still sending can receive it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_began = False
        self._pending_bytes = 0
        self._headers_size = 0
        self._status = 400
        self._is_refused = False
        self._head_to_replay: bytes | None = None
        self._original_headers: list[tuple[bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes from the client."""
        if self._is_refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._head_began = False
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(self._status)
            return
        if self._is_between_requests():
            self._start_head_timer()
        # The parser reports a header only when it is complete. Until then its bytes are counted here.
        self._pending_bytes = self._pending_bytes + len(data) if self._in_head and not self._head_began else 0
        if self._pending_bytes > REQUEST_LINE_LIMIT + HEADERS_LIMIT:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Start a new request."""
        super().on_message_begin()
        self._in_head = self._head_began = True
        self._headers_size = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the target."""
        super().on_url(url)
        if not url.isascii() or b"#" in url:
            raise _Refused
        if len(self.parser.get_method()) + len(self.url) + _AROUND_TARGET > REQUEST_LINE_LIMIT:
            self._status = 414
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        super().on_header(name, value)
        value.decode()  # As in Kestrel, 400 if it is not UTF-8.
        self._headers_size += len(name) + len(value) + _AROUND_HEADER
        if len(self.headers) > FIELDS_LIMIT or self._headers_size > HEADERS_LIMIT:
            self._status = 431
            raise _Refused

    def on_headers_complete(self) -> None:
        """Pass the request to the app, unless it has `Upgrade`."""
        self._in_head = False
        if b"%00" in self.url.partition(b"?")[0]:
            raise _Refused
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._head_to_replay, self._original_headers = self._head_without_upgrade(), self.headers
            return
        super().on_headers_complete()
        self._stop_head_timer()
        # A copy, because the parser adds trailers to the same list.
        self.scope["headers"] = list(self._original_headers or self.headers)
        self._original_headers = None

    def on_message_complete(self) -> None:
        """End the body."""
        if self._head_to_replay is None:
            super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                assert self._head_to_replay is not None
                data, self._head_to_replay = self._head_to_replay + data[upgrade.args[0] :], None
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """Return the request line and the headers, without `Upgrade`."""
        first = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *lines, b"", b""])

    def _refuse(self, status: int) -> None:
        """Answer with the status and close. An earlier request that is complete is answered first."""
        self._is_refused = True
        self._stop_head_timer()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            if self.pipeline or cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.write_eof()
        self.loop.call_later(self.linger_seconds, self.transport.close)

    def _is_between_requests(self) -> bool:
        return self._in_head or self.cycle is None or self.cycle.response_complete

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._on_head_timeout)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        if self._in_head and not self.transport.is_closing():
            self._refuse(408)
        else:
            self.transport.close()
