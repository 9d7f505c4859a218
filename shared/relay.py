"""The relay: sends every event of the archive to the topic, at least once, those of one notice in order.

An event was saved together with its notice. So nothing is lost while the bus is down: the events wait in the store.
"""

from collections.abc import Callable
from datetime import datetime

from shared.cloudevents import gap_message, message_of
from shared.documents import LaterSchema
from shared.feed_reader import FeedReader
from shared.messages import Message
from shared.ports import ChangeFeed, EventPublisher, FeedEvent, Gap
from shared.telemetry import error_chain, log_bug

NAME = "relay_events"
"""The name of its checkpoints."""


class Relay:
    """Sends what the feed gives. `reader` keeps its place."""

    def __init__(self, feed: ChangeFeed, publisher: EventPublisher, clock: Callable[[], datetime]) -> None:
        self._feed = feed
        self._publisher = publisher
        self._clock = clock
        self.reader = FeedReader(NAME, feed, self._send, clock)

    async def _send(self, events: list[FeedEvent]) -> None:
        await self._publisher.publish([await self._message(event) for event in events])

    async def _message(self, event: FeedEvent) -> Message:
        try:
            return message_of(event.decode())
        except LaterSchema:
            raise  # a host of the later version sends it
        except Exception as error:  # noqa: BLE001  however a document is damaged, it must not stop the others
            found_at = self._clock()
            gap = Gap(event.creditor_institution, event.number, event.version, error_chain(error), found_at)
            # First the gap, then its message: an operator sees it even if the message is sent and lost.
            await self._feed.keep_gap(gap)
            where = {"institution": gap.creditor_institution, "number": gap.number, "version": gap.version}
            log_bug("event_unreadable", error, **where)
            return gap_message(event, found_at)
