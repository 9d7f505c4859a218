"""What any DebtorIndex promises. The test of an adapter inherits all of it and says how the index is made."""

import asyncio
from dataclasses import replace
from datetime import datetime

import orjson
import pytest

from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address
from shared.ports import REMOVED_FOR, DebtorEntry, DebtorIndex, OpenNotice
from tests.support import DAY, HOUR, INSTITUTION, NOW, SECOND, a_number

DEBTOR = "one:0123456789abcdef"
ANOTHER = "one:fedcba9876543210"


def at(serial: int) -> Address:
    """Return the address of a notice."""
    return Address(INSTITUTION, a_number(serial))


def an_entry(serial: int = 1, version: int = 1, day: str = "2026-12-16", amount: int = 12050) -> DebtorEntry:
    """Return the entry of a notice that can be paid."""
    place = f"{day} {INSTITUTION} {a_number(serial)}"
    return DebtorEntry(DEBTOR, at(serial), version, a_notice(place, at(serial), version, amount))


def a_notice(place: str, address: Address, version: int = 1, amount: int = 12050) -> OpenNotice:
    """Return a notice that can be paid."""
    json = orjson.dumps({"creditorInstitution": address.creditor_institution, "amount": amount})
    return OpenNotice(place, address, version, json)


def gone(serial: int = 1, version: int = 2) -> DebtorEntry:
    """Return the entry of a notice that cannot be paid any more."""
    return DebtorEntry(DEBTOR, at(serial), version)


