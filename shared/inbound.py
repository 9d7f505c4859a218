"""The edge of the inbound queue: parse an event, call one verb of the archive, reject what can never be applied.

The platform completes a message when its function returns. When the function raises, the message comes again, and after
ten attempts it is a dead letter. So every attempt may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import azure.functions as func

from shared import bootstrap, wire
from shared.archive import Done
from shared.bootstrap import Application
from shared.deadlines import Deadline
from shared.domain.events import Actor, Origin, Role, WriteContext
from shared.domain.lifecycle import EventType
from shared.errors import (
    ArchiveError,
    InstitutionNotFound,
    NoticeNotFound,
    StaleDeclaration,
    StoreUnavailable,
    Unavailable,
)
from shared.messages import CLOUD_EVENT, Message
from shared.ports import BusUnavailable
from shared.telemetry import LogContext, add_log_context, log_bug, log_event, log_failure
from shared.turns import request_ends_at
from shared.write_ids import new_write_id

LONGEST_WAIT = 10
"""Seconds that an event waits at most for the notice that it is about."""


UNKNOWN_INSTITUTION = "The institution is not registered. Register it with `institutions add`, then replay the message."


class Outcome(StrEnum):
    """The result of an event that is completed."""

    APPLIED = "applied"
    REPEATED = "repeated"
    STALE = "stale"
    REJECTED = "rejected"


class NotPublishedYet(Exception):
    """A cancellation or closure came before the notice. It is delivered again, because the notice may still come."""


class NotApplied(Exception):
    """The event could not be applied now. It is delivered again."""


async def consume(
    received: func.ServiceBusMessage, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Outcome:
    """Apply an inbound event, or reject it. Raises NotPublishedYet, NotApplied: the event is delivered again."""
    with LogContext(function="consume_events"):
        try:
            outcome = await _apply_in_time(bootstrap.application(), _message(received))
        except NoticeNotFound:
            count = received.delivery_count or 1
            log_event("message_waits", reason="notice_not_found", delivery=count)
            await sleep(min(count, LONGEST_WAIT))
            raise NotPublishedYet from None
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
    return Message(
        received.message_id,
        received.get_body(),
        received.application_properties or {},
        received.session_id,
        received.content_type or CLOUD_EVENT,
    )


async def _apply_in_time(application: Application, message: Message) -> Outcome:
    """Apply or reject the event within the time of a request."""
    try:
        with Deadline(application.deadlines) as ends_at:
            token = request_ends_at.set(ends_at)
            try:
                return await _apply_or_reject(application, message)
            finally:
                request_ends_at.reset(token)
    except TimeoutError as error:
        raise StoreUnavailable from error


async def _apply_or_reject(application: Application, message: Message) -> Outcome:
    try:
        done = await _apply(application, message)
    except StaleDeclaration:
        return Outcome.STALE
    except (Unavailable, NoticeNotFound):
        raise
    except InstitutionNotFound:
        return await _reject(application, message, "unknown_institution", UNKNOWN_INSTITUTION)
    except ArchiveError as error:
        return await _reject(application, message, error.code, f"{error.title}. {error.detail}")
    except wire.inbound.Rejected as rejected:
        return await _reject(application, message, rejected.reason, rejected.description)
    return Outcome.APPLIED if done.events else Outcome.REPEATED


async def _apply(application: Application, message: Message) -> Done:
    archive, types = application.archive, wire.inbound.InboundType
    event = wire.inbound.parse_event(message.body)
    address = event.address
    add_log_context(type=event.type, institution=address.creditor_institution, number=address.number)
    now = archive.clock()
    context = WriteContext(
        now,
        Actor(Role.PLATFORM, event.source),
        new_write_id(),
        event.time,
        Origin.GPD,
        cause=event.id,
        traceparent=event.traceparent,
    )
    match event.type:
        case types.PAID:
            payment, iuv = event.payment()
            return await archive.record_payment(address, payment, context, iuv)
        case types.REPORTED:
            return await archive.record_settlement(address, event.settlement(), context)
    institution = await archive.registry.institution(address.creditor_institution)
    parsing = wire.texts.ParseContext(institution.lenient, now)
    if event.type is types.PUBLISH:
        return await archive.publish(event.publication(parsing), institution, context)
    context = context.because(event.reason(parsing))
    if event.type is types.CANCEL:
        return await archive.declare(address, EventType.CANCELLED, context)
    return await archive.declare(address, EventType.CLOSED, context)


async def _reject(application: Application, message: Message, reason: str, description: str) -> Outcome:
    """Copy the message to the rejected ones. It can be completed then."""
    if application.bus is None:
        raise BusUnavailable
    await application.bus.reject(message, reason, description)
    log_event("message_rejected", reason=reason)
    return Outcome.REJECTED
