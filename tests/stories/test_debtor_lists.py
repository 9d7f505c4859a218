"""The debtors' lists end as the notices say, whatever happens at once: writes, the reader, a replay, a rebuild."""

import asyncio
import random
from asyncio import sleep
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import httpx
import orjson
import pytest

from shared.bootstrap import Application
from shared.debtor_hashes import DebtorHashes
from shared.debtor_projection import DebtorProjection
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from shared.feed_reader import FeedReader
from tests.functions.client import path_of
from tests.functions.queues import project
from tests.stores import both_stores
from tests.support import DAY, DEBTOR_KEYS, HOUR, INSTITUTION, NOW, StillClock, a_body, a_number

pytestmark = both_stores

DEBTORS = ("RSSMRA80A01H501U", "VRDLGU85B02F205C", "12345678903", "ANONIMO")
SECONDS = 3
WRITES_A_SECOND = 50
MOMENTS = (NOW, NOW + 2 * HOUR, NOW + 20 * DAY)
"""Moments at which other notices can be paid."""

Lists = dict[str, list[tuple[str, Any]]]


class Institution:
    """An institution that publishes notices and changes them at random, their debtors too."""

    def __init__(self, http: httpx.AsyncClient, seed: int) -> None:
        self._http = http
        self._chance = random.Random(seed)
        self._serials = count(1)
        self.numbers: list[NoticeNumber] = []

    async def act(self) -> None:
        """Publish a notice, or change one."""
        kind = self._chance.random()
        if kind < 0.3 or not self.numbers:
            number = a_number(next(self._serials))
            answer = await self._http.put(path_of(number), json=self._body())
            self.numbers.append(number)
        elif kind < 0.7:
            answer = await self._http.patch(self._any(), json=self._patch())
        else:
            event = self._chance.choice(("cancelled", "closed", "restored", "restored"))
            answer = await self._http.post(f"{self._any()}/events", json={"type": event})
        assert answer.status_code in (200, 201, 409, 422), answer.text

    def _any(self) -> str:
        return path_of(self._chance.choice(self.numbers))

    def _body(self) -> dict[str, Any]:
        starts = self._chance.choice((None, None, (NOW + HOUR).isoformat()))
        return a_body(debtor=self._debtor(), validFrom=starts, dueDate=self._day(), switchToExpired=True)

    def _patch(self) -> dict[str, Any]:
        return self._chance.choice(({"debtor": self._debtor()}, {"dueDate": self._day()}, {"amount": 1}))

    def _debtor(self) -> dict[str, str]:
        return {"type": "F", "fiscalCode": self._chance.choice(DEBTORS), "fullName": "Mario Rossi"}

    def _day(self) -> str:
        return f"2026-12-{self._chance.randint(1, 31):02}"


async def test_the_lists_are_right_after_writes_a_replay_and_a_rebuild_at_once(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    institution, debtors = Institution(http, seed=1), projection_of(application)

    async def again_and_again(step: Callable[[], Awaitable[object]], pause: float) -> None:
        while True:
            await step()
            await sleep(pause)

    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(again_and_again(lambda: turn_of(debtors.reader, clock), 0.05)),
            group.create_task(again_and_again(lambda: turn_of(debtors.rebuilder, clock), 0.05)),
            group.create_task(again_and_again(lambda: application.feed.forget(debtors.reader.name), 0.7)),
            group.create_task(again_and_again(lambda: application.feed.forget(debtors.rebuilder.name), 0.9)),
        ]
        writes = []
        for _ in range(SECONDS * WRITES_A_SECOND):
            writes.append(group.create_task(institution.act()))
            await sleep(1 / WRITES_A_SECOND)
        await asyncio.wait(writes)
        for task in beside:
            task.cancel()
    await project(application)

    await check(application, institution, clock)


@pytest.mark.parametrize("seed", range(3))
async def test_a_replay_from_the_beginning_ends_with_the_same_lists(
    http: httpx.AsyncClient, application: Application, clock: StillClock, seed: int
) -> None:
    institution, debtors = Institution(http, seed), projection_of(application)
    for n in range(120):
        await institution.act()
        if n % 17 == 0:
            await project(application)
    await project(application)
    await check(application, institution, clock)

    await application.feed.forget(debtors.reader.name)
    await project(application)

    await check(application, institution, clock)


async def test_a_rebuild_fills_lists_that_were_never_written(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    institution = Institution(http, seed=4)
    for _ in range(120):
        await institution.act()

    await project(application, rebuild=True)

    await check(application, institution, clock)


def projection_of(application: Application) -> DebtorProjection:
    """Return the projection of an application that has debtor keys."""
    assert application.debtors is not None
    return application.debtors


async def turn_of(reader: FeedReader, clock: StillClock) -> None:
    """Let a reader work until nothing is left, unless another one is faster."""
    assert (await reader.run(clock() + DAY)).failure is None


async def check(application: Application, institution: Institution, clock: StillClock) -> None:
    """Compare the lists with the notices, at several moments."""
    for now in MOMENTS:
        clock.now = now
        found = await stored_lists(application, clock)
        assert found == await lists_of_the_notices(application, institution.numbers, clock)
        assert any(found.values())
    clock.now = NOW


async def stored_lists(application: Application, clock: StillClock) -> Lists:
    """Return the lists as they are read."""
    index, hashes = projection_of(application).index, DebtorHashes(DEBTOR_KEYS)
    lists: Lists = {}
    for debtor in DEBTORS:
        [hashed] = hashes.of(debtor)
        notices = await index.open_notices(hashed, clock(), limit=10_000)
        lists[debtor] = [(notice.place, orjson.loads(notice.json)) for notice in notices]
    return lists


async def lists_of_the_notices(application: Application, numbers: list[NoticeNumber], clock: StillClock) -> Lists:
    """Return the lists as they follow from what is read of each notice."""
    lists: Lists = {debtor: [] for debtor in DEBTORS}
    for number in numbers:
        address = Address(INSTITUTION, number)
        notice = await application.archive.get(address)
        shown = orjson.loads((await application.archive.show(address, clock())).json)
        debtor = shown.pop("debtor")["fiscalCode"]
        assert notice.content is not None
        place = f"{notice.content.due_date.sort_key} {INSTITUTION} {number}"
        if shown["status"] == "ACTIVE" and debtor != "ANONIMO":
            lists[debtor].append((place, shown))
    return {debtor: sorted(entries, key=lambda entry: entry[0]) for debtor, entries in lists.items()}
