"""The store that grows: its notices are those that the positions name, and its pages are full."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bench.client import Reply, connected
from bench.growth.__main__ import BY_DEBTOR, LIST, PAYABILITY, PLATFORM, ratios_of
from bench.growth.debtors import DEBTOR, OPEN, SETTING, debtor_at, debtor_pages
from bench.growth.filling import fill, pages, register
from bench.growth.notices import INSTITUTIONS, NEW_POSITION, NEW_POSITIONS, address_of, first_new
from bench.loads import PAGE, Inputs
from bench.measurements import Of
from bench.rounds import WARM_UP
from local.seed import LOCAL_EC
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_debtors import SqliteDebtors
from shared.adapters.sqlite_feed import SqliteFeed
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.bootstrap import utc_now
from shared.debtor_hashes import DebtorHashes
from shared.debtor_projection import NAME as PROJECTION, DebtorProjection
from shared.domain.callers import EVERY
from shared.domain.identifiers import DebtorCode, InstitutionCode, NoticeNumber
from shared.feed_reader import waiting_since
from shared.relay import NAME as RELAY
from shared.wire.debtors import TAX_CODE_HEADER
from tests.server import running
from tests.support import DEBTOR_KEYS


def test_no_two_positions_have_one_address_and_each_number_is_valid() -> None:
    addresses = [address_of(position) for position in (*range(20_000), *range(NEW_POSITION, NEW_POSITION + 5_000))]

    assert len({*addresses}) == len(addresses)
    for address in addresses:
        NoticeNumber.parse(address.number)


def test_a_few_institutions_have_most_notices_and_each_has_some() -> None:
    counts = Counter(address_of(position).creditor_institution for position in range(10_000))

    assert set(counts) == {*INSTITUTIONS}
    assert counts[InstitutionCode(INSTITUTIONS[0])] > 10 * min(counts.values())


def test_serial_numbers_come_in_no_order() -> None:
    numbers = [address_of(position).number for position in range(100)]

    assert 25 < sum(one < other for one, other in pairwise(numbers)) < 75


def test_each_round_publishes_positions_that_no_other_round_has() -> None:
    first = [first_new(Inputs.of_round(number)) for number in (WARM_UP, 0, 1)]

    assert first == [NEW_POSITION, NEW_POSITION + NEW_POSITIONS, NEW_POSITION + 2 * NEW_POSITIONS]


def test_a_store_is_filled_and_filled_further(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"

    async def grow() -> list[tuple[str, str]]:
        await register(path)
        await fill(path, 0, 600)
        await fill(path, 600, 1_200)
        store, registry = SqliteNoticeStore(path), SqliteRegistry(path, utc_now)
        assert all([await store.load(address_of(position)) for position in range(1_200)])
        caller = await registry.caller(LOCAL_EC.keys[0].hash)
        assert caller is not None
        assert caller.segregation_codes(InstitutionCode(INSTITUTIONS[1])) == {EVERY}
        await store.close()
        await registry.close()
        return await pages(path, 1_200, count=5)

    found = asyncio.run(grow())

    assert len(found) == 5
    assert {institution for institution, _ in found} <= {*INSTITUTIONS}


def test_one_debtor_has_200_of_the_first_notices_and_no_other_has_many() -> None:
    counts = Counter(debtor_at(position).fiscal_code for position in range(20_000))

    assert [*counts.most_common(2)] == [(DEBTOR.fiscal_code, OPEN), (debtor_at(1).fiscal_code, 1)]
    assert sum(debtor_at(position) == DEBTOR for position in range(1_000)) == OPEN
    for code in counts:
        DebtorCode.parse(code)


def test_the_lists_of_debtors_are_those_that_the_projection_writes(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    _filled(path)
    filled = _entries(path)

    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM notices_by_debtor")
    asyncio.run(_project_again(path))

    assert len(filled) == 1_200
    assert filled == _entries(path)


@pytest.mark.parametrize("reader", [PROJECTION, RELAY])
def test_no_notice_of_the_filling_waits_for_a_reader_of_the_feed(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    _filled(path)

    async def waiting() -> object:
        store = SqliteNoticeStore(path)
        since = await waiting_since(reader, SqliteFeed(store.writes, store.reads))
        await store.close()
        return since

    assert asyncio.run(waiting()) is None


def test_the_archive_answers_with_all_pages_of_the_debtor_and_with_notices_that_can_be_paid(tmp_path: Path) -> None:
    _filled(tmp_path / "archive.db")
    queries = asyncio.run(debtor_pages(tmp_path / "archive.db"))

    async def ask(port: int) -> tuple[list[Reply], list[Reply]]:
        async with connected(port) as [line]:
            headers = PLATFORM | {TAX_CODE_HEADER: DEBTOR.fiscal_code}
            listed = [await line.ask("GET", f"/api/v1/debtors/notices?{query}", headers) for query in queries]
            places = [
                f"{address.creditor_institution}/notices/{address.number}" for address in map(address_of, range(8))
            ]
            paths = [f"/api/v1/creditor-institutions/{place}/payability" for place in places]
            return listed, [await line.ask("GET", path, PLATFORM) for path in paths]

    with running(tmp_path, DEBTOR_KEYS=SETTING) as server:
        listed, decided = asyncio.run(ask(server.port))

    assert [len(page.json["items"]) for page in listed] == [PAGE] * (OPEN // PAGE)
    numbers = {(item["creditorInstitution"], item["noticeNumber"]) for page in listed for item in page.json["items"]}
    assert len(numbers) == OPEN
    # One body in eight is not for Stand-In.
    assert Counter(each.json["payable"] for each in decided) == {True: 7, False: 1}


def test_the_p99_of_each_read_of_a_large_archive_is_at_most_twice_that_of_a_small_one() -> None:
    aims = {(ratio.of, ratio.over): ratio.at_most for ratio in ratios_of((10, 20)) if ratio.figure == "p99_ms"}

    reads = (LIST, BY_DEBTOR, PAYABILITY)
    assert aims == {(Of("20 notices", read), Of("10 notices", read)): 2 for read in reads}


def _filled(path: Path) -> None:
    async def filled() -> None:
        await register(path)
        await fill(path, 0, 1_000)
        await fill(path, 1_000, 1_200)

    asyncio.run(filled())


def _entries(path: Path) -> Sequence[object]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT * FROM notices_by_debtor ORDER BY debtor, creditor_institution, number").fetchall()


async def _project_again(path: Path) -> None:
    store = SqliteNoticeStore(path)
    feed, index = SqliteFeed(store.writes, store.reads), SqliteDebtors(store.writes, store.lists)
    await feed.forget(PROJECTION)
    projection = DebtorProjection(feed, store, index, DebtorHashes(DEBTOR_KEYS), utc_now)
    turn = await projection.reader.run(utc_now() + timedelta(minutes=1))
    assert turn.is_drained
    await store.close()
