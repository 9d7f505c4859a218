"""How the host reads HTTP/1.1 where uvicorn would lose a body: requests that offer another protocol.

Java's HttpClient offers HTTP/2 (`Upgrade: h2c`) with every request. The fast parser takes what follows for that
protocol, body included; the offer may be ignored (RFC 9110, 7.8), and then the body is a body.
"""

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """The fast protocol, which leaves a connection to the careful one when its first request offers an upgrade."""

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client's."""
        if self.scope is None and b"\nupgrade:" in data.lower():
            self._leave_to_h11(data)
        else:
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """Begin the request; what comes behind its body (trailers) is no header of it."""
        super().on_headers_complete()
        self.scope["headers"] = list(self.headers)

    def _leave_to_h11(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        careful = H11Protocol(self.config, self.server_state, self.app_state, self.loop)
        careful.connection_made(self.transport)
        self.transport.set_protocol(careful)
        careful.data_received(data)
