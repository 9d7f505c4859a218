"""The process is killed while it writes, again and again: what it had answered is there, whole and once.

A kill takes the process and leaves the machine; what a power cut leaves depends on the disk, and is not told here.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from tests.server import LENIENT, STRICT, Line, running
from tests.stores import COSMOS, SQLITE, account_for
from tests.support import a_body, a_number

WRITERS = 64
SECONDS = 120
"""A server that stops to answer fails the test after this time; nothing else depends on it."""

Body = dict[str, Any]
Write = Callable[[Line], Awaitable[None]]


@dataclass
class Ledger:
    """What the clients of one archive wrote down of their notices: the path of each, and what was sent."""

    data: Path
    serials: "count[int]" = field(default_factory=lambda: count(1))
    sent: dict[str, Body] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)

    def next_notice(self) -> tuple[str, Body]:
        """Write down a notice that is about to be published; every eighth is of the lenient institution."""
        serial = next(self.serials)
        path = f"{LENIENT}/KILL{serial}" if serial % 8 == 0 else f"{STRICT}/{a_number(serial)}"
        self.sent[path] = a_body(amount=serial, description=f"Notice {serial}")
        return path, self.sent[path]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Return the ledger of all rounds: one archive lives through them."""
    return Ledger(tmp_path_factory.mktemp("killed"))


@pytest.mark.parametrize("round_", range(1, 11), ids="round {}".format)
async def test_what_was_published_before_a_kill_is_there_after_it_once(round_: int, ledger: Ledger) -> None:
    sent_before = set(ledger.sent)

    async def publish(line: Line) -> None:
        path, body = ledger.next_notice()
        status, _ = await line.ask("PUT", path, body)
        assert status == 201
        ledger.acknowledged.add(path)

    await write_until_killed(ledger.data, [publish] * WRITERS, after=Random(round_).randint(WRITERS, 10 * WRITERS))

    with running(ledger.data) as server:
        async with server.lines(WRITERS) as lines:
            there = await listed(lines[0])
            assert all(shows(notice, ledger.sent[path]) for path, notice in there.items())
            assert ledger.acknowledged <= there.keys(), "what was answered in this round or an earlier one is there"

            of_this_round = ledger.sent.keys() - sent_before
            histories = await ask_each(lines, {path: ("GET", f"{path}/events", None) for path in of_this_round})
            assert {path for path, (status, _) in histories.items() if status == 200} == of_this_round & there.keys()
            for path in of_this_round & there.keys():
                assert told(histories[path]) == [(1, "published")]

            # Who got no answer sends again, and who got one may: it is the same notice, published once.
            again = await ask_each(lines, {path: ("PUT", path, ledger.sent[path]) for path in of_this_round})
            histories = await ask_each(lines, {path: ("GET", f"{path}/events", None) for path in of_this_round})
            for path, (status, _) in again.items():
                assert status == (200 if path in there else 201)
                assert told(histories[path]) == [(1, "published")]
            ledger.acknowledged |= of_this_round
        assert_sound(ledger.data)


