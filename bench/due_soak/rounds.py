"""Kills processes while they write down what time has done, and compares what is written down in the end."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.due_soak.notices import DueNotices
from bench.due_soak.processes import Processes
from bench.growth.filling import AT_ONCE
from bench.growth.notices import address_of
from emulators.cosmos import Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.sqlite import SqliteNoticeStore
from shared.bootstrap import utc_now
from shared.concurrency import gather_all
from shared.errors import StoreUnavailable
from shared.ports import NoticeStore
from tests.server import PATIENCE
from tests.stores import account_of, an_account
from tests.support import life_of

NOBODY = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"
"""A namespace where nothing listens: time is written down while Service Bus is down."""
A_KEY = f"one:{'QUJD' * 11}"


@dataclass
class DueReport:
    """What was done, and what is wrong with what is written down."""

    notices: int
    kills: int = 0
    """Processes that were killed while notices were due."""
    runs: int = 0
    """Processes, those that were killed included."""
    seconds: float = 0.0
    """From the first process on until nothing was due any more."""
    events: int = 0
    """Events of time in the end."""
    faults: list[str] = field(default_factory=list)
    """Events that are lost, doubled or wrong, and notices that have changed otherwise."""


@dataclass(frozen=True)
class Ground:
    """Where the notices are. It outlives the processes."""

    store: NoticeStore
    environment: Mapping[str, str]
    """How a process is started on it."""
    at_once: int
    """Calls of this process at the same time."""
    disturb: Callable[[], object] = lambda: None
    """Lets answers get lost."""
    calm: Callable[[], object] = lambda: None
    """Takes the failures away."""


async def soak_due_changes(data: Path, notices: int, kills: int, seed: int = 1, *, azure: bool = False) -> DueReport:
    """Save notices that are due, let killed processes write down what time has done, and return what came of it."""
    due_at = utc_now() - timedelta(minutes=1)
    due, report = DueNotices(notices, due_at - timedelta(hours=1), due_at), DueReport(notices)
    async with _azure() if azure else _embedded(data) as ground:
        await _at_once((ground.store.save(due.change(position)) for position in range(notices)), ground.at_once)
        ground.disturb()
        began = time.monotonic()
        with Processes(ground.environment) as processes:
            await _kill_while_they_write(_Progress(ground.store, due), processes, kills, random.Random(seed))
            report.kills, report.runs = processes.kills, processes.started
        report.seconds = time.monotonic() - began
        ground.calm()
        await _check(ground, due, report)
    return report


async def _kill_while_they_write(
    progress: "_Progress", processes: Processes, kills: int, chance: random.Random
) -> None:
    """Kill processes at random places of the work. In every second round, two of them do the same work."""
    # None at the very end, where the processes may be done before they are killed.
    goals = sorted(chance.randrange(progress.end * 9 // 10) for _ in range(kills))
    for number, goal in enumerate(goals):
        if (first := await progress.place()) == progress.end:
            break
        await _until_written(progress, max(goal, first), processes, 1 + number % 2)
        # From a thread, because this loop would kill only between two requests to the double in it.
        await asyncio.to_thread(processes.kill_one, chance.uniform(0, 0.02), chance)
    await _until_written(progress, progress.end - 1, processes, 1 + kills % 2)
    while (first := await progress.place()) < progress.end:
        await _until_written(progress, first, processes, 1)
    await asyncio.to_thread(processes.wait)


async def _until_written(progress: "_Progress", place: int, processes: Processes, count: int) -> None:
    """Keep so many processes at work until the notice at a place is written down, or nothing is due any more.

    Raises TimeoutError if nothing more is written down.
    """
    reached, look_at = -1, time.monotonic() + PATIENCE
    while not await progress.is_written(place):
        await asyncio.to_thread(processes.keep, count)
        if time.monotonic() > look_at:
            before, reached = reached, await progress.place()
            if reached == progress.end:
                return
            if reached == before:
                raise TimeoutError(f"after {reached:,} notices, nothing more is written down")
            look_at = time.monotonic() + PATIENCE
        await asyncio.sleep(0.01)


class _Progress:
    """How far the work has come. Notices are written down by institution and number, so each has its place."""

    def __init__(self, store: NoticeStore, due: DueNotices) -> None:
        self._store = store
        self._in_order = due.in_order()
        self._places = {address: place for place, address in enumerate(self._in_order)}
        self.end = due.count

    async def is_written(self, place: int) -> bool:
        """Return whether the notice at a place is written down, as far as the store answers."""
        try:
            notice = await self._store.load(self._in_order[place])
        except StoreUnavailable:
            return False
        return notice is not None and notice.next_change_at is None

    async def place(self) -> int:
        """Return the place of the first notice that is due."""
        try:
            first = await anext(self._store.due(utc_now()), None)
        except StoreUnavailable:
            return await self.place()
        return self._places[first.address] if first else self.end


async def _check(ground: Ground, due: DueNotices, report: DueReport) -> None:
    """Compare each notice and its events with what was saved and with what time must have done."""

    async def check(position: int) -> None:
        notice, events = await life_of(ground.store, address_of(position)) or (None, [])
        report.events += len(events[1:])
        report.faults += due.faults(position, notice, events)

    await _at_once(map(check, range(due.count)), ground.at_once)


async def _at_once(calls: Iterable[Coroutine[Any, Any, object]], count: int) -> None:
    """Await the calls, some at once. Each is made when its turn has come."""
    waiting = iter(calls)

    async def go_on() -> None:
        for call in waiting:
            await call

    await gather_all(go_on() for _ in range(count))


@asynccontextmanager
async def _embedded(data: Path) -> AsyncIterator[Ground]:
    """Yield a file."""
    store = SqliteNoticeStore(data / "archive.db")
    try:
        yield Ground(store, {"ARCHIVE_STORE": f"sqlite:{data / 'archive.db'}"}, AT_ONCE)
    finally:
        await store.close()


@asynccontextmanager
async def _azure() -> AsyncIterator[Ground]:
    """Yield a double in this process, of two partitions. Some of its answers are lost while time is written down."""
    async with an_account(ranges=2) as account:
        cosmos = Cosmos(account_of(account), budget=60)
        settings = {"COSMOS": account.connection_string, "SERVICEBUS": NOBODY, "DEBTOR_KEYS": A_KEY}
        lost = Fault(drop="after", probability=0.01, times=None)
        try:
            yield Ground(CosmosNoticeStore(cosmos), settings, 32, lambda: account.inject(lost), account.faults.clear)
        finally:
            await cosmos.close()
