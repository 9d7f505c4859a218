"""The store that grows: its notices are those that the positions name, and its pages are full."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

from bench.growth.filling import fill, pages, register
from bench.growth.notices import INSTITUTIONS, NEW_POSITION, NEW_POSITIONS, address_of, first_new
from bench.loads import Inputs
from bench.rounds import WARM_UP
from local.seed import LOCAL_EC
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_registry import SqliteRegistry
from shared.bootstrap import utc_now
from shared.domain.callers import EVERY
from shared.domain.identifiers import InstitutionCode, NoticeNumber


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
