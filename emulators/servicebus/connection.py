"""A connection: its handshake, its frames in and out, and its sessions.

A commit comes before each answer: `_flush` commits, then writes. So one commit serves all frames that came in one turn
of the loop, on every connection.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from emulators.servicebus.amqp.composite import Composite
from emulators.servicebus.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    MAX_FRAME_SIZE,
    SASL,
    SASL_HEADER,
    Frame,
    FrameBuffer,
    write_frame,
    write_sasl,
)
from emulators.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
)
from emulators.servicebus.amqp.states import Error
from emulators.servicebus.amqp.values import Array, Described, Malformed
from emulators.servicebus.refusals import CONNECTION_FORCED, DETACH_FORCED, FRAMING_ERROR, Refusal
from emulators.servicebus.service import Unanswered
from emulators.servicebus.session import Session

if TYPE_CHECKING:
    from emulators.servicebus.service import Service

MECHANISMS = ("ANONYMOUS", "EXTERNAL", "MSSBCBS")
"""The mechanisms that the double accepts. None of them is checked, because a client proves its key at $cbs."""
CHANNEL_MAX = 255

_SYMBOL = 0xB3
_PERFORMATIVES: dict[object, type[Composite]] = {
    known.CODE: known for known in (Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close)
}


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, service: "Service") -> None:
        self.service = service
        self.number = 0
        self.sessions: dict[int, Session] = {}
        self.frame_size = MAX_FRAME_SIZE
        self._granted: set[str] = set()
        self._buffer = FrameBuffer()
        self._out: list[bytes] = []
        self._is_flushing = False
        self._is_open = False
        self._is_over = False
        self._heard_at = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def time(self) -> float:
        """Return the time of the loop in seconds, by which idle links and connections are ended."""
        return self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or close it at once if the double refuses connections."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.service.accepted += 1
        self.number = self.service.accepted
        self._heard_at = self.time
        self.service.connections.add(self)
        if self.service.is_refusing:
            self.abort()
            return
        self._every("idle", min(self.service.limits.connection_idle, self.service.limits.link_idle) / 4, self._end_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the sessions. The messages that the client has stay locked."""
        self._end()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client, and carry them out."""
        self._heard_at = self.time
        self._buffer.add(data)
        self.service.broker.pass_time()
        self.service.broker.deliver()
        try:
            for part in self._buffer:
                if self._is_over:
                    break
                self._take(part)
                self.service.broker.deliver()
        except Malformed as malformed:
            self.close(Refusal(FRAMING_ERROR, str(malformed)))
        self._flush_soon()

    def send(self, channel: int, performative: Composite, payload: bytes = b"") -> None:
        """Send a performative, together with the others of this turn of the loop."""
        self._write(write_frame(channel, performative.encode(), payload))

    def close(self, refusal: Refusal | None = None) -> None:
        """Send a close with the reason, and close the connection."""
        if self._is_open:
            error = Error(condition=refusal.condition, description=refusal.description) if refusal else None
            self.send(0, Close(error=error.described() if error else None))
        self._flush()
        self._end()
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection. Frames that were not sent yet are lost."""
        self._out.clear()
        self._end()
        self._transport.abort()

    def grant(self, path: str) -> None:
        """Let the client use an entity, and the nodes below it."""
        self._granted.add(path.lower())

    def is_granted(self, path: str) -> bool:
        """Return whether the client has put a token for an entity, or for one above it."""
        return any(f"{path.lower()}/".startswith(f"{granted}/") for granted in self._granted)

    def _take(self, part: Frame | bytes) -> None:
        if isinstance(part, bytes):
            self._on_header(part)
        elif part.type == SASL:
            self._on_sasl(SaslInit.parse(part.performative).mechanism)
        elif part.performative is not None:
            with suppress(Unanswered):
                self._on_performative(part, part.performative)

    def _on_header(self, header: bytes) -> None:
        if header == SASL_HEADER:
            self._write(SASL_HEADER)
            self._write(write_sasl(SaslMechanisms(mechanisms=Array(_SYMBOL, MECHANISMS))))
        elif header == AMQP_HEADER:
            self._write(AMQP_HEADER)
        else:
            self._write(AMQP_HEADER)
            self.close()

    def _on_sasl(self, mechanism: str) -> None:
        is_known = mechanism in MECHANISMS
        self._write(write_sasl(SaslOutcome(code=0 if is_known else 1)))
        self._buffer.expect_header()
        if not is_known:
            self.close()

    def _on_performative(self, frame: Frame, value: Described) -> None:
        kind = _PERFORMATIVES.get(value.descriptor) if isinstance(value.descriptor, int) else None
        if kind is None:
            raise Malformed(f"{value.descriptor!r} is no performative.")
        performative = kind.parse(value)
        match performative:
            case Open():
                self._on_open(performative)
            case Begin():
                if frame.channel in self.sessions:
                    raise Malformed(f"The channel {frame.channel} has a session.")
                self.sessions[frame.channel] = Session(self, frame.channel, performative)
            case Close():
                self.close()
            case _ if session := self.sessions.get(frame.channel):
                session.handle(performative, frame.payload)
            # A client may detach the links of a session that it has ended.

    def _on_open(self, open_: Open) -> None:
        self._is_open = True
        self.frame_size = max(512, min(open_.max_frame_size, MAX_FRAME_SIZE))
        self.send(
            0,
            Open(
                container_id="emulators.servicebus",
                max_frame_size=MAX_FRAME_SIZE,
                channel_max=CHANNEL_MAX,
                idle_time_out=round(self.service.limits.connection_idle * 1000),
            ),
        )
        if open_.idle_time_out:
            self._every("alive", max(open_.idle_time_out / 2000, 0.01), lambda: self._write(EMPTY_FRAME))

    def _end_idle(self) -> None:
        limits = self.service.limits
        if self.time - self._heard_at > limits.connection_idle:
            text = f"The connection was inactive for more than {limits.connection_idle:g} seconds."
            self.close(Refusal(CONNECTION_FORCED, text))
        for session in self.sessions.values():  # None, if the connection is closed now.
            for link in [*session.links.values()]:
                if self.time - link.active_at > limits.link_idle:
                    text = f"The link '{link.name}' was idle for more than {limits.link_idle:g} seconds."
                    link.detach(Refusal(DETACH_FORCED, text))

    def _end(self) -> None:
        self._is_over = True
        self.service.connections.discard(self)
        for timer in self._timers.values():
            timer.cancel()
        for session in [*self.sessions.values()]:
            session.end()

    def _every(self, name: str, seconds: float, do: Callable[[], None]) -> None:
        def again() -> None:
            do()
            if not self._is_over:
                self._every(name, seconds, do)

        self._timers[name] = self._loop.call_later(seconds, again)

    def _write(self, data: bytes) -> None:
        self._out.append(data)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        self.service.broker.commit()
        if self._out and not self._is_over:
            self._transport.write(b"".join(self._out))
        self._out.clear()
