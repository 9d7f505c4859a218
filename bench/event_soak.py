"""Kill the archive while changes flow in by HTTP and queue, and out by the topic: `python -m bench.event_soak`.

In each round many clients publish and amend notices, and receipts come by queue: some before their notice, each of them
twice. The server is killed as soon as the checkpoint of the relay moves, as soon as new messages are in the topic, or
at any time. With --azure, the archive is on doubles of Cosmos DB and Service Bus, which go on, and connections to them
are cut at random. In the end a last server finishes what is left, and the topic is compared with the histories.
The exit code is 0 if nothing is lost, doubled or out of order, else 1.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

from emulators.cosmos import Fault as CosmosFault
from emulators.servicebus import Fault as BusFault, ServiceBusDouble
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_feed import CosmosFeed
from shared.adapters.service_bus import ServiceBus
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_bus import SqliteBus
from shared.adapters.sqlite_feed import SqliteFeed
from shared.bootstrap import utc_now
from shared.errors import StoreUnavailable
from shared.messages import INBOUND_EVENTS, Message, entities, subscription
from shared.ports import Bus, BusUnavailable, ChangeFeed
from shared.relay import NAME as RELAY
from shared.settings import ServiceBusNamespace
from tests.server import PATIENCE, STRICT, Line, Server, running
from tests.stores import account_of, an_account
from tests.support import a_body, a_number

LINES = 8
"""Concurrent clients."""
PACE = 0.02
"""Seconds between two changes of a client, so that a round lasts longer than a turn of the relay."""


@dataclass
class EventReport:
    """What was sent, and what is wrong with what came out of it."""

    sent: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The amounts that were sent, by the path of the notice. Each amount is sent once."""
    acknowledged: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Those of them that were acknowledged."""
    receipts: dict[str, str] = field(default_factory=dict)
    """The path of the notice that each receipt is for."""
    done: int = 0
    """Changes that were acknowledged, by HTTP or by the queue."""
    kills: int = 0
    changes: int = 0
    """Changes of notices in the end: the sum of their versions."""
    messages: int = 0
    """Messages in the topic in the end, repeated ones included."""
    faults: list[str] = field(default_factory=list)
    """Changes that are lost, events that did not go out or came in the wrong order, receipts applied twice or never."""


async def soak_events(data: Path, rounds: int, changes: int, seed: int = 1, *, azure: bool = False) -> EventReport:
    """Run the rounds on the data of a folder, with so many changes together, and return what came of them."""
    report, chance, serials = EventReport(), random.Random(seed), count(1)
    async with _azure(data) if azure else _embedded(data) as ground:
        for number in range(rounds):
            newest = _Newest(ground.bus)
            moment = (lambda: _checkpoint(ground.feed), newest.position, None)[number % 3]
            async with _running(data, ground) as server:
                await _round(server, ground, report, chance, serials, changes // rounds, moment)
            report.kills += 1
            ground.end_locks()
        ground.calm()
        async with _running(data, ground) as server:
            await _finish(server, ground.bus, report, serials)
            await _check(server, ground.bus, report)
            await asyncio.to_thread(server.stop)
    return report


@dataclass(frozen=True)
class Ground:
    """Where the archive keeps notices and messages. It outlives the server."""

    bus: Bus
    feed: ChangeFeed
    settings: Mapping[str, Any]
    """How a server is started on it."""
    disturb: Callable[[], object] = lambda: None
    """Cuts connections."""
    calm: Callable[[], object] = lambda: None
    """Takes the failures away."""
    end_locks: Callable[[], object] = lambda: None
    """Ends the locks of a server that was killed, which last a minute otherwise."""


@asynccontextmanager
async def _running(data: Path, ground: Ground) -> AsyncIterator[Server]:
    """Yield a server on the ground. It starts beside this loop, in which the doubles may be that it needs."""
    server = running(data, **ground.settings)
    try:
        yield await asyncio.to_thread(server.__enter__)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def _round(
    server: Server,
    ground: Ground,
    report: EventReport,
    chance: random.Random,
    serials: "count[int]",
    changes: int,
    moment: Callable[[], Awaitable[object]] | None,
) -> None:
    """Let changes flow until the server is killed: when `moment` returns another value than before, or at once."""
    enough, goal = Event(), report.done + changes

    def kill() -> None:
        enough.wait()
        server.kill()

    async def watch() -> None:
        """Kill the server once there are enough changes."""
        await _until(lambda: _is(report.done >= goal))
        if moment is not None:
            before = await moment()
            await _until(lambda: _differs(moment, before), pause=0)
        enough.set()

    async def disturb() -> None:
        while not enough.is_set():
            await asyncio.sleep(1.5 * chance.random())
            ground.disturb()

    async def work(line: Line) -> None:
        with suppress(EOFError, ConnectionError):
            while not enough.is_set():
                await _change(line, ground.bus, report, chance, serials)
                report.done += 1
                await asyncio.sleep(PACE * chance.random())

    # From a thread, because the loop would kill only between two requests.
    killer = Thread(target=kill)
    killer.start()
    try:
        async with server.lines(LINES) as lines, asyncio.timeout(120):
            await asyncio.gather(watch(), disturb(), *map(work, lines))
    finally:
        enough.set()
        killer.join()


async def _change(line: Line, bus: Bus, report: EventReport, chance: random.Random, serials: "count[int]") -> None:
    """Publish a notice, change a known one, or send a receipt, which is repeated."""
    kind = chance.random()
    known = list(report.acknowledged)
    if kind < 0.4 or not known:
        serial = next(serials)
        path = f"{STRICT}/{a_number(serial)}"
        if chance.random() < 0.3:
            await _receipt(bus, report, path, serials)  # the money is earlier
        report.sent[path].add(serial)
        status, notice = await line.ask("PUT", path, a_body(amount=serial))
        assert status in (201, 503), notice
        if status == 201:
            report.acknowledged[path].add(serial)
    elif kind < 0.7:
        path, amount = chance.choice(known), next(serials)
        report.sent[path].add(amount)
        status, _ = await line.ask("PATCH", path, {"amount": amount})
        assert status in (200, 409, 503), "a paid notice does not change"
        if status == 200:
            report.acknowledged[path].add(amount)
    else:
        await _receipt(bus, report, chance.choice(known), serials)


async def _receipt(bus: Bus, report: EventReport, path: str, serials: "count[int]") -> None:
    """Send a receipt twice, in two messages, as its producer does when it is not sure of the first."""
    receipt = f"receipt-{next(serials)}"
    report.receipts[receipt] = path
    for copy in ("a", "b"):
        message = Message(f"{receipt}-{copy}", json.dumps(_paid(path, receipt)).encode())
        await _until(lambda message=message: _is_sent_to(bus, message))  # type: ignore[misc]


def _paid(path: str, receipt: str) -> dict[str, Any]:
    institution, number = path.split("/")[2], path.split("/")[4]
    return {
        "specversion": "1.0",
        "id": receipt,
        "source": "/nodo/receipts",
        "type": "it.pagopa.notice.paid.v1",
        "subject": f"{institution}/{number}",
        "time": utc_now().isoformat(),
        "data": {
            "creditorInstitution": institution,
            "noticeNumber": number,
            "receiptId": receipt,
            "amount": 12050,
            "paidAt": utc_now().isoformat(),
            "pspId": "ABI03069",
        },
    }


async def _finish(server: Server, bus: Bus, report: EventReport, serials: "count[int]") -> None:
    """Publish the notices that have only money, and wait until all events are in and out."""
    async with server.lines() as [line], asyncio.timeout(10 * PATIENCE):
        for path in {*report.receipts.values(), *report.sent} - report.acknowledged.keys():
            amount = next(serials)
            report.sent[path].add(amount)
            status, notice = await line.ask("PUT", path, a_body(amount=amount))
            # A notice may have been published before the kill, and paid since.
            assert status in (200, 201, 409), notice
            if status != 409:
                report.acknowledged[path].add(amount)
        await _until(lambda: _is_applied(bus))
        await _until(lambda: _is_sent(line))


async def _check(server: Server, bus: Bus, report: EventReport) -> None:
    """Compare the notices and their histories with what was sent, and with the topic."""
    sent: dict[str, list[tuple[int, str]]] = defaultdict(list)
    async for queued in bus.peek(subscription("all")):
        event = json.loads(queued.message.body)
        sent[event["subject"]].append((event["sequence"], event["type"]))
        report.messages += 1
    by_notice: dict[str, list[str]] = defaultdict(list)
    for receipt, path in report.receipts.items():
        by_notice[path].append(receipt)
    async with server.lines() as [line]:
        for path in report.sent:
            _, notice = await line.ask("GET", path)
            _, history = await line.ask("GET", f"{path}/events?limit=500")
            report.changes += notice["version"]
            report.faults += _faults(path, notice, history["items"], sent, by_notice[path], report)


def _faults(
    path: str,
    notice: dict[str, Any],
    history: list[dict[str, Any]],
    sent: dict[str, list[tuple[int, str]]],
    receipts: list[str],
    report: EventReport,
) -> list[str]:
    """Return what is wrong with one notice."""
    faults = []
    changed = [each["changed"]["amount"] for each in history if "amount" in each["changed"]]
    amounts = {notice["amount"], *(each[side] for each in changed for side in ("from", "to"))}
    if not report.acknowledged[path] <= amounts <= report.sent[path]:
        faults.append(f"{path}: its versions have the amounts {amounts}, acknowledged {report.acknowledged[path]}")
    applied = [payment["receiptId"] for payment in notice.get("payments", [])]
    if sorted(applied) != sorted(receipts):
        faults.append(f"{path}: receipts {sorted(receipts)} were sent, {sorted(applied)} are applied")
    happened = [(each["version"], f"it.pagopa.notice.{each['type']}.v1") for each in history]
    institution, number = path.split("/")[2], path.split("/")[4]
    first_times = list(dict.fromkeys(sent[f"{institution}/{number}"]))
    if first_times != happened:
        faults.append(f"{path}: {happened} happened, and {first_times} went out")
    return faults


async def _until(holds: Callable[[], Awaitable[bool]], pause: float = 0.01) -> None:
    """Wait until a condition holds."""
    while not await holds():  # noqa: ASYNC110  another process makes it true
        await asyncio.sleep(pause)


async def _is(condition: bool) -> bool:
    return condition


async def _differs(moment: Callable[[], Awaitable[object]], before: object) -> bool:
    return await moment() != before


async def _is_sent_to(bus: Bus, message: Message) -> bool:
    try:
        await bus.send(message)
    except BusUnavailable:
        return False
    return True


async def _is_applied(bus: Bus) -> bool:
    return await anext(bus.peek(INBOUND_EVENTS), None) is None


async def _is_sent(line: Line) -> bool:
    _, health = await line.ask("GET", "/health")
    return bool(health["relay"]["oldestUnsentSeconds"] == 0)


class _Newest:
    """The position of the newest message in the topic."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._position = 0

    async def position(self) -> int:
        """Return it. Only the messages since the last time are looked at."""
        with suppress(BusUnavailable):
            async for queued in self._bus.peek(subscription("all"), self._position):
                self._position = queued.position
        return self._position


