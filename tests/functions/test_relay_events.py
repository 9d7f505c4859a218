"""What the relay sends: every event once it is saved, in order per notice, and nothing about the debtor."""

import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from azure.functions.timer import TimerRequest

from local.functions import load
from shared import bootstrap
from shared.bootstrap import Application
from shared.cloudevents import event_type
from shared.domain.lifecycle import EventType
from shared.errors import StoreUnavailable
from shared.feed_reader import PAGE
from shared.messages import CLOUD_EVENT, Message, QueuedMessage, subscription
from shared.ports import BusUnavailable, ChangeFeed, FeedPage, FeedPlace, Gap
from shared.relay import Relay
from shared.resend import Resend, resend
from tests.conftest import ROOT
from tests.functions.client import NOTICE, declare, path_of, pay, publish, settle
from tests.functions.inbound import an_event, deliver
from tests.stores import both_stores
from tests.support import ADDRESS, DAY, HOUR, NOW, SECOND, StillClock, a_body, a_number, a_payment

Tick = Callable[[], Awaitable[object]]


@pytest.fixture
def tick(http: httpx.AsyncClient) -> Tick:
    """Return what the platform does every two seconds: it calls the timer function."""
    [function] = [function for function in load(ROOT) if function.name == "relay_events"]
    assert function.trigger["type"] == "timerTrigger"
    return lambda: function.call(TimerRequest(past_due=False))


