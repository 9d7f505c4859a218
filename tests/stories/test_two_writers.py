"""Many write at once: each change is made on what the one before it left, and who comes too late is told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import count, cycle, pairwise
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any, Protocol

import httpx
import pytest

from tests.server import LENIENT, STRICT, Line, Server, running
from tests.stores import COSMOS, SQLITE, account_for
from tests.support import StillClock, a_body, a_number

WRITERS = 64
NOTHING: Mapping[str, str] = MappingProxyType({})

serials = count(1)
Answer = tuple[int, Any]


class Archive(Protocol):
    """An archive that many may ask at once; it answers with the status and the JSON."""

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = NOTHING
    ) -> Answer: ...


class InOneProcess:
    """The archive of this process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = NOTHING) -> Answer:
        answer = await self._http.request(method, path, json=body, headers=headers)
        return answer.status_code, answer.json()


class OverTheNetwork:
    """A server, over lines of which each takes one request at a time."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._free: asyncio.Queue[Line] = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)

    async def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = NOTHING) -> Answer:
        line = await self._free.get()
        answer = await line.ask(method, path, body, headers)
        self._free.put_nowait(line)
        return answer


PATIENT = {"STORE_BUDGET_SECONDS": "60"}
"""Races are decided by the order of the writers, not by the pace of the machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server that the stories of this module share, each with notices of its own."""
    with running(tmp_path_factory.mktemp("shared"), **PATIENT) as server:
        yield server


@pytest.fixture(scope="module")
def server_on_cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield another one, which keeps its data in Cosmos DB."""
    folder = tmp_path_factory.mktemp("on-cosmos")
    with running(folder, account_for(COSMOS, folder), **PATIENT) as server:
        yield server


@pytest.fixture(params=["in one process", "over the network", "over the network, on Cosmos DB"])
async def archive(
    request: pytest.FixtureRequest, http: httpx.AsyncClient, server: Server, server_on_cosmos: Server
) -> AsyncIterator[Archive]:
    """Yield the archive of this process with its still clock, then the servers."""
    if request.param == "in one process":
        yield InOneProcess(http)
    else:
        async with (server_on_cosmos if "Cosmos" in request.param else server).lines(WRITERS) as lines:
            yield OverTheNetwork(lines)


@pytest.fixture(params=[SQLITE, COSMOS])
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Archive, Archive]]:
    """Yield two servers on the data of one folder, or on one account."""
    account = account_for(request.param, tmp_path)
    # Beside an account, each host has a double of Service Bus of its own.
    one_folder, other_folder = (tmp_path / "one", tmp_path / "other") if account else (tmp_path, tmp_path)
    with running(one_folder, account, **PATIENT) as one, running(other_folder, account, **PATIENT) as other:
        async with one.lines(WRITERS) as here, other.lines(WRITERS) as there:
            yield OverTheNetwork(here), OverTheNetwork(there)


async def test_of_many_amendments_of_one_version_exactly_one_is_made(archive: Archive) -> None:
    path = await published(archive)

    answers = await at_once(
        archive.ask("PATCH", path, {"amount": amount}, {"If-Match": '"1-ACTIVE"'}) for amount in range(1, WRITERS + 1)
    )

    assert statuses(answers) == {200: 1, 412: WRITERS - 1}
    [made] = [notice for status, notice in answers if status == 200]
    assert (await archive.ask("GET", path))[1] == made
    assert made["version"] == 2
    assert await amounts(archive, path) == [(12050, made["amount"])]


async def test_of_many_amendments_of_any_version_each_is_made_on_what_the_one_before_left(archive: Archive) -> None:
    path = await published(archive)

    answers = await at_once(archive.ask("PATCH", path, {"amount": amount}) for amount in range(1, WRITERS + 1))

    assert statuses(answers) == {200: WRITERS}
    by_version = {notice["version"]: notice["amount"] for _, notice in answers}
    assert sorted(by_version) == [*range(2, WRITERS + 2)]
    assert sorted(by_version.values()) == [*range(1, WRITERS + 1)]
    assert await amounts(archive, path) == [
        *pairwise([12050, *(by_version[version] for version in sorted(by_version))])
    ]
    assert (await archive.ask("GET", path))[1]["amount"] == by_version[WRITERS + 1]


async def test_a_new_number_published_by_many_at_once_is_created_once(archive: Archive) -> None:
    path = a_path()

    answers = await at_once(archive.ask("PUT", path, a_body(amount=amount)) for amount in range(1, WRITERS + 1))

    assert statuses(answers) == {201: 1, 200: WRITERS - 1}
    [created] = [notice for status, notice in answers if status == 201]
    assert created["version"] == 1
    changed = await amounts(archive, path)
    assert sorted([created["amount"], *(after for _, after in changed)]) == [*range(1, WRITERS + 1)]


async def test_one_content_sent_by_many_at_once_is_written_once(archive: Archive) -> None:
    path = a_path()

    answers = await at_once(archive.ask("PUT", path, a_body()) for _ in range(WRITERS))

    assert statuses(answers) == {201: 1, 200: WRITERS - 1}
    assert {notice["version"] for _, notice in answers} == {1}
    assert len(await history(archive, path)) == 1


