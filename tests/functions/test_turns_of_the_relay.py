"""What a turn of the relay logs, and what it does with documents of a later version of the archive."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

import httpx
import orjson

from shared.bootstrap import Application
from shared.messages import Message
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
    for serial in range(1, 151):
        await publish(http, path_of(a_number(serial)))
    sent = SlowSent()
    sent.clock = clock

    turn = await Relay(application.feed, sent, clock).reader.run(clock.now + 5 * SECOND)

    assert (turn.events, turn.waiting_since) == (100, NOW)


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