async def test_a_publication_is_sent_as_a_cloud_event(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await http.put(NOTICE, json=a_body(occurredAt="2026-11-23T10:30:00+01:00"), headers={"traceparent": trace})

    await tick()

    [queued] = await held(application)
    assert json.loads(queued.message.body) == {
        "specversion": "1.0",
        "id": "15376371009.347000000000000124.1",
        "source": "/creditor-institutions/15376371009/notices/347000000000000124",
        "type": "it.pagopa.notice.published.v1",
        "subject": "15376371009/347000000000000124",
        "time": "2026-11-23T09:30:00.000Z",
        "datacontenttype": "application/json",
        "sequence": 1,
        "traceparent": trace,
        "data": {
            "creditorInstitution": "15376371009",
            "noticeNumber": "347000000000000124",
            "iuv": "47000000000000124",
            "origin": "ec",
            "version": 1,
            "changed": [],
            "statusBefore": None,
            "statusAfter": "ACTIVE",
            "amount": 12050,
            "dueDate": "2026-12-16",
        },
    }


async def test_the_message_has_the_properties_by_which_subscriptions_filter(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    await publish(http, payStandIn=False)
    await declare(http, "cancelled")
    await pay(application)

    await tick()

    *_, last = await held(application)
    message = last.message
    assert (message.id, message.session_id) == ("15376371009.347000000000000124.3", "15376371009.347000000000000124")
    assert message.content_type == CLOUD_EVENT
    assert message.properties == {
        "type": "it.pagopa.notice.paid.v1",
        "creditorInstitution": "15376371009",
        "status": "PAID",
        "standIn": False,
        "anomaly": "paid_after_cancellation",
    }


async def test_an_amendment_names_the_fields_that_it_changed(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    await publish(http)
    changes = {"amount": 1, "debtor": {"fullName": "Maria Bianchi"}, "dueDate": "2026-12-17T10:00:00Z"}
    assert (await http.patch(NOTICE, json=changes)).status_code == 200

    await tick()

    _, amended = await events(application)
    assert amended["data"]["changed"] == ["amount", "debtor", "dueDate"]
    assert (amended["data"]["amount"], amended["data"]["dueDate"]) == (1, "2026-12-17T10:00:00.000Z")


async def test_a_receipt_and_a_line_are_part_of_their_events(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    await publish(http)
    await pay(application)
    await settle(application)

    await tick()

    _, paid, reported = await events(application)
    assert paid["data"]["payment"]["receiptId"] == "receipt-1"
    assert reported["data"]["settlement"]["flowId"] == "flow-1"
    assert "settlement" not in paid["data"]
    assert "payment" not in reported["data"]


async def test_an_ended_notice_says_why(http: httpx.AsyncClient, application: Application, tick: Tick) -> None:
    await publish(http)
    await declare(http, "closed")

    await tick()

    published, closed = await events(application)
    assert "endReason" not in published["data"]
    assert closed["data"]["endReason"] == "paid_elsewhere"


async def test_money_for_an_unknown_notice_is_told_without_what_nobody_knows(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    await deliver(an_event("paid"))

    await tick()

    [queued] = await held(application)
    data = json.loads(queued.message.body)["data"]
    assert (data["statusBefore"], data["statusAfter"]) == (None, "AWAITED")
    assert data.keys().isdisjoint({"amount", "dueDate", "origin", "anomaly"})
    assert "standIn" not in queued.message.properties


async def test_no_event_holds_anything_about_the_debtor_or_a_free_text(
    http: httpx.AsyncClient, application: Application, tick: Tick
) -> None:
    await publish(http, metadata={"key": "value-7"}, companyName="company-7", officeName="office-7", iupd="iupd-7")
    await http.patch(NOTICE, json={"debtor": {"fullName": "Maria Bianchi", "fiscalCode": "BNCMRA80A41H501X"}})
    await http.post(f"{NOTICE}/events", json={"type": "cancelled", "reason": "reason-7"})
    await pay(application)

    await tick()

    for queued in await held(application):
        text = queued.message.body.decode() + str(queued.message.properties)
        for secret in ("Rossi", "RSSMRA", "Bianchi", "BNCMRA", "-7", "TARI"):
            assert secret not in text


@both_stores
async def test_everything_that_happens_to_a_notice_is_sent_once_and_in_order(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    relay, sent = a_relay(application)
    await deliver(an_event("paid", address=address_of(9)))
    await publish(http, validFrom="2026-11-24", switchToExpired=True)
    clock.advance(DAY)
    await http.patch(NOTICE, json={"amount": 1})  # it writes down first that the notice is active
    await declare(http, "cancelled")
    await declare(http, "restored")
    clock.now = NOW + 30 * DAY
    await declare(http, "closed")
    await pay(application)
    await settle(application)
    await publish(http, path_of(a_number(9)))

    turn = await relay.reader.run(clock() + HOUR)

    assert turn.events == len(sent.messages) == 12
    assert sent.of("347000000000000124") == [
        (n, event_type(each))
        for n, each in enumerate(
            ["published", "activated", "amended", "cancelled", "restored", "expired", "closed", "paid", "reported"], 1
        )
    ]
    assert sent.of(a_number(9)) == [(n, event_type(each)) for n, each in enumerate(["awaited", "published", "paid"], 1)]
    assert (await relay.reader.run(clock() + HOUR)).events == 0


def test_every_type_of_event_is_met_by_a_test() -> None:
    met = "published activated amended cancelled restored expired closed paid reported awaited uncommunicated"

    assert set(met.split()) == {*EventType}


async def test_a_notice_that_was_not_communicated_in_time_is_told(
    http: httpx.AsyncClient, application: Application, tick: Tick, clock: StillClock
) -> None:
    await deliver(an_event("paid"))
    clock.advance(DAY)
    [apply_due_changes] = [function for function in load(ROOT) if function.name == "apply_due_changes"]
    await apply_due_changes.call(TimerRequest(past_due=False))

    await tick()

    assert [each["type"] for each in await events(application)] == [event_type("awaited"), event_type("uncommunicated")]
    assert [each["type"] for each in await events(application, "customer-care")] == [event_type("uncommunicated")]


# When something fails


@both_stores
@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_checkpoint_that_is_lost_before_or_after_its_commit_repeats_events_and_skips_none(
    http: httpx.AsyncClient, application: Application, clock: StillClock, lost: str
) -> None:
    feed = LosingFeed(application.feed, lost)
    sent = Sent()
    relay = Relay(feed, sent, clock)
    for serial in range(1, 6):
        await publish(http, path_of(a_number(serial)))

    turn = await relay.reader.run(clock() + HOUR)
    feed.lost = "nothing"
    await relay.reader.run(clock() + HOUR)
    await publish(http, path_of(a_number(6)))
    await relay.reader.run(clock() + HOUR)

    assert isinstance(turn.failure, StoreUnavailable)
    assert {message.id for message in sent.messages} == {f"15376371009.{a_number(n)}.1" for n in range(1, 7)}
    assert len(sent.messages) == (11 if lost == "before" else 6)


@both_stores
async def test_a_bus_that_is_down_is_waited_for(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    relay, sent = a_relay(application)
    sent.is_down = True
    for serial in range(1, 4):
        await publish(http, path_of(a_number(serial)))

    clock.advance(HOUR)
    first = await relay.reader.run(clock() + HOUR)
    second = await relay.reader.run(clock() + HOUR)
    sent.is_down = False
    third = await relay.reader.run(clock() + HOUR)

    assert [isinstance(turn.failure, BusUnavailable) for turn in (first, second, third)] == [True, True, False]
    assert (first.waiting_since, second.waiting_since, third.waiting_since) == (NOW, NOW, None)
    assert [turn.events for turn in (first, second, third)] == [0, 0, 3]
    assert len(sent.messages) == 3


async def test_a_turn_ends_when_its_time_is_up_and_the_next_one_goes_on(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    relay, sent = a_relay(application)
    for serial in range(2 * PAGE + 50):
        await application.archive.record_payment(address_of(serial), a_payment(), context(clock))
    clock.step = SECOND

    turn = await relay.reader.run(clock() + 2 * SECOND)

    assert 0 < turn.events < 2 * PAGE + 50
    assert turn.waiting_since is not None or turn.events == len(sent.messages)
    clock.step = 0 * SECOND
    rest = await relay.reader.run(clock() + HOUR)
    assert turn.events + rest.events == 2 * PAGE + 50
    assert len({message.id for message in sent.messages}) == 2 * PAGE + 50


async def test_an_event_that_cannot_be_read_is_a_gap_and_the_others_are_sent(
    http: httpx.AsyncClient,
    application: Application,
    tick: Tick,
    file: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await publish(http)
    await http.patch(NOTICE, json={"amount": 1})
    await http.patch(NOTICE, json={"amount": 2})
    file.execute("UPDATE events SET document = json_remove(document, '$.summary') WHERE version = 2")
    caplog.clear()

    await tick()

    first, gap, third = await events(application)
    assert (first["sequence"], third["sequence"]) == (1, 3)
    assert gap == {
        "specversion": "1.0",
        "id": "15376371009.347000000000000124.2.gap",
        "source": "/creditor-institutions/15376371009/notices/347000000000000124",
        "type": "it.pagopa.notice.gap.v1",
        "subject": "15376371009/347000000000000124",
        "time": "2026-11-23T10:00:00.000Z",
        "datacontenttype": "application/json",
        "sequence": 2,
        "data": {"creditorInstitution": "15376371009", "noticeNumber": "347000000000000124", "version": 2},
    }
    [kept] = await application.feed.gaps()
    assert (f"{kept.id}.gap", kept.found_at) == (gap["id"], NOW)
    errors = [json.loads(record.getMessage()) for record in caplog.records if record.levelno == logging.ERROR]
    assert [(each["event"], each["number"], each["version"]) for each in errors] == [
        ("event_unreadable", "347000000000000124", 2)
    ]
    assert "Rossi" not in caplog.text


async def test_an_event_that_is_repaired_is_sent_after_its_gap_and_is_no_repetition_of_it(
    http: httpx.AsyncClient, application: Application, tick: Tick, file: sqlite3.Connection, clock: StillClock
) -> None:
    await publish(http)
    [(document,)] = file.execute("SELECT document FROM events").fetchall()
    file.execute("UPDATE events SET document = x'00'")
    await tick()

    file.execute("UPDATE events SET document = ?", (document,))
    assert application.bus is not None
    again = Resend(clock.now - HOUR, clock.now + HOUR, 1, clock.now)
    assert [each async for each in resend(application.feed, application.bus, again)][-1] == (1, 1)

    gap, published = await events(application)
    assert (gap["sequence"], published["sequence"]) == (1, 1)
    assert gap["id"] != published["id"]


async def test_a_gap_is_kept_under_the_id_of_its_event(
    http: httpx.AsyncClient, tick: Tick, file: sqlite3.Connection
) -> None:
    await publish(http)
    file.execute("UPDATE events SET document = x'00'")

    await tick()

    ids = [each for (each,) in file.execute("SELECT id FROM checkpoints WHERE id LIKE 'gap:%'")]
    assert ids == ["gap:15376371009.347000000000000124.1"]


async def test_a_gap_that_cannot_be_kept_stops_the_turn_and_nothing_is_skipped(
    http: httpx.AsyncClient, application: Application, clock: StillClock, file: sqlite3.Connection
) -> None:
    relay, sent = a_relay(application)
    await publish(http)
    await publish(http, path_of(a_number(2)))
    file.execute("UPDATE events SET document = x'00' WHERE number = ?", (ADDRESS.number,))
    file.execute("ALTER TABLE checkpoints RENAME TO gone")

    with pytest.raises(StoreUnavailable):
        await relay.reader.run(clock() + HOUR)
    file.execute("ALTER TABLE gone RENAME TO checkpoints")
    await relay.reader.run(clock() + HOUR)

    assert [message.properties["type"] for message in sent.messages] == [event_type("gap"), event_type("published")]


async def test_a_gap_that_alone_cannot_be_kept_is_not_sent(
    http: httpx.AsyncClient, application: Application, clock: StillClock, file: sqlite3.Connection
) -> None:
    relay, sent = a_relay(application)
    await publish(http)
    file.execute("UPDATE events SET document = x'00'")
    file.execute(
        "CREATE TRIGGER full BEFORE INSERT ON checkpoints WHEN NEW.id LIKE 'gap:%'"
        " BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
    )

    turn = await relay.reader.run(clock() + HOUR)

    assert isinstance(turn.failure, StoreUnavailable)
    assert sent.messages == []
    file.execute("DROP TRIGGER full")
    await relay.reader.run(clock() + HOUR)
    assert len(await application.feed.gaps()) == len(sent.messages) == 1


async def test_an_event_of_a_machine_whose_clock_is_ahead_does_not_wait_for_less_than_no_time(
    http: httpx.AsyncClient,
    tick: Tick,
    file: sqlite3.Connection,
    clock: StillClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await publish(http)
    clock.advance(-5 * SECOND)
    caplog.clear()

    file.execute("ALTER TABLE deliveries RENAME TO gone")
    await tick()

    [entry] = [json.loads(record.getMessage()) for record in caplog.records]
    assert entry["oldest_waiting_seconds"] == 0


async def test_each_turn_logs_one_event(
    http: httpx.AsyncClient,
    application: Application,
    tick: Tick,
    file: sqlite3.Connection,
    clock: StillClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await publish(http)
    clock.advance(90 * SECOND)
    caplog.clear()

    file.execute("ALTER TABLE deliveries RENAME TO gone")
    await tick()
    file.execute("ALTER TABLE gone RENAME TO deliveries")
    await tick()
    await tick()

    entries = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(entry["event"], entry["events"], entry["oldest_waiting_seconds"]) for entry in entries] == [
        ("relay_turn", 0, 90.0),
        ("relay_turn", 1, 0.0),
        ("relay_turn", 0, 0.0),
    ]
    assert entries[0]["error"].startswith("BusUnavailable")


async def test_health_tells_how_old_the_oldest_event_is_that_is_not_sent(
    http: httpx.AsyncClient, tick: Tick, clock: StillClock
) -> None:
    async def unsent() -> Any:
        clock.advance(SECOND)
        return (await http.get("/health")).json()["relay"]["oldestUnsentSeconds"]

    assert await unsent() == 0
    await publish(http)
    clock.advance(HOUR)
    await publish(http, path_of(a_number(2)))
    assert await unsent() == 3601

    await tick()

    assert await unsent() == 0


async def test_health_shows_no_age_below_zero_when_the_clock_was_set_back(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http)
    clock.advance(-HOUR)

    assert (await http.get("/health")).json()["relay"] == {"oldestUnsentSeconds": 0}


async def test_health_does_not_depend_on_the_relay(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE events RENAME TO gone")

    answer = await http.get("/health")

    assert (answer.status_code, answer.json()["relay"]) == (200, {"oldestUnsentSeconds": None})


async def test_a_turn_of_an_archive_without_a_bus_does_nothing(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    [function] = [function for function in load(ROOT) if function.name == "relay_events"]
    await bootstrap.close()

    await function.call(TimerRequest())  # tests/conftest.py names a store that cannot be.

    [record] = caplog.records
    assert (record.levelno, json.loads(record.getMessage())["event"]) == (logging.WARNING, "relay_failed")


def context(clock: StillClock) -> Any:
    """Return the context of a write."""
    from tests.support import an_act

    return an_act(clock.now)


def address_of(serial: int) -> Any:
    """Return the address of the notice with this serial."""
    return type(ADDRESS)(ADDRESS.creditor_institution, a_number(serial))


async def held(application: Application, name: str = "all") -> list[QueuedMessage]:
    """Return what a subscription holds."""
    assert application.bus is not None
    return [each async for each in application.bus.peek(subscription(name))]


async def events(application: Application, name: str = "all") -> list[dict[str, Any]]:
    """Return the CloudEvents that a subscription holds."""
    return [json.loads(each.message.body) for each in await held(application, name)]


@dataclass
class Sent:
    """A topic in memory, which may be down."""

    messages: list[Message] = field(default_factory=list)
    is_down: bool = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """Take the messages."""
        if self.is_down:
            raise BusUnavailable
        self.messages += messages

    def of(self, number: str) -> list[tuple[int, str]]:
        """Return sequence and type of the events of a notice, in the order in which they came."""
        found = [json.loads(message.body) for message in self.messages]
        return [(each["sequence"], each["type"]) for each in found if each["data"]["noticeNumber"] == number]


@dataclass
class LosingFeed:
    """A feed whose checkpoints are lost before they are stored, or whose answers are lost after that."""

    feed: ChangeFeed
    lost: str

    async def places(self, reader: str) -> list[FeedPlace]:
        """Return the stored places."""
        return await self.feed.places(reader)

    async def beginning(self, reader: str) -> list[FeedPlace]:
        """Return the beginning of each range."""
        return await self.feed.beginning(reader)

    async def read(self, place: FeedPlace, limit: int = 100) -> FeedPage:
        """Return the next events."""
        return await self.feed.read(place, limit)

    async def keep(self, place: FeedPlace) -> FeedPlace:
        """Store the place, or not, and fail."""
        if self.lost != "before":
            kept = await self.feed.keep(place)
            if self.lost == "nothing":
                return kept
        raise StoreUnavailable

    async def end(self, place: FeedPlace) -> FeedPlace:
        """Return the place behind the last event."""
        return await self.feed.end(place)

    async def forget(self, reader: str) -> None:
        """Remove the checkpoints."""
        await self.feed.forget(reader)

    async def keep_gap(self, gap: Gap) -> None:
        """Store a gap."""
        await self.feed.keep_gap(gap)

    async def gaps(self) -> list[Gap]:
        """Return the gaps."""
        return await self.feed.gaps()


def a_relay(application: Application) -> tuple[Relay, Sent]:
    """Return a relay of the archive, and what it sends."""
    sent = Sent()
    return Relay(application.feed, sent, application.archive.clock), sent