@pytest.mark.parametrize("store", [SQLITE, COSMOS])
@pytest.mark.parametrize("round_", range(1, 4), ids="round {}".format)
async def test_an_amendment_answered_before_a_kill_is_there_after_it_and_no_version_is_missing(
    round_: int, store: str, tmp_path: Path
) -> None:
    # The account goes on while the server is killed, in the midst of what it asks of it.
    account = account_for(store, tmp_path)
    paths = [f"{STRICT}/{a_number(serial)}" for serial in range(WRITERS // 2)]
    with running(tmp_path, account) as server:
        async with server.lines() as [line]:
            for path in paths:
                assert (await line.ask("PUT", path, a_body()))[0] == 201
        server.kill()

    amounts = count(1)
    answered: dict[str, dict[int, int]] = {path: {} for path in paths}

    def amendments_of(path: str) -> Write:
        async def amend(line: Line) -> None:
            amount = next(amounts)
            status, notice = await line.ask("PATCH", path, {"amount": amount})
            assert status == 200
            answered[path][notice["version"]] = amount

        return amend

    # Two amend each notice, so that some have to decide twice.
    after = Random(round_).randint(WRITERS // 2, 2 * WRITERS)
    await write_until_killed(tmp_path, [*map(amendments_of, paths * 2)], after=after, account=account)

    with running(tmp_path, account) as server:
        async with server.lines() as [line]:
            for path in paths:
                (_, notice), (_, history) = await line.ask("GET", path), await line.ask("GET", f"{path}/events")
                assert [event["version"] for event in history["items"]] == [*range(1, notice["version"] + 1)]
                kept = {event["version"]: event["changed"]["amount"]["to"] for event in history["items"][1:]}
                assert answered[path].items() <= kept.items()
                assert notice["amount"] == kept.get(notice["version"], 12050)
        if account is None:
            assert_sound(tmp_path)


async def write_until_killed(data: Path, writes: Iterable[Write], *, after: int, account: str | None = None) -> None:
    """Start a server, let all write without pause, and kill it once it has answered so many writes."""
    answered = count(1)
    enough = Event()
    with running(data, account) as server:

        async def write_on(line: Line, write: Write) -> None:
            with suppress(EOFError, ConnectionError):
                while True:
                    await write(line)
                    if next(answered) == after:
                        enough.set()

        def kill() -> None:
            enough.wait()
            server.kill()

        async with server.lines(WRITERS) as lines, asyncio.timeout(SECONDS):
            # From a thread: the loop of the writers would do it when they rest, and the server with them.
            killer = Thread(target=kill)
            killer.start()
            try:
                await asyncio.gather(*map(write_on, lines, writes))
            finally:
                enough.set()
                killer.join()
    assert next(answered) > after, "the server ended before it was killed"


async def listed(line: Line) -> dict[str, Body]:
    """Return all notices of both institutions by their paths; none is listed twice."""
    found: dict[str, Body] = {}
    for institution in (STRICT, LENIENT):
        cursor = ""
        while cursor is not None:
            _, page = await line.ask("GET", f"{institution}?limit=500{cursor and f'&cursor={cursor}'}")
            notices = {f"{institution}/{notice['noticeNumber']}": notice for notice in page["items"]}
            assert len(notices) == len(page["items"])
            assert not notices.keys() & found.keys()
            found |= notices
            cursor = page["nextCursor"]
    return found


async def ask_each(
    lines: Iterable[Line], requests: Mapping[str, tuple[str, str, Body | None]]
) -> dict[str, tuple[int, Any]]:
    """Ask all that is to be asked, one after the other on each line; return the answers under the same names."""
    answers: dict[str, tuple[int, Any]] = {}
    waiting = iter(requests.items())

    async def ask(line: Line) -> None:
        for name, (method, path, body) in waiting:
            answers[name] = await line.ask(method, path, body)

    await asyncio.gather(*map(ask, lines))
    return answers


def shows(notice: Body, sent: Body) -> bool:
    """Tell whether the notice is the one that was sent."""
    return {name: notice[name] for name in sent} == sent


def told(history: tuple[int, Any]) -> list[tuple[int, str]]:
    """The versions of a notice, and what made each."""
    return [(event["version"], event["type"]) for event in history[1]["items"]]


def assert_sound(data: Path) -> None:
    """Look into the file itself: it is intact, and every version of a notice has its event and no other."""
    with closing(sqlite3.connect(f"file:{data / 'archive.db'}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        notices = "SELECT creditor_institution, number, version, version FROM notices ORDER BY 1, 2"
        events = "SELECT creditor_institution, number, count(*), max(version) FROM events GROUP BY 1, 2 ORDER BY 1, 2"
        assert db.execute(notices).fetchall() == db.execute(events).fetchall()