class DebtorIndexContract:
    """Every promise of the port, tested. `index` is empty at the beginning."""

    @pytest.fixture
    def index(self) -> DebtorIndex:
        """Return the index."""
        raise NotImplementedError("the test of an adapter says how it is made")

    async def test_a_debtor_without_entries_has_an_empty_list(self, index: DebtorIndex) -> None:
        await index.put(replace(an_entry(), debtor=ANOTHER), NOW)

        assert await index.open_notices(DEBTOR, NOW) == []

    async def test_an_entry_comes_back_as_it_was_put(self, index: DebtorIndex) -> None:
        entry = replace(an_entry(), payable_from=NOW - HOUR, payable_until=NOW + HOUR)

        await index.put(entry, NOW)

        assert await index.open_notices(DEBTOR, NOW) == [entry.notice]

    async def test_the_list_is_in_the_order_of_places(self, index: DebtorIndex) -> None:
        for serial, day in ((1, "2026-12-31"), (2, "2026-12-01"), (3, "2026-12-16"), (4, "2026-12-16")):
            await index.put(an_entry(serial, day=day), NOW)

        assert await serials_of(index) == [2, 3, 4, 1]

    async def test_a_page_begins_behind_a_place_and_has_at_most_the_limit(self, index: DebtorIndex) -> None:
        for serial in range(1, 8):
            await index.put(an_entry(serial), NOW)
        places = [notice.place for notice in await index.open_notices(DEBTOR, NOW)]

        assert await index.open_notices(DEBTOR, NOW, places[1], 3) == (await index.open_notices(DEBTOR, NOW))[2:5]
        assert await index.open_notices(DEBTOR, NOW, places[-1], 3) == []

    async def test_the_list_begins_with_a_day(self, index: DebtorIndex) -> None:
        for serial, day in ((1, "2026-12-15"), (2, "2026-12-16"), (3, "2026-12-17")):
            await index.put(an_entry(serial, day=day), NOW)

        found = await index.open_notices(DEBTOR, NOW, "2026-12-16")

        assert [notice.address for notice in found] == [at(2), at(3)]

    @pytest.mark.parametrize(
        ("since", "until", "is_listed"),
        [
            (None, None, True),
            (NOW, None, True),
            (NOW + SECOND, None, False),
            (None, NOW + SECOND, True),
            (None, NOW, False),
            (NOW - HOUR, NOW + HOUR, True),
            (NOW - DAY, NOW - HOUR, False),
        ],
    )
    async def test_a_notice_is_listed_while_it_can_be_paid(
        self, index: DebtorIndex, since: datetime | None, until: datetime | None, is_listed: bool
    ) -> None:
        await index.put(replace(an_entry(), payable_from=since, payable_until=until), NOW)

        assert bool(await index.open_notices(DEBTOR, NOW)) is is_listed

    async def test_those_that_cannot_be_paid_take_no_room_in_a_page(self, index: DebtorIndex) -> None:
        for serial in range(1, 21):
            await index.put(replace(an_entry(serial), payable_from=None if serial > 17 else NOW + HOUR), NOW)

        found = await index.open_notices(DEBTOR, NOW, limit=3)

        assert [notice.address for notice in found] == [at(18), at(19), at(20)]

    @pytest.mark.parametrize("repair", [False, True])
    async def test_a_later_version_replaces_an_earlier_one(self, index: DebtorIndex, repair: bool) -> None:
        await index.put(an_entry(version=1), NOW)

        await index.put(an_entry(version=3, day="2027-01-01", amount=1), NOW, repair=repair)

        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=3, day="2027-01-01", amount=1).notice]

    @pytest.mark.parametrize("repair", [False, True])
    @pytest.mark.parametrize("version", [1, 2])
    async def test_an_earlier_version_changes_nothing(self, index: DebtorIndex, version: int, repair: bool) -> None:
        await index.put(an_entry(version=3), NOW)

        await index.put(an_entry(version=version, amount=1), NOW, repair=repair)
        await index.put(gone(version=version), NOW, repair=repair)

        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=3).notice]

    async def test_the_same_version_is_replaced_by_a_repair_only(self, index: DebtorIndex) -> None:
        await index.put(an_entry(version=2), NOW)

        await index.put(an_entry(version=2, amount=1), NOW)
        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=2).notice]

        await index.put(an_entry(version=2, amount=1), NOW, repair=True)
        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=2, amount=1).notice]
        await index.put(an_entry(version=2, amount=1), NOW, repair=True)
        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=2, amount=1).notice]

    async def test_a_removed_notice_is_not_listed(self, index: DebtorIndex) -> None:
        await index.put(an_entry(version=1), NOW)

        await index.put(gone(version=2), NOW)

        assert await index.open_notices(DEBTOR, NOW) == []

    async def test_an_earlier_version_that_is_late_does_not_bring_a_removed_notice_back(
        self, index: DebtorIndex
    ) -> None:
        await index.put(gone(version=2), NOW)

        await index.put(an_entry(version=1), NOW + DAY)

        assert await index.open_notices(DEBTOR, NOW + DAY) == []

    async def test_a_later_version_brings_a_removed_notice_back(self, index: DebtorIndex) -> None:
        await index.put(gone(version=2), NOW)

        await index.put(an_entry(version=3), NOW)

        assert await index.open_notices(DEBTOR, NOW + 365 * DAY) == [an_entry(version=3).notice]

    async def test_a_notice_that_came_back_stays_when_removed_ones_are_forgotten(self, index: DebtorIndex) -> None:
        await index.put(gone(1, version=2), NOW)
        await index.put(an_entry(1, version=3), NOW)

        await index.put(an_entry(2), NOW + REMOVED_FOR)

        assert await serials_of(index) == [1, 2]

    async def test_a_later_version_can_be_paid_at_another_time(self, index: DebtorIndex) -> None:
        at_first = replace(an_entry(version=1), payable_from=NOW + HOUR, payable_until=NOW + 2 * HOUR)
        await index.put(at_first, NOW)

        await index.put(replace(at_first, version=2, payable_from=NOW, payable_until=NOW + HOUR), NOW)

        assert [await index.open_notices(DEBTOR, at) == [] for at in (NOW, NOW + HOUR)] == [False, True]

    async def test_each_debtor_has_entries_of_one_notice(self, index: DebtorIndex) -> None:
        await index.put(replace(gone(version=2), debtor=ANOTHER), NOW)
        await index.put(an_entry(version=1), NOW)

        assert await index.open_notices(DEBTOR, NOW) == [an_entry().notice]
        assert await index.open_notices(ANOTHER, NOW) == []

    async def test_notices_of_several_institutions_with_one_number_are_different(self, index: DebtorIndex) -> None:
        other = Address(InstitutionCode("77777777777"), a_number(1))
        place = f"2026-12-16 {other.creditor_institution} {other.number}"
        await index.put(an_entry(), NOW)
        await index.put(DebtorEntry(DEBTOR, other, 1, a_notice(place, other)), NOW)

        assert [notice.address for notice in await index.open_notices(DEBTOR, NOW)] == [at(1), other]

    async def test_only_the_notices_of_some_institutions_may_be_wanted_and_others_take_no_room(
        self, index: DebtorIndex
    ) -> None:
        codes = [InstitutionCode(f"{serial:011}") for serial in range(1, 8)]
        for code in codes:
            address = Address(code, a_number(1))
            place = f"2026-12-16 {code} {address.number}"
            await index.put(DebtorEntry(DEBTOR, address, 1, a_notice(place, address)), NOW)

        async def found(*wanted: str, limit: int = 50) -> list[str]:
            notices = await index.open_notices(DEBTOR, NOW, limit=limit, institutions=wanted)
            return [notice.address.creditor_institution for notice in notices]

        assert await found(codes[5], codes[2], "99999999999") == [codes[2], codes[5]]
        assert await found(codes[6], codes[5], limit=1) == [codes[5]]
        assert await found() == []
        assert len(await index.open_notices(DEBTOR, NOW)) == 7

    @pytest.mark.parametrize(
        "versions", [[*range(1, 17)] * 2, [*range(16, 0, -1)] * 2], ids=["later last", "later first"]
    )
    async def test_of_writers_at_once_the_latest_version_stays(self, index: DebtorIndex, versions: list[int]) -> None:
        await asyncio.gather(*(index.put(an_entry(version=version, amount=version), NOW) for version in versions))

        assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=16, amount=16).notice]


async def serials_of(index: DebtorIndex) -> list[int]:
    """Return the serials of the notices in the list."""
    return [int(notice.address.number[3:16]) for notice in await index.open_notices(DEBTOR, NOW)]
