"""A session: its links, its windows, and the deliveries that are not settled."""

from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

from emulators.servicebus.amqp.composite import Composite
from emulators.servicebus.amqp.performatives import Attach, Begin, Detach, Disposition, End, Flow, Transfer
from emulators.servicebus.amqp.states import Rejected
from emulators.servicebus.amqp.values import Malformed
from emulators.servicebus.attaching import attach
from emulators.servicebus.links import SERIAL, ConsumerLink, InboundLink, Link, OutboundLink, error
from emulators.servicebus.refusals import Refusal
from emulators.servicebus.service import Unanswered
from emulators.servicebus.settlement import settlement

if TYPE_CHECKING:
    from emulators.servicebus.connection import Connection

WINDOW = 0x7FFFFFFF
"""Transfers that a client may send at once: the double takes them as they come."""
MAX_HANDLE = 255

_FRAME_OVERHEAD = 128
"""More bytes than a frame header and a transfer take."""


class Session:
    """One session of a connection. The double uses the channel and the handles that the client chose."""

    def __init__(self, connection: "Connection", channel: int, begin: Begin) -> None:
        """Answer a client that begins a session."""
        self.connection = connection
        self.channel = channel
        self.links: dict[int, Link] = {}
        self.unsettled: dict[int, tuple[ConsumerLink, UUID]] = {}
        """The links and the locks of deliveries, by their ids."""
        self._next_incoming_id = begin.next_outgoing_id
        self._next_outgoing_id = 1
        self._next_delivery_id = 1
        self._window = begin.incoming_window
        self._waiting: deque[tuple[Transfer, bytes]] = deque()
        """Transfers for which the client has no room yet."""
        self.send(
            Begin(
                remote_channel=channel,
                next_outgoing_id=self._next_outgoing_id,
                incoming_window=WINDOW,
                outgoing_window=WINDOW,
                handle_max=MAX_HANDLE,
            )
        )

    def send(self, performative: Composite, payload: bytes = b"") -> None:
        """Send a performative on the channel of the session."""
        self.connection.send(self.channel, performative, payload)

    def send_flow(self, handle: int, delivery_count: int, credit: int, drain: bool = False) -> None:
        """Send the state of a link."""
        self.send(
            Flow(
                next_incoming_id=self._next_incoming_id,
                incoming_window=WINDOW,
                next_outgoing_id=self._next_outgoing_id,
                outgoing_window=WINDOW,
                handle=handle,
                delivery_count=delivery_count,
                link_credit=credit,
                available=0,
                drain=drain,
            )
        )

    def send_transfer(self, handle: int, payload: bytes, tag: bytes, settled: bool) -> int:
        """Send a message in as many frames as it needs, and return its delivery id."""
        # Each frame has a number of its own, but all frames of a message have one delivery id.
        delivery_id = self._next_delivery_id
        self._next_delivery_id += 1
        room = self.connection.frame_size - _FRAME_OVERHEAD
        for at in range(0, len(payload), room):
            transfer = Transfer(
                handle=handle,
                delivery_id=delivery_id,
                delivery_tag=tag,
                message_format=0,
                settled=settled,
                more=at + room < len(payload),
            )
            self._waiting.append((transfer, payload[at : at + room]))
            self._next_outgoing_id += 1
        self._use_window()
        return delivery_id

    def handle(self, performative: Composite, payload: bytes) -> None:
        """Take a performative of the client. Raises Malformed."""
        match performative:
            case Attach():
                if performative.handle in self.links or performative.handle > MAX_HANDLE:
                    raise Malformed(f"The handle {performative.handle} is in use, or too large.")
                attach(self, performative)
            case Flow():
                self._on_flow(performative)
            case Transfer():
                self._next_incoming_id = (self._next_incoming_id + 1) & SERIAL
                link = self.links.get(performative.handle)
                if isinstance(link, InboundLink):
                    link.active_at = self.connection.time
                    link.on_transfer(performative, payload)
            case Disposition():
                self._on_disposition(performative)
            case Detach():
                if found := self.links.get(performative.handle):
                    self.forget(found)
                    self.send(Detach(handle=performative.handle, closed=performative.closed))
            case End():
                self.end()
                self.send(End())

    def forget(self, link: Link) -> None:
        """Forget a link that ends."""
        self.links.pop(link.handle, None)
        link.end()

    def end(self) -> None:
        """End every link. The messages that the client has stay locked."""
        for link in [*self.links.values()]:
            self.forget(link)
        self.connection.sessions.pop(self.channel, None)

    def answer(self, path: str, reply_to: object, answer: bytes) -> None:
        """Send the answer of a node to a request: on the link that the request names, or else on any to the node."""
        links = [link for link in self.links.values() if isinstance(link, OutboundLink) and link.address == path]
        named = [link for link in links if link.reply_to == reply_to]
        for link in (named or links)[:1]:
            link.transfer(answer)

    def _on_flow(self, flow: Flow) -> None:
        sent = self._next_outgoing_id - len(self._waiting)
        self._window = (flow.next_incoming_id or 1) + flow.incoming_window - sent
        self._use_window()
        if flow.handle is not None and (link := self.links.get(flow.handle)):
            link.on_flow(flow)

    def _use_window(self) -> None:
        while self._waiting and self._window > 0:
            self._window -= 1
            self.send(*self._waiting.popleft())

    def _on_disposition(self, disposition: Disposition) -> None:
        last = disposition.first if disposition.last is None else disposition.last
        if not disposition.role:
            return  # As a sender, the client has nothing to say: the double settles at once.
        named = range(disposition.first, last + 1)
        # A client may name more than there is: the shorter of the two lists is gone through.
        ids = named if len(named) < len(self.unsettled) else [known for known in self.unsettled if known in named]
        for delivery_id in ids:
            if delivery_id in self.unsettled:
                self._settle(delivery_id, disposition)

    def _settle(self, delivery_id: int, disposition: Disposition) -> None:
        link, token = self.unsettled[delivery_id]
        link.active_at = self.connection.time
        service = self.connection.service
        try:
            settled = settlement(disposition.state)
            if settled is None:
                return
            apply, state = settled.apply, settled.answer
            service.perform(self.connection, settled.operation, link.address, lambda: apply(link.queue, token))
        except Refusal as refusal:
            state = Rejected(error=error(refusal)).described()
        except Unanswered:
            del self.unsettled[delivery_id]
            raise
        del self.unsettled[delivery_id]
        if not disposition.settled:
            self.send(Disposition(role=False, first=delivery_id, last=delivery_id, settled=True, state=state))
