"""Messages to and from the archive, as tests exchange them."""

from collections.abc import Mapping
from typing import Any

import orjson

from local.queues import service_bus_message
from shared.bootstrap import Application
from shared.inbound import Outcome, consume
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, Message, QueuedMessage, subscription
from shared.ports import Bus
from tests.support import DAY, NOW


async def say(event: Mapping[str, Any] | bytes, message_id: str = "a-message") -> Outcome:
    """Hand an inbound event to the archive, as the platform does."""
    body = event if isinstance(event, bytes) else orjson.dumps(event)
    queued = QueuedMessage(INBOUND_EVENTS, 1, Message(message_id, body), NOW, delivery_count=1)
    return await consume(service_bus_message(queued), _no_wait)


async def relay(application: Application) -> None:
    """Send every event that is not sent yet."""
    assert application.relay is not None
    turn = await application.relay.reader.run(application.archive.clock() + DAY)
    assert turn.failure is None


async def project(application: Application, *, rebuild: bool = False) -> None:
    """Bring the debtors' lists up to date, or write all of them again."""
    assert application.debtors is not None
    reader = application.debtors.rebuilder if rebuild else application.debtors.reader
    turn = await reader.run(application.archive.clock() + DAY)
    assert (turn.failure, turn.is_drained) == (None, True)


async def sent_to(application: Application, name: str = "all") -> list[Message]:
    """Return the messages in a subscription."""
    return [queued.message async for queued in bus_of(application).peek(subscription(name))]


async def rejected(application: Application) -> list[Message]:
    """Return the messages that can never be applied."""
    return [queued.message async for queued in bus_of(application).peek(INBOUND_REJECTED)]


def bus_of(application: Application) -> Bus:
    """Return the bus of an application that has one."""
    assert application.bus is not None
    return application.bus


async def _no_wait(seconds: float) -> None:
    """Do not wait."""
