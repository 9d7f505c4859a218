"""HTTP/1.1 with the platform's limits of size and time, for clients that offer another protocol as well.

A request that is past a limit, or that Kestrel cannot decode, gets a status without a body, and its connection is
closed. The parser takes the bytes behind an offer (`Upgrade: h2c`, which Java's HttpClient sends with every request)
for the other protocol. A server may ignore an offer (RFC 9110, 7.8), so such a request is parsed again without it.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

REQUEST_LINE_LIMIT = 8192
"""Bytes of a request line, its end included."""
HEADERS_LIMIT = 32 * 1024
"""Bytes of all headers, their ends included."""
FIELDS_LIMIT = 100
"""Headers of a request."""

_AROUND_TARGET = len(b"  HTTP/1.1\r\n")
_AROUND_HEADER = len(b": \r\n")


class _Refused(Exception):
    """The request is refused; its status is in the protocol, because the parser wraps this error."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = 30.0
    """Seconds that a client has to send the request line and all headers."""
    linger_seconds = 1.0
    """Seconds in which a client that still sends can read its refusal, before the connection ends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_began = False
        self._unparsed = 0
        self._headers_size = 0
        self._refusal = 400
        self._is_refused = False
        self._offer: bytes | None = None
        self._offered: list[tuple[bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_head()
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
            self._refuse(self._refusal)
            return
        if self._is_between_requests():
            self._await_head()
        # The parser shows a header only when it is complete, so the bytes before that are counted here.
        self._unparsed = self._unparsed + len(data) if self._in_head and not self._head_began else 0
        if self._unparsed > REQUEST_LINE_LIMIT + HEADERS_LIMIT:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head = self._head_began = True
        self._headers_size = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the target."""
        super().on_url(url)
        if not url.isascii() or b"#" in url:
            raise _Refused
        if len(self.parser.get_method()) + len(self.url) + _AROUND_TARGET > REQUEST_LINE_LIMIT:
            self._refusal = 414
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        super().on_header(name, value)
        value.decode()  # As in Kestrel, a value that is not UTF-8 is 400.
        self._headers_size += len(name) + len(value) + _AROUND_HEADER
        if len(self.headers) > FIELDS_LIMIT or self._headers_size > HEADERS_LIMIT:
            self._refusal = 431
            raise _Refused

    def on_headers_complete(self) -> None:
        """Start the request, unless it offers another protocol."""
        self._in_head = False
        if b"%00" in self.url.partition(b"?")[0]:
            raise _Refused
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offer, self._offered = self._without_offer(), self.headers
            return
        super().on_headers_complete()
        self._forget_head()
        # A copy, because headers behind the body (trailers) are none of the request's.
        self.scope["headers"] = list(self._offered or self.headers)
        self._offered = None

    def on_message_complete(self) -> None:
        """End the request's body."""
        if self._offer is None:
            super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                assert self._offer is not None
                data, self._offer = self._offer + data[offer.args[0] :], None
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _without_offer(self) -> bytes:
        """Return the head of the request as it would be without `Upgrade`."""
        first = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *lines, b"", b""])

    def _refuse(self, status: int) -> None:
        """Answer with the status and close. A complete request that came before is answered first."""
        self._is_refused = True
        self._forget_head()
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

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._end_waiting)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_waiting(self) -> None:
        if self._in_head and not self.transport.is_closing():
            self._refuse(408)
        else:
            self.transport.close()
