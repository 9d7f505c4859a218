"""What a host decides when another host writes between its decision and its save."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.archive import Archive
from shared.domain import declarations
from shared.domain.amounts import Amount
from shared.domain.dates import DueDate
from shared.domain.notice import Address, Change, Notice
from shared.errors import NotDoneInTime, NoticeCancelled
from shared.registry import CachedRegistry
from shared.stored_notice import StoredNotice, show
from tests.support import ADDRESS, HOUR, StillClock, a_publication, an_act, an_institution, life_of

Write = Callable[[Notice], Change]


class BusyStore(SqliteNoticeStore):
    """The embedded store, in which another host writes first, before so many of the saves of this one."""

    def __init__(self, path: Path, write: Write, times: int) -> None:
        super().__init__(path)
        self._write, self._times = write, times

    async def save(self, change: Change) -> StoredNotice:
        """Let the other host write, then save."""
        if self._times and change.expected_version:
            self._times -= 1
            known = await self.load(change.notice.address)
            assert known is not None
            await super().save(self._write(known))
        return await super().save(change)


class OvertakingStore(SqliteNoticeStore):
    """The embedded store, in which another host writes before a save, and once more while its writer waits."""

    def __init__(self, path: Path, last: Write) -> None:
        """`last` is what the other host writes while its writer waits."""
        super().__init__(path)
        self.saves = 0
        self._last = last
        self._writing: asyncio.Task[None] | None = None

    async def save(self, change: Change) -> StoredNotice:
        """Let the other host write first, twice; after the second time it writes again."""
        await self._written()
        if change.expected_version:
            self.saves += 1
            if self.saves <= 2:
                await self._write(raise_the_amount)
            if self.saves == 2:
                self._writing = asyncio.create_task(self._write(self._last))
        return await super().save(change)

    async def load(self, address: Address) -> Notice | None:
        """Load what the other host left."""
        await self._written()
        return await super().load(address)

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write(self, write: Write) -> None:
        known = await super().load(ADDRESS)
        assert known is not None
        await super().save(write(known))


def raise_the_amount(known: Notice) -> Change:
    """Amend the notice as the other host does: each time to one cent more."""
    assert known.content is not None
    return declarations.amend(known, {"amount": Amount(known.content.amount + 1)}, None, an_act(known.updated_at))


def describe(known: Notice) -> Change:
    """Amend the notice as the other host does: to another description."""
    return declarations.amend(known, {"description": "b"}, None, an_act(known.updated_at))


def cancel(known: Notice) -> Change:
    """Cancel the notice as the other host does."""
    return declarations.cancel(known, an_act(known.updated_at))


@pytest.fixture
async def busy(tmp_path: Path, clock: StillClock) -> AsyncIterator[Callable[[Write, int], Archive]]:
    """Yield what opens an archive on a store in which another host writes first."""
    path, opened = tmp_path / "archive.db", []

    def archive(write: Write, times: int) -> Archive:
        opened.append(BusyStore(path, write, times))
        return Archive(opened[-1], CachedRegistry(SqliteRegistry(path, clock), clock), clock)

    yield archive
    for store in opened:
        await store.close()


Busy = Callable[[Write, int], Archive]


@pytest.mark.parametrize("times", [1, 2, 3, 30, 99])
async def test_a_change_is_decided_again_on_what_each_other_writer_left(busy: Busy, times: int) -> None:
    archive = busy(raise_the_amount, times)
    await archive.publish(a_publication(), an_institution(), an_act())

    change = await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())

    assert change.notice.content is not None
    assert (change.notice.version, change.notice.content.amount) == (times + 2, 12050 + times)
    _, events = await life_of(archive.store) or (None, [])
    assert [event.version for event in events] == [*range(1, times + 3)]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_change_that_the_other_writer_forbids_is_refused(busy: Busy, times: int) -> None:
    rounds = iter(range(times - 1))

    def write(known: Notice) -> Change:
        return raise_the_amount(known) if next(rounds, None) is not None else cancel(known)

    archive = busy(write, times)
    await archive.publish(a_publication(), an_institution(), an_act())

    with pytest.raises(NoticeCancelled):
        await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())


async def test_a_writer_that_loses_a_hundred_times_gives_up_and_has_written_nothing(busy: Busy) -> None:
    archive = busy(raise_the_amount, 1000)
    await archive.publish(a_publication(), an_institution(), an_act())

    with pytest.raises(NotDoneInTime) as refusal:
        await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())

    assert refusal.value.retry_after == 1
    _, events = await life_of(archive.store) or (None, [])
    assert all("description" not in event.changed for event in events)


async def test_a_change_that_is_decided_again_is_decided_at_the_time_it_is_then(busy: Busy, clock: StillClock) -> None:
    def write(known: Notice) -> Change:
        clock.advance(HOUR)
        return raise_the_amount(known)

    archive = busy(write, 1)
    due: dict[str, Any] = {"due_date": DueDate(clock() + HOUR, whole_day=False), "switch_to_expired": True}
    await archive.publish(a_publication(**due), an_institution(), an_act())

    change = await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())

    assert [(event.type, event.recorded_at) for event in change.events] == [
        ("expired", clock()),
        ("amended", clock()),
    ]


async def test_a_writer_that_waited_decides_on_what_the_other_host_wrote_in_the_meantime(
    tmp_path: Path, clock: StillClock
) -> None:
    store = OvertakingStore(tmp_path / "archive.db", raise_the_amount)
    archive = Archive(store, CachedRegistry(SqliteRegistry(tmp_path / "archive.db", clock), clock), clock)
    await archive.publish(a_publication(), an_institution(), an_act())

    change = await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())
    await store.close()

    assert (change.notice.version, store.saves) == (5, 3)


async def test_a_writer_that_finds_its_change_made_after_its_wait_is_answered_with_the_notice_as_it_is_then(
    tmp_path: Path, clock: StillClock
) -> None:
    store = OvertakingStore(tmp_path / "archive.db", describe)
    archive = Archive(store, CachedRegistry(SqliteRegistry(tmp_path / "archive.db", clock), clock), clock)
    await archive.publish(a_publication(), an_institution(), an_act())

    done = await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())
    await store.close()

    assert (done.events, done.notice.version, store.saves) == ((), 4, 2)
    assert done.shown_at(clock()) == show(done.notice, clock())
