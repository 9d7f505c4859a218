"""Inbound events as their producers send them, and how tests hand them to the archive."""

import json
from typing import Any

from local.queues import service_bus_message
from shared.bootstrap import Application
from shared.inbound import Outcome, consume
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, Message, QueuedMessage
from tests.support import ADDRESS, NOW, a_body

TIME = "2026-11-23T09:59:00Z"
"""A minute before the clock of the tests."""
Event = dict[str, Any]


def an_event(type_: str, data: Event | None = None, address: Any = ADDRESS, **changes: Any) -> Event:
    """Return an inbound event. A change to `...` leaves an attribute out."""
    where = {"creditorInstitution": address.creditor_institution, "noticeNumber": address.number}
    event = {
        "specversion": "1.0",
        "id": f"event-{type_}",
        "source": f"/{type_}",
        "type": f"it.pagopa.notice.{type_}.v1",
        "subject": f"{address.creditor_institution}/{address.number}",
        "time": TIME,
        "datacontenttype": "application/json",
        "data": without_missing({**where, **DATA[type_], **(data or {})}),
        **changes,
    }
    return without_missing(event)


DATA: dict[str, Event] = {
    "publish": {"notice": a_body()},
    "paid": {"receiptId": "receipt-1", "amount": 12050, "paidAt": "2026-11-23T10:58:00+01:00", "pspId": "ABI03069"},
    "reported": {"flowId": "flow-1", "amount": 12050, "outcomeCode": 0, "paymentDate": "2026-11-23"},
    "cancel": {},
    "close": {},
}
"""The data of each type that are needed, besides the address."""


def without_missing(fields: Event) -> Event:
    """Return the fields that are not `...`."""
    return {name: value for name, value in fields.items() if value is not ...}


def a_message(event: Event | bytes, message_id: str = "message-1", **properties: str) -> Message:
    """Return the message that carries an event."""
    return Message(message_id, event if isinstance(event, bytes) else json.dumps(event).encode(), properties)


async def deliver(event: Event | bytes, count: int = 1) -> Outcome:
    """Hand an event to the archive, as the platform does. Return what became of it."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return await consume(service_bus_message(queued(event, count)), sleep)


def queued(event: Event | bytes, count: int = 1) -> QueuedMessage:
    """Return a message as the queue holds it."""
    return QueuedMessage(INBOUND_EVENTS, 1, a_message(event), NOW, count)


async def rejections(application: Application) -> list[tuple[str, str]]:
    """Return reason and description of each rejected message."""
    assert application.bus is not None
    found = [each.message.properties async for each in application.bus.peek(INBOUND_REJECTED)]
    return [(str(each["reason"]), str(each["description"])) for each in found]
