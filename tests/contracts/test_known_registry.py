"""What a process remembers of the registry: how long, how much, and of what."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.sqlite_registry import SqliteRegistry
from shared.auth import key_hash
from shared.domain.callers import Caller, Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.registry import MINUTE, SECOND, CachedRegistry, TtlCache
from tests.support import INSTITUTION, StillClock, a_caller, an_institution

ABSENT = InstitutionCode("00000000000")


class CountingRegistry(SqliteRegistry):
    """The registry, which counts the questions and takes its time to answer."""

    def __init__(self, path: Path, clock: StillClock) -> None:
        super().__init__(path, clock)
        self.clock = clock
        self.asked: list[str] = []
        self.duration = timedelta(0)

    async def institution(self, code: InstitutionCode) -> CreditorInstitution | None:
        """Return the institution, later."""
        self.asked.append(code)
        found = await super().institution(code)
        self.clock.advance(self.duration)
        return found

    async def caller(self, key_hash: str) -> Caller | None:
        """Return the caller, later."""
        self.asked.append(key_hash)
        found = await super().caller(key_hash)
        self.clock.advance(self.duration)
        return found


@pytest.fixture
async def registry(tmp_path: Path, clock: StillClock) -> AsyncIterator[CountingRegistry]:
    """Yield a registry with an institution and a caller."""
    registry = CountingRegistry(tmp_path / "archive.db", clock)
    await registry.save_institution(an_institution())
    await registry.save_caller(a_caller(keys=(Key(key_hash("a key")),)))
    yield registry
    await registry.close()


@pytest.fixture
def known(registry: CountingRegistry, clock: StillClock) -> CachedRegistry:
    """Return what the process remembers of it: nothing yet."""
    return CachedRegistry(registry, clock)


@pytest.mark.parametrize(
    "code", ["", "1537637100", "153763710099", "1537637100X", "15376371009\n", "١٥٣٧٦٣٧١٠٠٩", "9" * 60_000, "\udc80"]
)
async def test_an_institution_is_asked_for_only_if_the_text_can_be_its_code(
    code: str, known: CachedRegistry, registry: CountingRegistry
) -> None:
    assert await known.find_institution(InstitutionCode(code)) is None
    assert registry.asked == []


@pytest.mark.parametrize("hashed", ["", "a key", key_hash("a key").upper(), key_hash("a key") + "0", "0" * 60_000])
async def test_a_caller_is_asked_for_only_if_the_text_can_be_the_hash_of_a_key(
    hashed: str, known: CachedRegistry, registry: CountingRegistry
) -> None:
    assert await known.caller(hashed) is None
    assert registry.asked == []


async def test_the_age_of_an_answer_counts_from_its_question(
    known: CachedRegistry, registry: CountingRegistry, clock: StillClock
) -> None:
    registry.duration = MINUTE / 2
    before = clock.now
    await known.institution(INSTITUTION)
    await known.caller(key_hash("a key"))
    registry.duration = timedelta(0)

    clock.now = before + MINUTE - SECOND
    await known.institution(INSTITUTION)
    assert len(registry.asked) == 2

    clock.now = before + MINUTE
    await known.institution(INSTITUTION)
    assert registry.asked[2:] == [INSTITUTION]


async def test_what_was_not_found_is_asked_for_again_a_second_after_the_question(
    known: CachedRegistry, registry: CountingRegistry, clock: StillClock
) -> None:
    registry.duration = SECOND / 2
    await known.find_institution(ABSENT)
    registry.duration = timedelta(0)
    await known.find_institution(ABSENT)
    assert registry.asked == [ABSENT]

    clock.advance(SECOND / 2)
    await known.find_institution(ABSENT)

    assert registry.asked == [ABSENT] * 2


async def test_what_strangers_ask_for_does_not_push_out_what_is_known(
    known: CachedRegistry, registry: CountingRegistry
) -> None:
    await known.institution(INSTITUTION)
    await known.caller(key_hash("a key"))
    for serial in range(TtlCache.NOT_FOUND_LIMIT + 10):
        await known.find_institution(InstitutionCode(f"{serial:011}"))
        await known.caller(key_hash(f"a stranger's key {serial}"))
    registry.asked.clear()

    await known.institution(INSTITUTION)
    await known.caller(key_hash("a key"))

    assert registry.asked == []


async def test_of_what_was_not_found_a_bounded_number_is_remembered_and_the_oldest_is_forgotten_first(
    known: CachedRegistry, registry: CountingRegistry
) -> None:
    codes = [InstitutionCode(f"{serial:011}") for serial in range(TtlCache.NOT_FOUND_LIMIT + 1)]
    for code in codes:
        await known.find_institution(code)
    registry.asked.clear()

    for code in (codes[-1], codes[1], codes[0]):
        await known.find_institution(code)

    assert registry.asked == [codes[0]]


async def test_of_what_was_found_a_bounded_number_is_remembered_and_the_oldest_is_forgotten_first(
    clock: StillClock,
) -> None:
    asked: list[str] = []

    async def answer(key: str) -> str:
        asked.append(key)
        return "found"

    cache = TtlCache(answer, re.compile("[0-9]+"), clock)
    keys = [str(serial) for serial in range(TtlCache.FOUND_LIMIT + 1)]
    for key in keys:
        await cache.get(key, MINUTE)
    asked.clear()

    for key in (keys[-1], keys[1], keys[0]):
        await cache.get(key, MINUTE)

    assert asked == [keys[0]]


async def test_an_entry_that_is_registered_or_removed_changes_sides(
    known: CachedRegistry, registry: CountingRegistry, clock: StillClock
) -> None:
    other = an_institution(fiscal_code=ABSENT)
    assert await known.find_institution(ABSENT) is None
    await registry.save_institution(other)
    clock.advance(SECOND)
    assert await known.find_institution(ABSENT) == other
    await registry.save_institution(replace(other, name="another"))
    clock.advance(SECOND)
    assert await known.find_institution(ABSENT) == other

    await registry.remove_institution(replace(other, name="another"))
    clock.advance(MINUTE)

    assert await known.find_institution(ABSENT) is None
    clock.advance(SECOND / 2)
    assert await known.find_institution(ABSENT) is None
    assert registry.asked == [ABSENT] * 3
