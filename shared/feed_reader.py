"""Reads the change feed for one purpose, and stores how far it came only after its work is done.

So a crash at any point repeats some work and skips none. Two runs at once only repeat work too. ADR 10 says why the
platform's trigger for the change feed is not used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import Unavailable
from shared.ports import AnotherReader, BusUnavailable, ChangeFeed, FeedEvent, FeedPage, FeedPlace
from shared.telemetry import log_bug, log_event, log_failure

PAGE = 300
"""Documents that are read at once. Half of them or more are events, which fit into one batch of Service Bus."""
BACKLOG = 100
"""Events in a page that show that more of them wait."""

ATTEMPTS = 20
"""Retries after the reader stored a place, when its place is replaced."""

Work = Callable[[list[FeedEvent]], Awaitable[None]]
"""What a reader does with the events of a page. It must be idempotent. If it fails, the page is read again."""


@dataclass(slots=True)
class Turn:
    """The result of one turn of a reader."""

    events: int = 0
    """Events that were read and done."""
    failure: Exception | None = None
    """The first failure. The ranges that it did not concern went on."""
    waiting_since: datetime | None = None
    """When the oldest event was recorded that is not done, as far as it is known."""
    is_drained: bool = True
    """Every range had nothing more at its end."""

    def add_waiting(self, events: list[FeedEvent]) -> None:
        """Note the oldest of the events that have to wait for the next turn."""
        recorded = recorded_at(events)
        if recorded is not None and (self.waiting_since is None or recorded < self.waiting_since):
            self.waiting_since = recorded


class FeedReader:
    """A reader of the feed, with a checkpoint for each range. `name` names its checkpoints."""

    def __init__(self, name: str, feed: ChangeFeed, work: Work, clock: Callable[[], datetime]) -> None:
        self.name = name
        self._feed = feed
        self._work = work
        self.clock = clock

    async def run(self, deadline: datetime, until: datetime | None = None) -> Turn:
        """Work until every range has nothing more, or until the deadline. Raises StoreUnavailable.

        With `until`, a range ends with the first page whose last event was recorded then or later. The failure of one
        range does not stop the others. It is in the result.
        """
        turn = Turn()
        places = await self._feed.places(self.name)
        results = await asyncio.gather(
            *(self._run(place, deadline, until, turn) for place in places), return_exceptions=True
        )
        for result in results:
            if isinstance(result, asyncio.CancelledError) or not isinstance(result, Exception | None):
                raise result
            # Another run has gone on from here, so nothing is left to do.
            if result is not None and not isinstance(result, AnotherReader):
                turn.failure = turn.failure or result
            turn.is_drained &= result is None
        return turn

    async def _run(self, place: FeedPlace, deadline: datetime, until: datetime | None, turn: Turn) -> None:
        page = await self._feed.read(place, PAGE)
        while True:
            # A backlog is read ahead. Otherwise the next page is read as late as possible, so that it has more events.
            is_backlog = len(page.events) >= BACKLOG and not page.is_empty
            ahead = asyncio.create_task(self._feed.read(page.place, PAGE)) if is_backlog else None
            try:
                if page.events:
                    await self._work(page.events)
                if page.place.token != place.token:
                    place = await self._feed.keep(replace(page.place, stored=place.stored))
            except BaseException:
                turn.add_waiting(page.events)
                await _dropped(ahead)
                raise
            turn.events += len(page.events)
            if page.is_empty or (until is not None and _is_recorded_since(until, page)):
                await _dropped(ahead)
                return
            if self.clock() >= deadline:
                # Those behind the page are not known. They are not much younger.
                turn.add_waiting(page.events[-1:])
                turn.is_drained = False
                await _dropped(ahead)
                return
            page = await (ahead or self._feed.read(place, PAGE))


def _is_recorded_since(until: datetime, page: FeedPage) -> bool:
    recorded = recorded_at(page.events[-1:])
    return recorded is not None and recorded >= until


async def _dropped(ahead: "asyncio.Task[FeedPage] | None") -> None:
    """Stop to read ahead."""
    if ahead is not None:
        ahead.cancel()
        await asyncio.wait([ahead])
        if not ahead.cancelled():
            ahead.exception()  # Nobody needs this page. The next turn reads it again, and its failure with it.


class ReadsFeed(Protocol):
    """Something that is done with the events of the feed."""

    @property
    def reader(self) -> FeedReader:
        """Its reader."""


async def run_turn(name: str, find: Callable[[], ReadsFeed | None], time_box: timedelta) -> None:
    """Let a reader work for a time, and log how far it came, as `<name>_turn`. It raises nothing.

    The platform would log the text of an error that escapes, and the text may be personal.
    """
    try:
        found = find()
        if found is not None:
            await _run_turn(name, found.reader, time_box)
    except Unavailable as error:
        log_failure(f"{name}_failed", error)
    except Exception as error:  # noqa: BLE001  no error may escape
        log_bug(f"{name}_failed", error)


async def _run_turn(name: str, reader: FeedReader, time_box: timedelta) -> None:
    turn = await reader.run(reader.clock() + time_box)
    waiting = None if turn.waiting_since is None else reader.clock() - turn.waiting_since
    # The clock of the machine that recorded the event may be ahead.
    seconds = 0.0 if waiting is None else max(0.0, waiting.total_seconds())
    if turn.failure is None:
        log_event(f"{name}_turn", events=turn.events, oldest_waiting_seconds=seconds)
    else:
        # What no other side can cause is a bug.
        log = log_failure if isinstance(turn.failure, Unavailable | BusUnavailable) else log_bug
        log(f"{name}_turn", turn.failure, events=turn.events, oldest_waiting_seconds=seconds)


async def waiting_since(reader: str, feed: ChangeFeed) -> datetime | None:
    """Return when the oldest event that waits for a reader was recorded. None if none waits."""
    places = await feed.places(reader)
    oldest = await asyncio.gather(*(_first_after(place, feed) for place in places))
    return min((at for at in oldest if at is not None), default=None)


async def skip_to_end(reader: str, feed: ChangeFeed) -> None:
    """Store the end of the feed as the place of a reader, whatever place it has, also while the reader works.

    Raises AnotherReader if the reader is faster again and again.
    """
    for _ in range(ATTEMPTS):
        with suppress(AnotherReader):
            places, ranges = await feed.places(reader), await feed.beginning(reader)
            if {place.range for place in places} != {place.range for place in ranges}:
                # They are those of another account, or of before a split.
                await feed.forget(reader)
                places = ranges
            for place in places:
                await feed.keep(await feed.end(place))
            return
    raise AnotherReader


async def _first_after(place: FeedPlace, feed: ChangeFeed) -> datetime | None:
    while True:
        page = await feed.read(place, 1)
        found = recorded_at(page.events)
        if found is not None or page.is_empty:
            return found
        place = page.place


def recorded_at(events: list[FeedEvent]) -> datetime | None:
    """Return when the first event that can be read was recorded."""
    for event in events:
        try:
            return event.decode().recorded_at
        except Exception:  # noqa: BLE001  a damaged document can raise any error, and it has no time
            continue
    return None
