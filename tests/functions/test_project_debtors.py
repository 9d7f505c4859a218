"""The timer that keeps the lists of the debtors: failures, damaged documents, new keys."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest
from azure.functions.timer import TimerRequest

from local.functions import load
from shared import bootstrap
from shared.bootstrap import Application
from shared.debtor_hashes import DebtorHashes
from shared.debtor_projection import AT_ONCE, DebtorProjection
from shared.domain.callers import Scope
from shared.errors import StoreUnavailable
from shared.feed_reader import PAGE
from shared.ports import DebtorEntry, DebtorIndex, OpenNotice
from shared.settings import DebtorKey, EmbeddedStore, Settings
from tests.conftest import ROOT
from tests.functions.client import amend, declare, path_of, publish, register_caller
from tests.support import DAY, DEBTOR_KEYS, HOUR, INSTITUTION, NUMBER, SECOND, StillClock, a_number

DEBTOR = "RSSMRA80A01H501U"
ANOTHER = "12345678903"
NEW_KEY = DebtorKey("two", b"a key that everybody knows, no. 2")

Tick = Callable[[], Awaitable[object]]


@pytest.fixture
def tick(http: httpx.AsyncClient) -> Tick:
    """Return what the platform does every two seconds: it calls the timer function."""
    [function] = [function for function in load(ROOT) if function.name == "project_debtors"]
    assert function.trigger["type"] == "timerTrigger"
    return lambda: function.call(TimerRequest(past_due=False))


@dataclass
class Lists:
    """The lists of the debtors as they are stored, and who may write them."""

    application: Application
    index: DebtorIndex = field(init=False)

    def __post_init__(self) -> None:
        assert self.application.debtors is not None
        self.index = self.application.debtors.index

    async def numbers(self, debtor: str = DEBTOR, *keys: DebtorKey) -> list[str]:
        """Return the numbers in the list of a debtor under a key."""
        [hashed] = DebtorHashes(keys or DEBTOR_KEYS).of(debtor)
        found = await self.index.open_notices(hashed, self.application.archive.clock())
        return [notice.address.number for notice in found]

    def projection(self, *keys: DebtorKey, index: DebtorIndex | None = None) -> DebtorProjection:
        """Return the projection of another process, with its own keys."""
        archive = self.application.archive
        return DebtorProjection(
            self.application.feed, archive.store, index or self.index, DebtorHashes(keys or DEBTOR_KEYS), archive.clock
        )


@pytest.fixture
def lists(application: Application) -> Lists:
    """Return the lists."""
    return Lists(application)


async def run(projection: DebtorProjection, *, rebuild: bool = False) -> None:
    """Let a projection work until nothing is left."""
    reader = projection.rebuilder if rebuild else projection.reader
    turn = await reader.run(reader.clock() + DAY)
    assert (turn.failure, turn.is_drained) == (None, True)


async def test_the_timer_writes_the_lists_and_logs_one_event(
    http: httpx.AsyncClient, lists: Lists, tick: Tick, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await publish(http)
    await amend(http, {"amount": 1})
    caplog.clear()

    await tick()
    await tick()

    assert await lists.numbers() == [NUMBER]
    entries = [json.loads(record.getMessage()) for record in caplog.records]
    assert entries == [
        {"event": "debtors_turn", "events": 2, "oldest_waiting_seconds": 0.0},
        {"event": "debtors_turn", "events": 0, "oldest_waiting_seconds": 0.0},
    ]


async def test_a_turn_that_fails_is_logged_and_done_by_the_next_one(
    http: httpx.AsyncClient,
    lists: Lists,
    tick: Tick,
    file: sqlite3.Connection,
    clock: StillClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await publish(http)
    clock.advance(90 * SECOND)
    caplog.clear()

    file.execute("ALTER TABLE notices_by_debtor RENAME TO gone")
    await tick()
    file.execute("ALTER TABLE gone RENAME TO notices_by_debtor")
    await tick()

    entry, failed, done = [json.loads(record.getMessage()) for record in caplog.records]
    assert (entry["event"], entry["number"]) == ("entry_not_written", NUMBER)
    assert (failed["event"], failed["oldest_waiting_seconds"]) == ("debtors_turn", 90.0)
    assert failed["error"].startswith("StoreUnavailable")
    assert done["events"] == 1
    assert await lists.numbers() == [NUMBER]


async def test_what_is_not_reached_in_fifty_seconds_is_left_to_the_next_turn(
    http: httpx.AsyncClient, tick: Tick, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for serial in range(PAGE + 1):
        await publish(http, path_of(a_number(serial)))
    caplog.clear()

    clock.step = SECOND
    await tick()
    await tick()

    assert [json.loads(record.getMessage())["events"] for record in caplog.records] == [PAGE, 1]


async def test_a_notice_that_cannot_be_read_for_a_while_is_written_by_the_next_turn(
    http: httpx.AsyncClient, lists: Lists, tick: Tick, file: sqlite3.Connection
) -> None:
    await publish(http)

    file.execute("ALTER TABLE notices RENAME TO gone")
    await tick()
    file.execute("ALTER TABLE gone RENAME TO notices")
    await tick()

    assert await lists.numbers() == [NUMBER]


async def test_the_new_entry_is_written_before_the_old_ones_are_removed(http: httpx.AsyncClient, lists: Lists) -> None:
    late = LateIndex(lists.index)
    await publish(http)
    await amend(http, {"debtor": {"fiscalCode": ANOTHER}})

    await run(lists.projection(NEW_KEY, *DEBTOR_KEYS, index=late))

    first, *others = late.entries
    assert first.entry.notice is not None
    assert [each.entry.notice for each in others] == [None, None, None]


async def test_entries_of_some_notices_are_written_at_the_same_time_and_not_of_all(
    http: httpx.AsyncClient, lists: Lists
) -> None:
    crowded = CrowdedIndex(lists.index)
    for serial in range(AT_ONCE + 8):
        await publish(http, path_of(a_number(serial)))

    await run(lists.projection(index=crowded))

    assert crowded.most == AT_ONCE


async def test_no_tax_code_is_in_a_log_or_in_the_place_of_a_checkpoint(
    http: httpx.AsyncClient, tick: Tick, file: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await publish(http)

    await tick()
    await http.get("/debtors/notices", headers={"x-tax-code": DEBTOR})

    assert DEBTOR not in caplog.text
    kept = [*file.execute("SELECT * FROM notices_by_debtor"), *file.execute("SELECT * FROM checkpoints")]
    assert kept
    assert DEBTOR not in str(kept)


async def test_the_bus_may_be_down(http: httpx.AsyncClient, lists: Lists, tick: Tick, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE deliveries RENAME TO gone")
    await publish(http)

    await tick()

    assert await lists.numbers() == [NUMBER]


async def test_an_archive_without_debtor_keys_keeps_no_lists(
    http: httpx.AsyncClient, tick: Tick, kept_in: EmbeddedStore, file: sqlite3.Connection, clock: StillClock
) -> None:
    await publish(http)
    await bootstrap.close()
    bootstrap.open_application(Settings(kept_in), clock)

    await tick()

    assert file.execute("SELECT count(*) FROM notices_by_debtor").fetchone() == (0,)


class TestDamage:
    """A damaged document stops no other one."""

    async def test_a_damaged_notice_is_logged_and_its_entry_stays(
        self,
        http: httpx.AsyncClient,
        lists: Lists,
        tick: Tick,
        file: sqlite3.Connection,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await publish(http)
        await tick()
        await amend(http, {"amount": 1})
        file.execute("UPDATE notices SET shown = '{}'")
        await publish(http, path_of(a_number(2)))

        await tick()

        assert await lists.numbers() == [NUMBER, a_number(2)]
        [entry] = [json.loads(r.getMessage()) for r in caplog.records if "document_unreadable" in r.getMessage()]
        assert entry["number"] == NUMBER

    async def test_a_damaged_event_is_logged_and_its_notice_is_listed_as_it_is(
        self,
        http: httpx.AsyncClient,
        lists: Lists,
        tick: Tick,
        file: sqlite3.Connection,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await publish(http)
        file.execute("UPDATE events SET document = '{}'")

        await tick()

        assert await lists.numbers() == [NUMBER]
        [entry] = [json.loads(r.getMessage()) for r in caplog.records if "event_unreadable" in r.getMessage()]
        assert (entry["number"], entry["version"]) == (NUMBER, 1)

    async def test_the_log_of_a_damaged_document_has_no_tax_code(
        self, http: httpx.AsyncClient, tick: Tick, file: sqlite3.Connection, caplog: pytest.LogCaptureFixture
    ) -> None:
        await publish(http)
        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        file.execute("UPDATE events SET document = json_set(document, '$.type', ?)", (DEBTOR,))
        file.execute("UPDATE notices SET shown = CAST(json_set(shown, '$.status', ?) AS BLOB)", (ANOTHER,))

        await tick()

        found = [json.loads(record.getMessage())["event"] for record in caplog.records]
        assert sorted(set(found)) == ["document_unreadable", "event_unreadable"]
        assert DEBTOR not in caplog.text
        assert ANOTHER not in caplog.text

    async def test_an_event_of_a_later_version_of_the_archive_waits_for_it(
        self, http: httpx.AsyncClient, lists: Lists, tick: Tick, file: sqlite3.Connection
    ) -> None:
        await publish(http)
        before = file.execute("SELECT shown FROM notices").fetchone()
        file.execute("UPDATE events SET document = json_set(document, '$.schema', 99)")
        file.execute("UPDATE notices SET shown = CAST(json_set(shown, '$.debtor.type', 'NEW') AS BLOB)")
        await tick()
        assert await lists.numbers() == []

        file.execute("UPDATE events SET document = json_set(document, '$.schema', 1)")
        file.execute("UPDATE notices SET shown = ?", before)
        await tick()

        assert await lists.numbers() == [NUMBER]

    async def test_a_notice_that_is_gone_from_the_store_is_logged_after_an_hour_and_stops_no_other(
        self,
        http: httpx.AsyncClient,
        lists: Lists,
        tick: Tick,
        file: sqlite3.Connection,
        clock: StillClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await publish(http)
        file.execute("DELETE FROM notices")
        await publish(http, path_of(a_number(2)))

        await tick()
        assert await lists.numbers() == []
        assert "notice_behind_its_event" in caplog.text
        clock.advance(HOUR)
        await tick()

        assert await lists.numbers() == [a_number(2)]
        [entry] = [json.loads(r.getMessage()) for r in caplog.records if "notice_lost" in r.getMessage()]
        assert entry["number"] == NUMBER

    async def test_a_store_that_shows_an_older_notice_is_asked_again(
        self, http: httpx.AsyncClient, lists: Lists, tick: Tick, file: sqlite3.Connection
    ) -> None:
        await publish(http)
        before = file.execute("SELECT version, shown FROM notices").fetchone()
        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        after = file.execute("SELECT version, shown FROM notices").fetchone()

        file.execute("UPDATE notices SET version = ?, shown = ?", before)
        await tick()
        assert (await lists.numbers(), await lists.numbers(ANOTHER)) == ([], [])
        file.execute("UPDATE notices SET version = ?, shown = ?", after)
        await tick()

        assert (await lists.numbers(), await lists.numbers(ANOTHER)) == ([], [NUMBER])


class TestOlderVersion:
    """A writer that is late does no harm."""

    async def test_an_entry_that_is_written_late_does_not_come_back(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        late = LateIndex(lists.index)
        await publish(http)
        await run(lists.projection(index=late))
        await declare(http, "closed")
        await run(lists.projection())

        await late.write()

        assert await lists.numbers() == []

    async def test_an_entry_of_a_former_debtor_that_is_written_late_does_not_come_back(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        late = LateIndex(lists.index)
        await publish(http)
        await run(lists.projection(index=late))
        await lists.application.feed.forget("project_debtors")
        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        await run(lists.projection())

        await late.write()

        assert (await lists.numbers(), await lists.numbers(ANOTHER)) == ([], [NUMBER])


class TestNewKey:
    """A new key comes first, and a rebuild moves all lists to it."""

    async def test_while_both_keys_live_a_list_has_what_is_under_each_once(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        await publish(http)
        await publish(http, path_of(a_number(2)))
        await run(lists.projection())

        await amend(http, {"amount": 1})
        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS))

        assert await lists.numbers(DEBTOR, NEW_KEY) == [NUMBER]
        assert await lists.numbers(DEBTOR, *DEBTOR_KEYS) == [a_number(2)]

    async def test_a_rebuild_moves_every_list_to_the_new_key(self, http: httpx.AsyncClient, lists: Lists) -> None:
        await publish(http)
        await publish(http, path_of(a_number(2)))
        await publish(http, path_of(a_number(3)))
        await declare(http, "closed", path_of(a_number(3)))
        await run(lists.projection())

        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS), rebuild=True)

        assert sorted(await lists.numbers(DEBTOR, NEW_KEY)) == sorted([NUMBER, a_number(2)])
        assert await lists.numbers(DEBTOR, *DEBTOR_KEYS) == []

    async def test_a_notice_that_is_paid_leaves_the_list_under_every_key(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        await publish(http)
        await run(lists.projection())

        await declare(http, "closed")
        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS))

        assert await lists.numbers(DEBTOR, *DEBTOR_KEYS) == []
        assert await lists.numbers(DEBTOR, NEW_KEY) == []

    async def test_two_processes_with_the_keys_in_another_order_lose_no_notice(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        await publish(http)
        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS))
        await lists.application.feed.forget("project_debtors")
        await run(lists.projection(*DEBTOR_KEYS, NEW_KEY))

        assert NUMBER in (*await lists.numbers(DEBTOR, NEW_KEY), *await lists.numbers(DEBTOR, *DEBTOR_KEYS))

    async def test_also_if_they_write_in_turn(self, http: httpx.AsyncClient, lists: Lists) -> None:
        one, other = LateIndex(lists.index), LateIndex(lists.index)
        await publish(http)
        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS, index=one))
        await lists.application.feed.forget("project_debtors")
        await run(lists.projection(*DEBTOR_KEYS, NEW_KEY, index=other))

        for puts in zip(one.entries, other.entries, strict=True):
            for put in puts:
                await put.write(lists.index)

        assert NUMBER in (*await lists.numbers(DEBTOR, NEW_KEY), *await lists.numbers(DEBTOR, *DEBTOR_KEYS))

    async def test_a_former_debtor_loses_the_notice_under_every_key(
        self, http: httpx.AsyncClient, lists: Lists
    ) -> None:
        await publish(http)
        await run(lists.projection())

        await amend(http, {"debtor": {"fiscalCode": ANOTHER}})
        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS))

        assert await lists.numbers(DEBTOR, *DEBTOR_KEYS) == []
        assert await lists.numbers(ANOTHER, NEW_KEY) == [NUMBER]

    async def test_over_http_a_notice_under_two_keys_is_listed_once(
        self, http: httpx.AsyncClient, lists: Lists, kept_in: EmbeddedStore, clock: StillClock
    ) -> None:
        for serial in (1, 2, 3):
            await publish(http, path_of(a_number(serial)))
        await run(lists.projection())
        await lists.application.feed.forget("project_debtors")
        await run(lists.projection(NEW_KEY))
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY, *DEBTOR_KEYS)), clock)
        headers = {"x-tax-code": DEBTOR, "Ocp-Apim-Subscription-Key": "local-platform"}

        page = (await http.get("/debtors/notices", params={"limit": 2}, headers=headers)).json()
        rest = (await http.get("/debtors/notices", params={"cursor": page["nextCursor"]}, headers=headers)).json()

        found = [item["noticeNumber"] for item in (*page["items"], *rest["items"])]
        assert found == [a_number(1), a_number(2), a_number(3)]

    async def test_of_two_entries_of_a_notice_the_later_version_is_shown(
        self, http: httpx.AsyncClient, lists: Lists, kept_in: EmbeddedStore, clock: StillClock
    ) -> None:
        await publish(http, dueDate="2026-12-01")
        await run(lists.projection())
        await lists.application.feed.forget("project_debtors")
        await amend(http, {"amount": 99, "dueDate": "2026-12-31"})
        await run(lists.projection(NEW_KEY))  # it does not know the old key
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY, *DEBTOR_KEYS)), clock)
        headers = {"x-tax-code": DEBTOR, "Ocp-Apim-Subscription-Key": "local-platform"}

        page = (await http.get("/debtors/notices", headers=headers)).json()

        assert [(item["version"], item["amount"]) for item in page["items"]] == [(2, 99)]

    async def test_a_cursor_of_before_a_new_key_is_good_after_it(
        self, http: httpx.AsyncClient, lists: Lists, kept_in: EmbeddedStore, clock: StillClock
    ) -> None:
        for serial in (1, 2, 3):
            await publish(http, path_of(a_number(serial)))
        await run(lists.projection())
        headers = {"x-tax-code": DEBTOR, "Ocp-Apim-Subscription-Key": "local-platform"}
        page = (await http.get("/debtors/notices", params={"limit": 2}, headers=headers)).json()
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY, *DEBTOR_KEYS)), clock)

        rest = await http.get("/debtors/notices", params={"cursor": page["nextCursor"]}, headers=headers)

        assert [item["noticeNumber"] for item in rest.json()["items"]] == [a_number(3)]

    async def test_a_cursor_of_before_the_old_key_is_gone_is_good_after_it(
        self, http: httpx.AsyncClient, lists: Lists, kept_in: EmbeddedStore, clock: StillClock
    ) -> None:
        for serial in (1, 2, 3):
            await publish(http, path_of(a_number(serial)))
        await run(lists.projection(NEW_KEY))
        headers = {"x-tax-code": DEBTOR, "Ocp-Apim-Subscription-Key": "local-platform"}
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY, *DEBTOR_KEYS)), clock)
        page = (await http.get("/debtors/notices", params={"limit": 2}, headers=headers)).json()
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY,)), clock)

        rest = await http.get("/debtors/notices", params={"cursor": page["nextCursor"]}, headers=headers)

        assert [item["noticeNumber"] for item in rest.json()["items"]] == [a_number(3)]

    async def test_a_caller_with_few_grants_misses_no_notice_under_two_keys(
        self, http: httpx.AsyncClient, lists: Lists, kept_in: EmbeddedStore, clock: StillClock
    ) -> None:
        some = frozenset({"48"})
        scopes = frozenset({Scope.DEBTORS_READ})
        key = await register_caller(lists.application, "an-app", scopes=scopes, grants={INSTITUTION: some})
        granted = a_number(3, "48")
        for number, day in ((a_number(1), 1), (a_number(2), 2), (granted, 3)):
            await publish(http, path_of(number), dueDate=f"2026-12-{day:02}")
        await run(lists.projection())
        for serial in (4, 5):
            await publish(http, path_of(a_number(serial)), dueDate=f"2026-12-{serial:02}")
        await run(lists.projection(NEW_KEY))
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, None, (NEW_KEY, *DEBTOR_KEYS)), clock)

        page = await http.get("/debtors/notices", params={"limit": 1}, headers={"x-tax-code": DEBTOR, **key})

        assert [item["noticeNumber"] for item in page.json()["items"]] == [granted]


class TestRebuild:
    """A rebuild writes every entry again."""

    async def test_an_entry_that_is_wrong_is_corrected(
        self, http: httpx.AsyncClient, lists: Lists, clock: StillClock
    ) -> None:
        await publish(http)
        await run(lists.projection())
        [hashed] = DebtorHashes(DEBTOR_KEYS).of(DEBTOR)
        [right] = await lists.index.open_notices(hashed, clock())
        wrong = DebtorEntry(hashed, right.address, 1, right._replace(json=b"{}"))
        await lists.index.put(wrong, clock(), repair=True)

        await run(lists.projection(), rebuild=True)

        assert await lists.index.open_notices(hashed, clock()) == [right]

    async def test_a_rebuild_that_was_stopped_goes_on_where_it_was(self, http: httpx.AsyncClient, lists: Lists) -> None:
        counted = CountingIndex(lists.index)
        await publish(http)
        await run(lists.projection(index=counted), rebuild=True)
        await publish(http, path_of(a_number(2)))

        await run(lists.projection(index=counted), rebuild=True)

        assert counted.written == [NUMBER, a_number(2)]

    async def test_with_other_keys_it_begins_again(self, http: httpx.AsyncClient, lists: Lists) -> None:
        await publish(http)
        await run(lists.projection(), rebuild=True)

        await run(lists.projection(NEW_KEY, *DEBTOR_KEYS), rebuild=True)

        assert await lists.numbers(DEBTOR, NEW_KEY) == [NUMBER]


@dataclass
class LateIndex:
    """The index of a process that stops before it writes, and goes on later."""

    index: DebtorIndex
    entries: list["LatePut"] = field(default_factory=list)

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Remember the entry."""
        self.entries.append(LatePut(entry, now, repair))

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Fail."""
        raise StoreUnavailable

    async def write(self) -> None:
        """Write what is remembered."""
        assert self.entries
        for put in self.entries:
            await put.write(self.index)


@dataclass
class LatePut:
    """An entry that is not written yet."""

    entry: DebtorEntry
    now: datetime
    repair: bool

    async def write(self, index: DebtorIndex) -> None:
        """Write the entry."""
        await index.put(self.entry, self.now, repair=self.repair)


@dataclass
class CrowdedIndex:
    """An index that counts how many entries are written at the same time."""

    index: DebtorIndex
    now: int = 0
    most: int = 0

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry, once the others have begun."""
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        await self.index.put(entry, now, repair=repair)
        self.now -= 1

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Return the notices that a debtor can pay."""
        return await self.index.open_notices(debtor, now, after, limit, institutions)


@dataclass
class CountingIndex:
    """An index that remembers whose entries were written."""

    index: DebtorIndex
    written: list[str] = field(default_factory=list)

    async def put(self, entry: DebtorEntry, now: datetime, *, repair: bool = False) -> None:
        """Store the entry."""
        self.written.append(entry.address.number)
        await self.index.put(entry, now, repair=repair)

    async def open_notices(
        self,
        debtor: str,
        now: datetime,
        after: str = "",
        limit: int = 50,
        institutions: Collection[str] | None = None,
    ) -> list[OpenNotice]:
        """Return the notices that a debtor can pay."""
        return await self.index.open_notices(debtor, now, after, limit, institutions)
