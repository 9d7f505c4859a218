"""Events out: the relay beside the same events sent one by one through the same SDK.

The events are saved once. In each round both sides send all of them to a new namespace, so that each begins with the
same topic: without messages, and without ids that the topic has seen.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from bench.contests import Contest
from bench.events.doubles import Namespace, cosmos_double, service_bus_double, slow_line
from bench.events.ground import Watch, opened, publish, watch
from bench.measurements import Measurement
from bench.rounds import WARM_UP
from shared.bootstrap import Application, utc_now
from shared.cloudevents import message_of
from shared.messages import NOTICE_EVENTS, Message
from shared.ports import FeedEvent
from shared.relay import Relay

RELAY, ONE_BY_ONE = "relay", "one by one"
_ALL = f"{NOTICE_EVENTS}/Subscriptions/all"
_LONG = timedelta(minutes=10)
_FIRST = Message("the-first", b"{}")
"""Opens the link, before the clock starts."""


def load(milliseconds: float) -> str:
    """Return the name of the load whose round trips to Service Bus take so many milliseconds more."""
    return f"out, {milliseconds:g} ms more" if milliseconds else "out"


@contextmanager
def contest(milliseconds: float, events: int, rounds: int, cores: frozenset[int]) -> Iterator[tuple[Contest, int]]:
    """Yield the contest of both sides, and the pid of the account in which the events are."""
    with cosmos_double(cores) as account:
        made = _Outgoing(account.connection_string, milliseconds, events, cores)
        made.save()
        measures = {side: lambda number, side=side: made.measure(side, number) for side in (RELAY, ONE_BY_ONE)}
        yield Contest(load(milliseconds), measures, rounds), account.pid


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """The events in an account, and how they are sent."""

    account: str
    milliseconds: float
    events: int
    cores: frozenset[int]

    def save(self) -> None:
        """Save the events."""

        async def save(namespace: Namespace) -> None:
            async with opened(self.account, namespace.connection_string) as application:
                await publish(application, range(self.events))

        with service_bus_double(self.cores) as namespace:
            asyncio.run(save(namespace))

    def measure(self, side: str, number: int) -> Measurement:
        """Send all events, and measure how long it takes. An event that is not in the topic afterwards is a failure."""
        with service_bus_double(self.cores) as namespace, self._line_to(namespace) as line:
            taken = asyncio.run(self._relayed(line, number) if side == RELAY else self._sent(line))
            missing = self.events + 1 - namespace.messages(_ALL)
        cpu_us = taken.cpu_seconds / self.events * 1e6
        rate = self.events / taken.seconds
        return Measurement(side, load(self.milliseconds), number, rate=rate, cpu_us=cpu_us, failures=abs(missing))

    @contextmanager
    def _line_to(self, namespace: Namespace) -> Iterator[str]:
        if not self.milliseconds:
            yield namespace.connection_string
            return
        with slow_line(namespace.connection_string, self.milliseconds, self.cores) as line:
            yield line

    async def _relayed(self, namespace: str, number: int) -> Watch:
        async with opened(self.account, namespace) as application:
            assert application.bus is not None, "a namespace is named"
            await application.bus.publish([_FIRST])
            relay = Relay(application.feed, application.bus, utc_now)
            # With checkpoints of its own, the relay of each round begins with the first event.
            relay.reader.name = f"relay-{'warm-up' if number == WARM_UP else number}"
            with watch() as taken:
                turn = await relay.reader.run(utc_now() + _LONG)
            if turn.failure is not None:
                raise turn.failure
        return taken

    async def _sent(self, namespace: str) -> Watch:
        async with opened(self.account, namespace) as application:
            messages = [message_of(event.decode()) for event in await _feed(application)]
        async with (
            ServiceBusClient.from_connection_string(namespace, retry_total=0) as client,
            client.get_topic_sender(NOTICE_EVENTS) as sender,
        ):
            await sender.send_messages(outgoing(_FIRST))
            with watch() as taken:
                for message in messages:
                    await sender.send_messages(outgoing(message))
        return taken


def outgoing(message: Message) -> ServiceBusMessage:
    """Return a message as the SDK sends it."""
    properties: dict[Any, Any] = dict(message.properties)
    return ServiceBusMessage(
        message.body,
        message_id=message.id,
        session_id=message.session_id,
        content_type=message.content_type,
        application_properties=properties,
    )


async def _feed(application: Application) -> Sequence[FeedEvent]:
    """Return all events of the feed."""
    events: list[FeedEvent] = []
    for place in await application.feed.beginning("bench"):
        page = await application.feed.read(place)
        while not page.is_empty:
            events += page.events
            page = await application.feed.read(page.place)
    return events
