"""Attach links: to a queue or topic, to $cbs, or to the $management node of an entity."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from emulators.servicebus.addresses import CBS, entity_of, is_management, path_of
from emulators.servicebus.amqp.performatives import COORDINATOR, Attach, Source, Target
from emulators.servicebus.amqp.values import Symbol, ULong
from emulators.servicebus.cbs import put_token
from emulators.servicebus.links import ConsumerLink, InboundLink, Link, OutboundLink, sends_to
from emulators.servicebus.management import manage
from emulators.servicebus.refusals import INVALID_FIELD, UNAUTHORIZED, Refusal, not_implemented
from emulators.servicebus.requests import Request

if TYPE_CHECKING:
    from emulators.servicebus.connection import Connection
    from emulators.servicebus.session import Session

_SETTLED = 1
_SESSION_FILTER = "com.microsoft:session-filter"

_Respond = Callable[["Connection", bytes], tuple[Request, bytes]]


def attach(session: "Session", asked: Attach) -> None:
    """Answer a client that attaches a link. Raises Malformed."""
    try:
        path = _path(asked)
        link = session.connection.service.perform(
            session.connection, "Attach", path, lambda: _link(session, asked, path), messages=0
        )
    except Refusal as refusal:
        # A client takes a link with both its ends for attached, and does not hear why it ends.
        session.send(_answer(session, asked, is_refused=True))
        Link(session, asked.handle, asked.name, "").detach(refusal)
        return
    session.links[asked.handle] = link
    session.send(_answer(session, asked, is_refused=False))
    if isinstance(link, InboundLink):
        link.grant()
    if isinstance(link, ConsumerLink):
        link.queue.subscribe(link)


def _link(session: "Session", asked: Attach, path: str) -> Link:
    if path.lower() == CBS:
        return _responder(session, asked, path, put_token)
    connection, broker = session.connection, session.connection.service.broker
    entity = entity_of(path)
    if not connection.is_granted(path):
        raise Refusal(UNAUTHORIZED, f"Unauthorized access to '{entity}': put a token into $cbs first.")
    if is_management(path):
        broker.queue(entity)
        return _responder(session, asked, path, lambda connection, message: manage(connection, path, message))
    if not asked.role:
        broker.check_target(path)
        return InboundLink(session, asked.handle, asked.name, path, sends_to(session, path))
    if asked.snd_settle_mode == _SETTLED:
        raise not_implemented("receive and delete")
    if _SESSION_FILTER in (Source.parse(asked.source).filter or {}):
        raise not_implemented("sessions")
    return ConsumerLink(session, asked.handle, asked.name, path, broker.queue(path))


def _responder(session: "Session", asked: Attach, path: str, respond: _Respond) -> Link:
    """Return one of the two links of a node that answers requests."""
    if asked.role:
        reply_to = Target.parse(asked.target).address if asked.target else None
        return OutboundLink(session, asked.handle, asked.name, path, reply_to or path)

    def take(message: bytes, _: int | None) -> None:
        request, answer = respond(session.connection, message)
        session.answer(path, request.reply_to, answer)

    return InboundLink(session, asked.handle, asked.name, path, take)


def _path(asked: Attach) -> str:
    """Return the path of the end of a link that is the double's."""
    if asked.target and asked.target.descriptor == COORDINATOR:
        raise not_implemented("transactions")
    end = asked.source if asked.role else asked.target
    if end is None:
        raise Refusal(INVALID_FIELD, "The link names no address.")
    address = (Source.parse(end) if asked.role else Target.parse(end)).address
    if not address:
        raise Refusal(INVALID_FIELD, "The link names no address.")
    return path_of(address)


def _answer(session: "Session", asked: Attach, is_refused: bool) -> Attach:
    """Return the other half of an attach. On a refused link, the end that is the double's is missing."""
    limit = session.connection.service.limits.message_size
    return replace(
        asked,
        role=not asked.role,
        source=None if is_refused and asked.role else asked.source,
        target=None if is_refused and not asked.role else asked.target,
        unsettled=None,
        initial_delivery_count=0 if asked.role else None,
        max_message_size=limit,
        offered_capabilities=None,
        desired_capabilities=None,
        properties={Symbol("com.microsoft:max-message-batch-size"): ULong(limit)},
    )