async def test_of_many_who_want_the_number_to_be_new_exactly_one_has_it(archive: Archive) -> None:
    path = a_path()

    answers = await at_once(archive.ask("PUT", path, a_body(), {"If-None-Match": "*"}) for _ in range(WRITERS))

    assert statuses(answers) == {201: 1, 412: WRITERS - 1}


async def test_a_cancellation_and_a_closure_at_once_end_a_notice_one_way(archive: Archive) -> None:
    paths = [await published(archive) for _ in range(10)]

    answers = await at_once(
        archive.ask("POST", f"{path}/events", {"type": end}) for path in paths for end in ("cancelled", "closed")
    )

    for path, (cancelled, _), (closed, _) in zip(paths, answers[::2], answers[1::2], strict=True):
        assert sorted((cancelled, closed)) == [200, 409]
        ended = "cancelled" if cancelled == 200 else "closed"
        assert [event["type"] for event in await history(archive, path)] == ["published", ended]


async def test_two_numbers_that_race_for_one_iuv_are_told_apart(archive: Archive) -> None:
    for _ in range(10):
        await race_for_an_iuv(archive, archive)


async def test_two_numbers_that_race_for_one_iuv_through_two_servers_are_told_apart(
    two: tuple[Archive, Archive],
) -> None:
    for _ in range(10):
        await race_for_an_iuv(*two)


async def test_notices_published_through_two_servers_are_seen_through_both(two: tuple[Archive, Archive]) -> None:
    paths = [a_path() for _ in range(4 * WRITERS)]

    answers = await at_once(server.ask("PUT", path, a_body()) for path, server in zip(paths, cycle(two), strict=False))

    assert statuses(answers) == {201: len(paths)}
    for server in two:
        for path in paths:
            assert [event["type"] for event in await history(server, path)] == ["published"]


async def test_amendments_without_pause_through_two_servers_are_all_made(two: tuple[Archive, Archive]) -> None:
    path = await published(two[0])
    sent = count(12051)
    answers: list[Answer] = []
    # Long enough for one that loses again and again to give up.
    end = monotonic() + 4

    async def amend(server: Archive) -> None:
        while monotonic() < end:
            answers.append(await server.ask("PATCH", path, {"amount": next(sent)}))

    await asyncio.gather(*(amend(server) for server in two * 8))

    assert statuses(answers) == {200: len(answers)}
    by_version = {notice["version"]: notice["amount"] for _, notice in answers}
    assert sorted(by_version) == [*range(2, len(answers) + 2)]
    for server in two:
        kept = await amounts(server, path)
        assert kept == [*pairwise([12050, *(by_version[version] for version in sorted(by_version))])]


async def test_an_amendment_is_not_too_late_because_another_host_has_a_faster_clock(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    archive = InOneProcess(http)
    path = await published(archive)
    await archive.ask("PATCH", path, {"amount": 1})

    clock.advance(timedelta(milliseconds=-5))
    status, notice = await archive.ask("PATCH", path, {"amount": 2})

    assert (status, notice.get("amount")) == (200, 2), "who names no time declares it now"


async def race_for_an_iuv(here: Archive, there: Archive) -> None:
    """Publish two numbers with one IUV at once: one has it, the other is refused and leaves nothing."""
    serial = next(serials)
    body = a_body(iuv=f"IUV{serial}")
    paths = f"{LENIENT}/A{serial}", f"{LENIENT}/B{serial}"

    answers = await at_once(server.ask("PUT", path, body) for path, server in zip(paths, (here, there), strict=True))

    assert statuses(answers) == {201: 1, 409: 1}
    for path, (status, answer) in zip(paths, answers, strict=True):
        assert answer.get("code") == (None if status == 201 else "iuv_already_used")
        assert (await here.ask("GET", path))[0] == (200 if status == 201 else 404)


def a_path() -> str:
    """Where a notice will be that nobody published."""
    return f"{STRICT}/{a_number(next(serials))}"


async def published(archive: Archive) -> str:
    """Publish a notice; return where it is."""
    path = a_path()
    assert (await archive.ask("PUT", path, a_body()))[0] == 201
    return path


async def at_once(requests: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """Send all before any is answered."""
    return await asyncio.gather(*requests)


def statuses(answers: Iterable[Answer]) -> dict[int, int]:
    """How many answers had which status."""
    return dict(Counter(status for status, _ in answers))


async def history(archive: Archive, path: str) -> list[dict[str, Any]]:
    """What happened to the notice, without a hole."""
    events: list[dict[str, Any]] = []
    page = "limit=500"
    while page:
        _, answer = await archive.ask("GET", f"{path}/events?{page}")
        events += answer["items"]
        page = f"limit=500&cursor={answer['nextCursor']}" if answer["nextCursor"] else ""
    assert [event["version"] for event in events] == [*range(1, len(events) + 1)]
    return events


async def amounts(archive: Archive, path: str) -> list[tuple[int, int]]:
    """The amounts before and after each event, but the publication."""
    _, *events = await history(archive, path)
    return [(event["changed"]["amount"]["from"], event["changed"]["amount"]["to"]) for event in events]
