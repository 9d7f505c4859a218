"""Hundreds of writers of one notice at once: each gets its turn, or is told to try again and has written nothing."""

import asyncio
import gc
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.host import Host
from shared import bootstrap
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.archive import Archive
from shared.domain.identifiers import InstitutionCode
from shared.domain.lifecycle import EventType
from shared.domain.notice import Change
from shared.errors import NotDoneInTime, NoticePaid
from shared.registry import CachedRegistry
from shared.settings import CosmosStore, EmbeddedStore, Settings
from shared.stored_notice import StoredNotice
from shared.turns import Turns, request_ends_at
from tests.conftest import BASE, EC_KEY
from tests.functions.client import COMUNE, NOTICE, history, publish
from tests.stores import COSMOS, SQLITE
from tests.support import ADDRESS, DAY, StillClock, a_number, a_publication, an_act, an_institution

Opened = Callable[[float], Any]


@pytest.fixture
def opened(kept_in: EmbeddedStore | CosmosStore, application: object, clock: StillClock, local_host: Host) -> Opened:
    """Return what opens the archive anew, with another time for a request, and yields a client."""

    @asynccontextmanager
    async def with_budget(seconds: float) -> AsyncIterator[httpx.AsyncClient]:
        await bootstrap.close()
        bootstrap.open_application(Settings(kept_in, store_budget=seconds), clock)
        transport = httpx.ASGITransport(local_host)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=EC_KEY, timeout=None) as client:
            yield client

    return with_budget


@pytest.mark.parametrize(("kept_in", "writers"), [(SQLITE, 800), (COSMOS, 200)], indirect=["kept_in"])
async def test_every_writer_of_one_notice_gets_its_turn(opened: Opened, writers: int) -> None:
    async with opened(60) as http:
        await publish(http)

        answers = await asyncio.gather(*(http.patch(NOTICE, json={"amount": n + 1}) for n in range(writers)))

        assert Counter(answer.status_code for answer in answers) == {200: writers}
        assert sorted(answer.json()["version"] for answer in answers) == [*range(2, writers + 2)]


async def test_writers_that_give_up_before_their_turn_have_written_nothing(opened: Opened, tmp_path: Path) -> None:
    async with opened(1) as http:
        await publish(http)
        with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as another_program:
            another_program.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(*(http.patch(NOTICE, json={"amount": n + 1}) for n in range(50)))

        codes = Counter(answer.json()["code"] for answer in answers)
        versions = len(await history(http))

    assert codes.keys() == {"store_unavailable", "not_done_in_time"}
    assert versions <= 1 + codes["store_unavailable"], "only a writer whose turn it was may have written"


async def test_writers_of_different_notices_do_not_wait_for_each_other() -> None:
    turns = Turns(timedelta(seconds=0.01))

    another_number = replace(ADDRESS, number=a_number(2))
    another_institution = replace(ADDRESS, creditor_institution=InstitutionCode(COMUNE))

    async with turns.of(ADDRESS), turns.of(another_number), turns.of(another_institution):
        with pytest.raises(NotDoneInTime):
            async with turns.of(ADDRESS):
                pass


async def test_nothing_is_kept_of_writers_that_have_finished() -> None:
    turns = Turns(timedelta(seconds=60))
    before = count_of_locks()

    for serial in range(100):
        with suppress(NoticePaid):
            async with turns.of(replace(ADDRESS, number=a_number(serial))):
                raise NoticePaid

    assert count_of_locks() <= before


def count_of_locks() -> int:
    """Return how many locks this process holds in memory."""
    gc.collect()
    return sum(isinstance(thing, asyncio.Lock) for thing in gc.get_objects())


async def test_writers_come_in_the_order_in_which_they_asked() -> None:
    turns, came = Turns(timedelta(seconds=60)), []

    async def write(n: int) -> None:
        async with turns.of(ADDRESS):
            await asyncio.sleep(0)
            came.append(n)

    await asyncio.gather(*map(write, range(20)))

    assert came == [*range(20)]


async def test_a_writer_that_is_refused_leaves_its_place_to_the_next() -> None:
    turns, came = Turns(timedelta(seconds=10)), []

    async def write(n: int) -> None:
        async with turns.of(ADDRESS):
            came.append(n)
            await asyncio.sleep(0)
            raise NoticePaid

    await asyncio.gather(*map(write, range(5)), return_exceptions=True)

    assert came == [*range(5)]


async def test_a_writer_that_is_cancelled_leaves_its_place_to_the_next() -> None:
    turns, came = Turns(timedelta(seconds=60)), []

    async def write(n: int) -> None:
        async with turns.of(ADDRESS):
            came.append(n)

    async with turns.of(ADDRESS):
        tasks = [asyncio.create_task(write(n)) for n in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert came == [1, 2]


async def test_a_writer_that_comes_just_when_a_turn_ends_gives_up_as_soon_as_the_others() -> None:
    turns, done = Turns(timedelta(seconds=0.01)), asyncio.Event()

    async def write() -> None:
        async with turns.of(ADDRESS):
            await done.wait()

    async with turns.of(ADDRESS):
        next_one = asyncio.create_task(write())
        await asyncio.sleep(0)
    # The turn is over. It belongs to the next writer, which has not noticed yet.
    with pytest.raises(NotDoneInTime):
        async with asyncio.timeout(30), turns.of(ADDRESS):
            pass
    done.set()
    await next_one


async def test_a_turn_that_comes_too_late_is_left_to_the_next_writer() -> None:
    turns, came = Turns(timedelta(seconds=0.5)), []

    async def write(n: int, seconds: float) -> None:
        request_ends_at.set(asyncio.get_running_loop().time() + seconds)
        async with turns.of(ADDRESS):
            came.append(n)

    async with turns.of(ADDRESS):
        late, next_one = asyncio.create_task(write(1, seconds=0.2)), asyncio.create_task(write(2, seconds=10))
        await asyncio.sleep(0)
    # The turn is the late writer's now, but this process is busy until its time is over.
    time.sleep(0.15)  # noqa: ASYNC251

    with pytest.raises(NotDoneInTime):
        await late
    await next_one
    assert came == [2]


class HaltingStore(SqliteNoticeStore):
    """The embedded store, which keeps the saves of one notice waiting."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def save(self, change: Change) -> StoredNotice:
        """Save, later where it is the notice."""
        if change.notice.address == ADDRESS and change.expected_version:
            self.reached.set()
            await self.go_on.wait()
        return await super().save(change)


async def test_a_notice_that_is_being_written_does_not_keep_time_from_changing_the_others(
    tmp_path: Path, clock: StillClock
) -> None:
    store = HaltingStore(tmp_path / "archive.db")
    registry = CachedRegistry(SqliteRegistry(tmp_path / "archive.db", clock), clock)
    archive = Archive(store, registry, clock, longest_request=timedelta(seconds=0.01))
    others = [replace(ADDRESS, number=a_number(serial)) for serial in (0, 5)]
    for address in (others[0], ADDRESS, others[1]):
        await archive.publish(a_publication(address, switch_to_expired=True), an_institution(), an_act())
    writer = asyncio.create_task(archive.declare(ADDRESS, EventType.CANCELLED, an_act()))
    await store.reached.wait()
    clock.advance(30 * DAY)

    changed = await archive.apply_due_changes(an_act(clock()), clock() + DAY)

    store.go_on.set()
    await writer
    assert (changed, [(await archive.get(address)).status for address in others]) == (2, ["EXPIRED", "EXPIRED"])
    await store.close()
