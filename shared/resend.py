"""Send events again that were recorded in a given time. The feed is read from its beginning, and checkpoints stay."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.cloudevents import message_of
from shared.messages import Message
from shared.ports import ChangeFeed, EventPublisher, FeedEvent
from shared.relay import NAME

EMPTY_ANSWERS, PAUSE = 3, 0.2
"""So many empty answers, with a pause in seconds between them, are the end of the feed. One alone may not be."""
OUT_OF_ORDER = timedelta(minutes=1)
"""An event that was recorded so long after the beginning comes behind all that were there at the beginning.

So a range ends also where new events come all the time and no answer is empty. It is more than the longest request.
"""


@dataclass(frozen=True, slots=True)
class Resend:
    """Which events are sent again: recorded from `since` on and before `until`.

    `began` is the time at which the feed is begun to be read. Later events are not waited for.
    `serial` makes the ids of the messages new, because the bus drops an id that it has seen. `subscription` is the only
    one that gets them, None for all. `institution` is the only one whose events are sent.
    """

    since: datetime
    until: datetime
    serial: int
    began: datetime
    subscription: str | None = None
    institution: str | None = None

    def message(self, message: Message) -> Message:
        """Return the message that is sent again. The CloudEvent in it is the same."""
        only = {"replayFor": self.subscription} if self.subscription else {}
        return replace(message, id=f"{message.id}:s{self.serial}", properties={**message.properties, **only})


async def resend(feed: ChangeFeed, publisher: EventPublisher | None, wanted: Resend) -> AsyncIterator[tuple[int, int]]:
    """Send the events, or only count them without a publisher. Yield the events sent, and read, after each page.

    Raises StoreUnavailable, BusUnavailable. Events that cannot be read are gaps, and left out.
    """
    sent = read = 0
    for beginning in await feed.beginning(NAME):
        place, empty = beginning, 0
        while empty < EMPTY_ANSWERS:
            page = await feed.read(place)
            seen = [each for event in page.events if (each := _look_at(event, wanted))]
            messages = [wanted.message(each.message) for each in seen if each.message]
            if publisher is not None and messages:
                await publisher.publish(messages)
            sent, read = sent + len(messages), read + len(page.events)
            yield sent, read
            if seen and all(each.is_past for each in seen):
                break
            place = page.place
            empty = empty + 1 if page.is_empty else 0
            if 0 < empty < EMPTY_ANSWERS:
                await asyncio.sleep(PAUSE)


class _Seen(NamedTuple):
    """An event of the feed."""

    message: Message | None
    """None if it is not wanted."""
    is_past: bool
    """It was recorded after the beginning, and so are those behind it."""


def _look_at(event: FeedEvent, wanted: Resend) -> _Seen | None:
    try:
        decoded = event.decode()
        is_in_time = wanted.since <= decoded.recorded_at < wanted.until
        is_wanted = is_in_time and wanted.institution in (None, event.creditor_institution)
        return _Seen(message_of(decoded) if is_wanted else None, decoded.recorded_at >= wanted.began + OUT_OF_ORDER)
    except Exception:  # noqa: BLE001  a damaged document can raise any error, and the relay has recorded it as a gap
        return None
