"""What a request costs in round trips to the store: one for a publish, one for a read, two for an amendment."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.archive import Archive
from shared.domain.declarations import Precondition
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv
from shared.domain.lifecycle import EventType
from shared.domain.notice import Address, Change, Notice
from shared.errors import PreconditionFailed
from shared.ports import IuvClaim, Listed, Search
from shared.registry import CachedRegistry
from shared.stored_notice import StoredNotice
from tests.support import ADDRESS, NOW, StillClock, a_line, a_payment, a_publication, an_act, an_institution


class CountingStore:
    """A store that writes down how it was asked; the work is done by the embedded one."""

    def __init__(self, store: SqliteNoticeStore) -> None:
        self._store = store
        self.asked: list[str] = []

    async def load(self, address: Address) -> Notice | None:
        self.asked.append("load")
        return await self._store.load(address)

    async def find(self, address: Address) -> StoredNotice | None:
        self.asked.append("find")
        return await self._store.find(address)

    async def save(self, change: Change) -> StoredNotice:
        self.asked.append("save")
        return await self._store.save(change)

    async def history(self, address: Address, after: int = 0, limit: int = 100) -> list[NoticeEvent]:
        self.asked.append("history")
        return await self._store.history(address, after, limit)

    def latest_events(self, address: Address, version: int) -> AsyncIterator[NoticeEvent]:
        self.asked.append("latest_events")
        return self._store.latest_events(address, version)

    async def search(self, search: Search) -> list[Listed]:
        self.asked.append("search")
        return await self._store.search(search)

    def due(self, now: datetime) -> AsyncIterator[Notice]:
        self.asked.append("due")
        return self._store.due(now)

    def awaited(self) -> AsyncIterator[Notice]:
        self.asked.append("awaited")
        return self._store.awaited()

    async def claim_iuv(
        self, institution: InstitutionCode, iuv: Iuv, claim: IuvClaim, instead_of: IuvClaim | None = None
    ) -> IuvClaim:
        self.asked.append("claim_iuv")
        return await self._store.claim_iuv(institution, iuv, claim, instead_of)

    async def iuv_claim(self, institution: InstitutionCode, iuv: Iuv) -> IuvClaim | None:
        self.asked.append("iuv_claim")
        return await self._store.iuv_claim(institution, iuv)

    async def ping(self, now: datetime) -> None:
        self.asked.append("ping")
        await self._store.ping(now)

    async def close(self) -> None:
        await self._store.close()

    def since(self) -> list[str]:
        """Return how the store was asked since the last time, and forget it."""
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CountingStore]:
    """Yield the store that counts."""
    store = CountingStore(SqliteNoticeStore(tmp_path / "archive.db"))
    yield store
    await store.close()


@pytest.fixture
async def archive(store: CountingStore, tmp_path: Path, clock: StillClock) -> AsyncIterator[Archive]:
    """Yield the archive on it."""
    registry = SqliteRegistry(tmp_path / "archive.db", clock)
    yield Archive(store, CachedRegistry(registry, clock), clock)
    await registry.close()


async def test_a_new_notice_is_published_in_one_round_trip(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())

    assert store.since() == ["save"]


async def test_the_same_notice_again_is_one_round_trip_too(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    store.since()

    await archive.publish(a_publication(), an_institution(), an_act())

    assert store.since() == ["save"]


async def test_another_content_of_a_known_notice_is_two(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    store.since()

    await archive.publish(a_publication(amount=1), an_institution(), an_act())

    assert store.since() == ["save", "save"]


async def test_a_publication_refused_as_new_looks_whether_the_notice_is_known(
    archive: Archive, store: CountingStore
) -> None:
    with pytest.raises(PreconditionFailed):
        await archive.publish(a_publication(), an_institution(), an_act(), Precondition(versions=frozenset({1})))

    assert store.since() == ["load"]


async def test_a_notice_is_read_by_one_point_read(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    store.since()

    await archive.show(ADDRESS, NOW)

    assert store.since() == ["find"]


@pytest.mark.parametrize("is_published", [True, False])
async def test_whether_a_notice_is_payable_is_one_point_read(
    archive: Archive, store: CountingStore, is_published: bool
) -> None:
    if is_published:
        await archive.publish(a_publication(), an_institution(), an_act())
        store.since()

    await archive.payability(ADDRESS, an_institution(), NOW)

    assert store.since() == ["load"]


async def test_a_number_that_no_notice_can_have_is_not_looked_for(archive: Archive, store: CountingStore) -> None:
    await archive.payability(None, an_institution(), NOW)

    assert store.since() == []


async def test_every_change_of_a_known_notice_is_a_load_and_a_save(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    store.since()

    await archive.amend(ADDRESS, {"description": "b"}, an_institution(), an_act())
    await archive.declare(ADDRESS, EventType.CANCELLED, an_act())
    await archive.declare(ADDRESS, EventType.RESTORED, an_act())
    await archive.declare(ADDRESS, EventType.CLOSED, an_act())
    await archive.record_payment(ADDRESS, a_payment(), an_act())
    await archive.record_settlement(ADDRESS, a_line(), an_act())

    assert store.since() == ["load", "save"] * 6


async def test_what_changes_nothing_saves_nothing(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    await archive.declare(ADDRESS, EventType.CANCELLED, an_act())
    store.since()

    await archive.declare(ADDRESS, EventType.CANCELLED, an_act())

    assert store.since() == ["load"]


async def test_a_lenient_institution_pays_a_look_at_the_claim_of_the_iuv(
    archive: Archive, store: CountingStore
) -> None:
    await archive.publish(a_publication(), an_institution(lenient=True), an_act())

    assert store.since() == ["iuv_claim", "save"]


async def test_an_iuv_that_the_number_does_not_contain_costs_two_reads_and_a_claim(
    archive: Archive, store: CountingStore
) -> None:
    await archive.publish(replace(a_publication(), iuv=Iuv("IUV1")), an_institution(lenient=True), an_act())

    assert store.since() == ["load", "load", "claim_iuv", "save"]


async def test_a_known_notice_pays_nothing_for_its_iuv(archive: Archive, store: CountingStore) -> None:
    publication = replace(a_publication(), iuv=Iuv("IUV1"))
    await archive.publish(publication, an_institution(lenient=True), an_act())
    store.since()

    await archive.publish(publication, an_institution(lenient=True), an_act())

    assert store.since() == ["load"]


async def test_a_page_of_a_history_is_a_read_and_a_query(archive: Archive, store: CountingStore) -> None:
    await archive.publish(a_publication(), an_institution(), an_act())
    store.since()

    await archive.history(ADDRESS)
    assert store.since() == ["load", "history"]
    await archive.history(ADDRESS, after=1)
    assert store.since() == ["load"]
