"""The edge of the inbound queue: parse an event, call one verb of the archive, reject what can never be applied.

The platform completes a message when its function returns. When the function raises, the message comes again, and after
ten attempts it is a dead letter. So every attempt may be repeated. An event that is too early does not wait here, where
it would hold up others, but in the queue, as a copy that is delivered later (ADR 31).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap, wire
from shared.archive import Done
from shared.bootstrap import Application
from shared.deadlines import Deadline
from shared.domain.events import Actor, Origin, Role, WriteContext
from shared.domain.lifecycle import EventType
from shared.errors import (
    ArchiveError,
    Conflict,
    InstitutionNotFound,
    NoticeNotFound,
    StaleDeclaration,
    StoreUnavailable,
    Unavailable,
)
from shared.messages import CLOUD_EVENT, Message, id_of_repetition
from shared.ports import Bus, BusUnavailable
from shared.telemetry import LogContext, add_log_context, log_bug, log_event, log_failure
from shared.turns import request_ends_at
from shared.write_ids import new_write_id

if TYPE_CHECKING:
    from shared.wire.inbound import InboundEvent

ATTEMPTS = 10
"""How often a cancellation or closure looks for its notice. It waits 1 s, then each time twice as long: 8 minutes."""
SKEW = timedelta(seconds=2)
"""How far the clock of a producer may be ahead of ours without changing the order of its declarations."""
UNKNOWN_INSTITUTION = "The institution is not registered. Register it with `institutions add`, then replay the message."

UNKNOWN_NOTICE = "Nobody has published the notice. If it is published by now, replay the message."


class Outcome(StrEnum):
    """The result of an event that is completed."""

    APPLIED = "applied"
    REPEATED = "repeated"
    STALE = "stale"
    WAITS = "waits"
    """It came before its notice, and a copy of it comes again later."""
    REJECTED = "rejected"


class NotApplied(Exception):
    """The event could not be applied now. It is delivered again."""


async def consume(
    received: func.ServiceBusMessage, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Outcome:
    """Apply an inbound event, or reject it, or let it wait. Raises NotApplied: the event is delivered again."""
    with LogContext(function="consume_events"):
        try:
            outcome = await _Consumer(bootstrap.application(), sleep).consume(_message(received))
        except (Unavailable, BusUnavailable) as error:
            log_failure("message_not_applied", error)
            raise NotApplied from None
        # The platform would log the text of an error that escapes, and the text may be personal.
        except Exception as error:  # noqa: BLE001
            log_bug("message_not_applied", error)
            raise NotApplied from None
        if outcome is not Outcome.REJECTED:
            log_event("message_consumed", outcome=outcome)
        return outcome


def _message(received: func.ServiceBusMessage) -> Message:
    body = received.get_body()
    return Message(
        received.message_id or f"unnamed-{sha256(body).hexdigest()[:16]}",
        body,
        received.application_properties or {},
        received.session_id,
        received.content_type or CLOUD_EVENT,
    )


class _Consumer:
    """Takes one message of the queue."""

    def __init__(self, application: Application, sleep: Callable[[float], Awaitable[object]]) -> None:
        self._application = application
        self._archive = application.archive
        self._sleep = sleep

    async def consume(self, message: Message) -> Outcome:
        """Apply or reject the event of a message, within the time of a request."""
        try:
            with Deadline(self._application.deadlines) as ends_at:
                token = request_ends_at.set(ends_at)
                try:
                    return await self._apply_or_reject(message)
                finally:
                    request_ends_at.reset(token)
        except TimeoutError as error:
            raise StoreUnavailable from error

    async def _apply_or_reject(self, message: Message) -> Outcome:
        try:
            event = wire.inbound.parse_event(message.body)
            add_log_context(
                type=event.type, institution=event.address.creditor_institution, number=event.address.number
            )
            return await self._apply_or_wait(event, message)
        except InstitutionNotFound:
            return await self._reject(message, "unknown_institution", UNKNOWN_INSTITUTION)
        except NoticeNotFound as error:
            return await self._reject(message, error.code, UNKNOWN_NOTICE)
        except Unavailable:
            raise
        except ArchiveError as error:
            return await self._reject(message, error.code, f"{error.title}. {error.detail}")
        except wire.inbound.Rejected as rejected:
            return await self._reject(message, rejected.reason, rejected.description)

    async def _apply_or_wait(self, event: "InboundEvent", message: Message) -> Outcome:
        try:
            done = await self._apply(event)
        except StaleDeclaration:
            return Outcome.STALE
        except NoticeNotFound:
            if await self._waits(message):
                return Outcome.WAITS
            raise
        except Conflict:
            # It was applied before, and its notice has moved on since.
            if await self._was_applied(event):
                return Outcome.REPEATED
            raise
        return Outcome.APPLIED if done.events else Outcome.REPEATED

    async def _apply(self, event: "InboundEvent") -> Done:
        archive, types, address = self._archive, wire.inbound.InboundType, event.address
        if event.type in (types.PAID, types.REPORTED):
            context = self._context(event)
            if event.type is types.PAID:
                payment, iuv = event.payment()
                return await archive.record_payment(address, payment, context, iuv)
            return await archive.record_settlement(address, event.settlement(), context)
        institution = await archive.registry.institution(address.creditor_institution)
        await self._wait_for(event.time)
        context = self._context(event)
        parsing = wire.texts.ParseContext(institution.lenient, context.now)
        if event.type is types.PUBLISH:
            return await archive.publish(event.publication(parsing), institution, context)
        context = context.because(event.reason(parsing))
        if event.type is types.CANCEL:
            return await archive.declare(address, EventType.CANCELLED, context)
        return await archive.declare(address, EventType.CLOSED, context)

    def _context(self, event: "InboundEvent") -> WriteContext:
        return WriteContext(
            self._archive.clock(),
            Actor(Role.PLATFORM, event.source),
            new_write_id(),
            event.time,
            Origin.GPD,
            cause=event.id,
            traceparent=event.traceparent,
        )

    async def _wait_for(self, time: datetime) -> None:
        """Wait for the time of a declaration, if the clock of its producer is a little ahead of ours.

        Declarations are ordered by their times. One from the future would be ordered by its arrival, and several are in
        work at once.
        """
        ahead = time - self._archive.clock()
        if timedelta(0) < ahead <= SKEW:
            await self._sleep(ahead.total_seconds())

    async def _waits(self, message: Message) -> bool:
        """Put an early cancellation or closure behind the others. Return False if it has waited often enough."""
        given = message.properties.get("attempt", 1)
        attempt = given if isinstance(given, int) and given > 0 else 1
        if attempt >= ATTEMPTS:
            return False
        wait = timedelta(seconds=2 ** (attempt - 1))
        again = id_of_repetition(message.id, "w", attempt)
        copy = replace(message, id=again, properties={**message.properties, "attempt": attempt + 1})
        await self._bus.send(copy, wait)
        log_event("message_waits", reason=NoticeNotFound.code, attempt=attempt)
        return True

    async def _was_applied(self, event: "InboundEvent") -> bool:
        """Return whether the history of the notice has an event that this one caused."""
        notice = await self._archive.store.load(event.address)
        if notice is None:
            return False
        async for past in self._archive.store.latest_events(event.address, notice.version):
            if past.cause == event.id and past.actor.name == event.source:
                return True
        return False

    async def _reject(self, message: Message, reason: str, description: str) -> Outcome:
        """Copy the message to the rejected ones. It can be completed then."""
        properties = {name: value for name, value in message.properties.items() if name != "attempt"}
        await self._bus.reject(replace(message, properties=properties), reason, description)
        log_event("message_rejected", reason=reason)
        return Outcome.REJECTED

    @property
    def _bus(self) -> Bus:
        if self._application.bus is None:
            raise BusUnavailable
        return self._application.bus
