"""Links: on an inbound link the client sends, on an outbound link it receives."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from emulators.servicebus.amqp.performatives import Detach, Disposition, Flow, Transfer
from emulators.servicebus.amqp.states import Accepted, Error, Rejected
from emulators.servicebus.amqp.values import Described
from emulators.servicebus.content import parse_transfer
from emulators.servicebus.messages import Message
from emulators.servicebus.queue import Queue
from emulators.servicebus.refusals import INVALID_FIELD, TOO_LARGE, Refusal, not_implemented

if TYPE_CHECKING:
    from emulators.servicebus.session import Session

CREDIT = 1000
"""Messages that a client may send before the double grants more."""

SERIAL = 0xFFFFFFFF
"""The largest delivery count. After it comes 0."""

Take = Callable[[bytes, int | None], None]
"""Takes the bytes of a transfer and their format. Raises Refusal."""


class Link:
    """One end of a link. The other end is the client's."""

    def __init__(self, session: "Session", handle: int, name: str, address: str) -> None:
        self.session = session
        self.handle = handle
        self.name = name
        self.address = address
        """The path of the entity, or of one of its nodes, as the client wrote it."""
        self.delivery_count = 0
        self.active_at = session.connection.time

    def on_flow(self, flow: Flow) -> None:
        """Take the credit of the client."""

    def end(self) -> None:
        """Free the resources of the link."""

    def detach(self, refusal: Refusal) -> None:
        """End the link with an error."""
        self.session.forget(self)
        self.session.send(Detach(handle=self.handle, closed=True, error=error(refusal)))


class InboundLink(Link):
    """The client sends."""

    def __init__(self, session: "Session", handle: int, name: str, address: str, take: Take) -> None:
        """Give the messages that come to `take`."""
        super().__init__(session, handle, name, address)
        self._take = take
        self._first: Transfer | None = None
        self._payload = bytearray()
        self._size = 0
        self._credit = 0

    def grant(self) -> None:
        """Let the client send."""
        self._credit = CREDIT
        self.session.send_flow(self.handle, self.delivery_count, CREDIT)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Take a message, or a part of one, and answer when it is whole."""
        self._first = self._first or transfer
        self._size += len(payload)
        if self._size <= self.session.connection.service.limits.message_size:
            self._payload += payload
        if transfer.more and not transfer.aborted:
            return
        first, whole, size = self._first, bytes(self._payload), self._size
        self._first, self._size = None, 0
        self._payload.clear()
        if not transfer.aborted:
            self.delivery_count = (self.delivery_count + 1) & SERIAL
            self._credit -= 1
            self._answer(first, whole, size)
        if self._credit < CREDIT // 2:
            self.grant()

    def _answer(self, transfer: Transfer, payload: bytes, size: int) -> None:
        state = Accepted().described()
        try:
            self._check(transfer, size)
            self._take(payload, transfer.message_format)
        except Refusal as refusal:
            state = Rejected(error=error(refusal)).described()
        if not transfer.settled and transfer.delivery_id is not None:
            self.session.send(Disposition(role=True, first=transfer.delivery_id, settled=True, state=state))

    def _check(self, transfer: Transfer, size: int) -> None:
        limit = self.session.connection.service.limits.message_size
        if size > limit:
            raise Refusal(TOO_LARGE, f"The received message (size:{size}) exceeds the limit ({limit} bytes).")
        if transfer.state is not None:
            raise not_implemented("transactions")


def sends_to(session: "Session", path: str) -> Take:
    """Return a function that puts messages into a queue or topic, a batch as a whole or not at all."""
    connection = session.connection

    def take(payload: bytes, message_format: int | None) -> None:
        contents = parse_transfer(payload, message_format)
        if not contents:
            raise Refusal(INVALID_FIELD, "The batch has no messages.")
        service = connection.service
        service.perform(connection, "Send", path, lambda: service.broker.publish(path, contents), len(contents))

    return take


class OutboundLink(Link):
    """The client receives answers."""

    def __init__(self, session: "Session", handle: int, name: str, address: str, reply_to: str) -> None:
        """Take answers to requests that name the address `reply_to`."""
        super().__init__(session, handle, name, address)
        self.reply_to = reply_to
        self.credit = 0

    def on_flow(self, flow: Flow) -> None:
        """Take the new credit, and use it. If the client drains, give back the rest."""
        self.active_at = self.session.connection.time
        if flow.link_credit is None:
            return
        ahead = (self.delivery_count - (flow.delivery_count or 0)) & SERIAL
        self.credit = max(flow.link_credit - ahead, 0)
        self.use_credit()
        if flow.drain:
            self.delivery_count = (self.delivery_count + self.credit) & SERIAL
            self.credit = 0
        if flow.drain or flow.echo:
            self.session.send_flow(self.handle, self.delivery_count, self.credit, flow.drain)

    def use_credit(self) -> None:
        """Send messages, as far as there is credit."""

    def transfer(self, payload: bytes, tag: bytes | None = None) -> int:
        """Send a message and return its delivery id. Without a tag, it is settled already."""
        self.active_at = self.session.connection.time
        self.delivery_count = (self.delivery_count + 1) & SERIAL
        self.credit -= 1
        return self.session.send_transfer(self.handle, payload, tag or uuid4().bytes, settled=tag is None)


class ConsumerLink(OutboundLink):
    """The client receives the messages of a queue."""

    def __init__(self, session: "Session", handle: int, name: str, address: str, queue: Queue) -> None:
        super().__init__(session, handle, name, address, "")
        self.queue = queue

    def use_credit(self) -> None:
        """Send the messages that the queue has."""
        broker = self.session.connection.service.broker
        broker.wake(self.queue)
        broker.deliver()

    def deliver(self, message: Message) -> None:
        """Send a locked message. Its tag is the token of the lock, with the bytes in the order of .NET."""
        assert message.lock
        now = self.session.connection.service.broker.now
        delivery_id = self.transfer(message.encode(now), message.lock.token.bytes_le)
        self.session.unsettled[delivery_id] = self, message.lock.token

    def end(self) -> None:
        """Take no more messages. Those that the client has stay locked."""
        self.queue.unsubscribe(self)


def error(refusal: Refusal) -> Described:
    """Return a refusal as an error of AMQP."""
    return Error(condition=refusal.condition, description=refusal.description).described()
