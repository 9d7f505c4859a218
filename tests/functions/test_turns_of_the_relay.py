"""What a turn of the relay logs, and what it does with documents of a later version of the archive."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from datetime import timedelta

import httpx
import orjson

from shared.bootstrap import Application
from shared.feed_reader import PAGE
from shared.messages import Message
from shared.ports import AnotherReader, BusUnavailable, ChangeFeed, FeedPage, FeedPlace
from shared.relay import Relay
from tests.functions.client import path_of, publish
from tests.functions.test_relay_events import LosingFeed, Sent
from tests.support import NOW, SECOND, StillClock, a_number

MINUTE = timedelta(minutes=1)


class SlowSent(Sent):
    """A topic that takes ten seconds for each page."""

    clock: StillClock

    async def publish(self, messages: Sequence[Message]) -> None:
        """Take the messages."""
        await super().publish(messages)
        self.clock.advance(10 * SECOND)


async def test_a_turn_whose_time_is_up_while_it_sends_says_how_old_the_rest_is(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    for serial in range(PAGE + 1):
        await publish(http, path_of(a_number(serial)))
    sent = SlowSent()
    sent.clock = clock

    turn = await Relay(application.feed, sent, clock).reader.run(clock.now + 5 * SECOND)

    assert (turn.events, turn.waiting_since) == (PAGE, NOW)


class WatchedFeed(LosingFeed):
    """A feed that writes down what it is asked."""

    def __init__(self, feed: ChangeFeed) -> None:
        super().__init__(feed, "nothing")
        self.asked: list[str] = []

    async def read(self, place: FeedPlace, limit: int = 100) -> FeedPage:
        """Return the next events."""
        self.asked.append("read")
        return await super().read(place, limit)

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store the place."""
        self.asked.append("keep")
        return await super().keep(place)


class ThinkingSent(Sent):
    """A topic that lets others go on before it takes a page, and that may fail at one of the pages."""

    asked: list[str]
    fails_at: int | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        """Take the messages."""
        self.asked.append("send")
        await asyncio.sleep(0.01)
        self.asked.append("sent")
        if self.asked.count("send") == self.fails_at:
            raise BusUnavailable
        await super().publish(messages)


async def test_a_backlog_is_read_ahead_and_a_page_is_done_before_its_place_is_stored(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    for serial in range(2 * PAGE + 1):
        await publish(http, path_of(a_number(serial)))
    feed, sent = WatchedFeed(application.feed), ThinkingSent()
    sent.asked = feed.asked

    turn = await Relay(feed, sent, clock).reader.run(clock.now + MINUTE)

    a_page_of_many, the_last = ["send", "read", "sent", "keep"], ["send", "sent", "keep"]
    assert feed.asked == ["read", *a_page_of_many, *a_page_of_many, *the_last, *["read"] * (feed.asked[-1] == "read")]
    assert (turn.events, len(sent.messages)) == (2 * PAGE + 1, 2 * PAGE + 1)


async def test_what_was_read_ahead_is_read_again_if_the_page_before_it_fails(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    for serial in range(2 * PAGE + 1):
        await publish(http, path_of(a_number(serial)))
    feed, sent = WatchedFeed(application.feed), ThinkingSent()
    sent.asked, sent.fails_at = feed.asked, 2
    relay = Relay(feed, sent, clock)

    turn = await relay.reader.run(clock.now + MINUTE)
    rest = await relay.reader.run(clock.now + MINUTE)

    assert (isinstance(turn.failure, BusUnavailable), turn.events, turn.waiting_since) == (True, PAGE, NOW)
    assert (rest.failure, rest.events) == (None, PAGE + 1)
    versions = [json.loads(message.body)["data"]["noticeNumber"] for message in sent.messages]
    assert versions == [a_number(serial) for serial in range(2 * PAGE + 1)]


class OvertakenFeed(LosingFeed):
    """A feed whose places another reader stores first."""

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store nothing."""
        raise AnotherReader


async def test_a_turn_that_another_one_has_overtaken_has_nothing_left_to_do(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)

    turn = await Relay(OvertakenFeed(application.feed, "nothing"), Sent(), clock).reader.run(clock.now + MINUTE)

    assert turn.failure is None


async def test_a_turn_whose_checkpoint_fails_does_not_say_that_all_is_sent(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)

    turn = await Relay(LosingFeed(application.feed, "before"), Sent(), clock).reader.run(clock.now + MINUTE)

    assert turn.failure is not None
    assert turn.waiting_since == NOW


async def test_an_event_of_a_later_version_of_the_archive_waits_for_it_and_is_no_gap(
    http: httpx.AsyncClient, application: Application, clock: StillClock, file: sqlite3.Connection
) -> None:
    """While two versions run side by side, the older one must not replace what only the newer one can read."""
    await publish(http)
    [(document,)] = file.execute("SELECT document FROM events")
    later = {**orjson.loads(document), "schema": 99, "type": "forgiven"}
    file.execute("UPDATE events SET document = ?", (orjson.dumps(later),))
    sent = Sent()

    turn = await Relay(application.feed, sent, clock).reader.run(clock.now + MINUTE)

    assert (sent.messages, await application.feed.gaps()) == ([], [])
    assert turn.failure is not None
