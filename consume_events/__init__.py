"""Take the events that services of pagoPA send: positions of GPD, receipts, settlement lines."""

import azure.functions as func

from shared.inbound import consume
from shared.messages import INBOUND_EVENTS

bp = func.Blueprint()


@bp.function_name("consume_events")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=INBOUND_EVENTS, connection="SERVICEBUS")
async def consume_events(message: func.ServiceBusMessage) -> None:
    """Apply one event. When it raises, the platform delivers the message again, and at last makes it a dead letter."""
    await consume(message)
