"""Kills processes while they write down what time has done, and compares what is written down in the end."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.due_soak.notices import DueNotices
from bench.due_soak.timer import ROOT
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
from shared.settings import BUSES, STORES
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


async def soak_due_changes(data: Path, notices: int, kills: int, seed: int = 1, *, azure: bool = False) -> DueReport:
    """Save notices that are due, let killed processes write down what time has done, and return what came of it."""
    due_at = utc_now() - timedelta(minutes=1)
    due, report = DueNotices(notices, due_at - timedelta(hours=1), due_at), DueReport(notices)
    async with _azure() if azure else _embedded(data) as ground:
        await _at_once((ground.store.save(due.change(position)) for position in range(notices)), ground.at_once)
        ground.disturb()
        began = time.monotonic()
        with _Processes(ground.environment) as processes:
            await _kill_while_they_write(ground, due, processes, kills, random.Random(seed))
            report.kills, report.runs = processes.kills, processes.started
        report.seconds = time.monotonic() - began
        ground.calm()
        await _check(ground, due, report)
    return report


async def _kill_while_they_write(
    ground: Ground, due: DueNotices, processes: "_Processes", kills: int, chance: random.Random
) -> None:
    """Kill processes at random places of the work. In every second round, two of them do the same work."""
    places = due.places()

    async def place() -> int:
        """Return how many notices are written down: those before the first that is due."""
        try:
            first = await anext(ground.store.due(utc_now()), None)
        except StoreUnavailable:
            return await place()
        return places[first.address] if first else due.count

    # None at the very end, where the processes may be done before they are killed.
    goals = sorted(chance.randrange(due.count * 9 // 10) for _ in range(kills))
    for number, goal in enumerate(goals):
        before = await place()
        await _until(place, max(goal, before + 1), processes, 1 + number % 2)
        # From a thread, because this loop would kill only between two requests to the double in it.
        await asyncio.to_thread(processes.kill_one, chance.uniform(0, 0.02), chance)
    await _until(place, due.count, processes, 1 + kills % 2)
    await asyncio.to_thread(processes.wait)


async def _until(place: Callable[[], Awaitable[int]], goal: int, processes: "_Processes", count: int) -> None:
    """Keep so many processes at work until so many notices are written down. Raises TimeoutError without progress."""
    reached, moved_at = -1, time.monotonic()
    while True:
        asked_at = time.monotonic()
        if (now := await place()) >= goal:
            return
        if now != reached:
            reached, moved_at = now, asked_at
        if asked_at - moved_at > PATIENCE:
            raise TimeoutError(f"after {now:,} notices, nothing more is written down")
        await asyncio.to_thread(processes.keep, count)
        # To ask takes time from the processes: a sixth of it at most.
        await asyncio.sleep(5 * (time.monotonic() - asked_at))


class _Processes:
    """The processes that write down what time has done. In the end, those that still run are killed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in (*STORES, *BUSES)}
        self._environment = {**inherited, **environment}
        self._running: list[subprocess.Popen[bytes]] = []
        self.started = 0
        self.kills = 0

    def __enter__(self) -> "_Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def keep(self, count: int) -> None:
        """Start processes until so many of them run. Raises CalledProcessError if one has failed."""
        self._running = [process for process in self._running if not _has_ended(process)]
        while len(self._running) < count:
            command = [sys.executable, "-m", "bench.due_soak.timer"]
            self._running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))
            self.started += 1

    def kill_one(self, after: float, chance: random.Random) -> None:
        """Kill one of the processes after some seconds."""
        time.sleep(after)
        process = self._running.pop(chance.randrange(len(self._running)))
        process.kill()
        # One that had ended before was not killed.
        self.kills += process.wait() < 0

    def wait(self) -> None:
        """Return when all processes have ended. Raises CalledProcessError if one has failed."""
        for process in self._running:
            process.wait(PATIENCE)
            _has_ended(process)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if process.poll():
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return process.returncode is not None


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