async def _checkpoint(feed: ChangeFeed) -> object:
    """Return how far the relay has come."""
    try:
        return [(place.range, place.token) for place in await feed.places(RELAY)]
    except StoreUnavailable:
        return await _checkpoint(feed)


@asynccontextmanager
async def _embedded(data: Path) -> AsyncIterator[Ground]:
    """Yield bus and feed in the file of the server, as another process uses them."""
    store = SqliteNoticeStore(data / "archive.db")
    try:
        yield Ground(SqliteBus(store.writes, store.reads, utc_now), SqliteFeed(store.writes, store.reads), {})
    finally:
        await store.close()


@asynccontextmanager
async def _azure(data: Path) -> AsyncIterator[Ground]:
    """Yield bus and feed on doubles in this process. Some of their answers are lost, and connections are cut."""
    async with an_account(ranges=2) as account, ServiceBusDouble.started(entities(), data / "bus.db") as namespace:
        bus = ServiceBus(ServiceBusNamespace(connection_string=namespace.connection_string), utc_now)
        cosmos = Cosmos(account_of(account), budget=60)
        account.inject(CosmosFault(drop="after", probability=0.01, times=None))
        namespace.inject(BusFault("Send", drop="after", probability=0.01, times=None))
        settings = {"cosmos": account.connection_string, "SERVICEBUS": namespace.connection_string}

        def calm() -> None:
            account.faults.clear()
            namespace.faults.clear()

        try:
            yield Ground(bus, CosmosFeed(cosmos), settings, namespace.cut, calm, lambda: namespace.advance(61))
        finally:
            await bus.close()
            await cosmos.close()


def main() -> None:
    """Run the rounds, and print what came of them."""
    arguments = argparse.ArgumentParser(
        prog="python -m bench.event_soak", description="Kill the archive, count events."
    )
    arguments.add_argument("--rounds", type=int, default=20, help="number of kills (20)")
    arguments.add_argument("--changes", type=int, default=2000, help="changes in all rounds together (2000)")
    arguments.add_argument("--azure", action="store_true", help="on doubles of Cosmos DB and Service Bus")
    arguments.add_argument("--seed", type=int, default=1, help="seed of what is drawn (1)")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = asyncio.run(soak_events(Path(name), chosen.rounds, chosen.changes, chosen.seed, azure=chosen.azure))
    print(
        f"{report.kills} kills, {report.done:,} changes acknowledged, {report.changes:,} events, "
        f"{report.messages:,} messages, {len(report.receipts):,} receipts sent twice, {len(report.faults)} faults."
    )
    print(*report.faults, sep="\n")
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
