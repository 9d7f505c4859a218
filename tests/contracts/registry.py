"""What any Registry promises; a registry's test inherits all of it and says how the registry is made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import pytest

from shared.domain.callers import Caller, Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import Exclusion, RegisteredIban
from shared.domain.registry_changes import LOCAL_START, Action, Entry, FieldChange, Kind, Operator
from shared.ports import ChangedMeanwhile, ChangeSearch, Registry
from tests.support import DAY, HOUR, INSTITUTION, NOW, POSTAL_IBAN, SECOND, StillClock, a_caller, an_institution

OPERATOR = Operator("rossi", "jump-1", "managed identity 0f0f")
OTHER = InstitutionCode("77777777777")
THE_INSTITUTION = Entry(Kind.INSTITUTION, INSTITUTION)
THE_CALLER = Entry(Kind.CALLER, "an-ec")
EVERYTHING = ChangeSearch()


def a_key(text: str) -> Key:
    """Return a key as they are registered: by a hash of 64 digits."""
    return Key(sha256(text.encode()).hexdigest())


Before = Callable[[Registry], Awaitable[None]]
Racing = Callable[[Registry, int, Operator], Coroutine[Any, Any, None]]


async def nothing(_: Registry) -> None:
    """Begin with an empty registry."""


async def both(registry: Registry) -> None:
    """Begin with an institution and a caller."""
    await registry.save_institution(an_institution())
    await registry.save_caller(a_caller())


def rotated(n: int) -> Caller:
    """Return the caller with a key of the n-th operator."""
    return a_caller(keys=(Key("a-hash"), Key(f"key-{n}")))


RACES: dict[str, tuple[Before, tuple[Racing, ...]]] = {
    "add an institution": (nothing, (lambda r, n, by: r.save_institution(an_institution(name=f"name {n}"), None, by),)),
    "add the same institution": (nothing, (lambda r, _, by: r.save_institution(an_institution(), None, by),)),
    "change an institution": (
        both,
        (lambda r, n, by: r.save_institution(an_institution(name=f"name {n}"), an_institution(), by),),
    ),
    "change an institution alike": (
        both,
        (lambda r, _, by: r.save_institution(an_institution(lenient=True), an_institution(), by),),
    ),
    "remove an institution": (both, (lambda r, _, by: r.remove_institution(an_institution(), by),)),
    "change and remove an institution": (
        both,
        (
            lambda r, n, by: r.save_institution(an_institution(name=f"name {n}"), an_institution(), by),
            lambda r, _, by: r.remove_institution(an_institution(), by),
        ),
    ),
    "add a caller": (nothing, (lambda r, n, by: r.save_caller(a_caller(keys=(Key(f"key-{n}"),)), None, by),)),
    "rotate": (both, (lambda r, n, by: r.save_caller(rotated(n), a_caller(), by),)),
    "revoke": (both, (lambda r, _, by: r.save_caller(a_caller(keys=()), a_caller(), by),)),
    "remove a caller": (both, (lambda r, _, by: r.remove_caller(a_caller(), by),)),
    "rotate and remove": (
        both,
        (
            lambda r, n, by: r.save_caller(rotated(n), a_caller(), by),
            lambda r, _, by: r.remove_caller(a_caller(), by),
        ),
    ),
}
"""What operators do at once: how it begins, and a change of each of them in turn."""


class RegistryContract:
    """Every promise of the port, tested; `registry` is empty at the beginning."""

    @pytest.fixture
    async def registry(self) -> AsyncIterator[Registry]:
        """Yield a registry."""
        raise NotImplementedError("the test of an adapter says how it is made")
        yield  # noqa: PT022  a fixture of this shape is what adapters put in its place

    @pytest.fixture
    async def rivals(self, registry: Registry) -> AsyncIterator[list[Registry]]:
        """Yield four registries on the store of `registry`, as four operators have them."""
        raise NotImplementedError("the test of an adapter says how they are made")
        yield  # noqa: PT022

    async def at_once(self, *changes: Coroutine[Any, Any, None]) -> list[BaseException | None]:
        """Make changes at once and return how each ended."""
        return await asyncio.gather(*changes, return_exceptions=True)

    async def test_what_nobody_registered_is_not_there(self, registry: Registry) -> None:
        assert await registry.institution(INSTITUTION) is None
        assert await registry.caller("a-hash") is None
        assert await registry.caller_named("an-ec") is None
        assert await registry.institutions() == []
        assert await registry.callers() == []

    async def test_an_institution_is_read_as_it_was_registered(self, registry: Registry) -> None:
        institution = an_institution(
            name="Città di Forlì",
            ibans=(RegisteredIban(POSTAL_IBAN, frozenset({"ACA", "CUP"}), NOW, postal=True),),
            lenient=True,
            exclusions=(Exclusion("47", date(2026, 1, 1), None), Exclusion("48", date(2026, 1, 1), date(2026, 6, 30))),
        )

        await registry.save_institution(institution)

        assert await registry.institution(INSTITUTION) == institution

    async def test_an_institution_registered_again_is_replaced(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_institution(an_institution(name="another", ibans=()))

        assert await registry.institution(INSTITUTION) == an_institution(name="another", ibans=())
        assert await registry.institution(InstitutionCode("77777777777")) is None

    async def test_a_caller_is_found_by_each_of_its_keys(self, registry: Registry) -> None:
        caller = a_caller(keys=(Key("one", NOW + DAY), Key("two")), valid_from=NOW - DAY, valid_until=NOW + DAY)

        await registry.save_caller(caller)

        assert await registry.caller("one") == caller
        assert await registry.caller("two") == caller

    async def test_a_key_that_is_taken_away_names_nobody_any_more(self, registry: Registry) -> None:
        await registry.save_caller(a_caller(keys=(Key("one"), Key("two"))))

        await registry.save_caller(a_caller(keys=(Key("two"), Key("three"))))

        assert await registry.caller("one") is None
        assert (
            await registry.caller("two") == await registry.caller("three") == a_caller(keys=(Key("two"), Key("three")))
        )

    async def test_callers_are_kept_apart(self, registry: Registry) -> None:
        one, other = a_caller(keys=(Key("one"),)), a_caller(name="another", keys=(Key("other"),))
        await registry.save_caller(one)
        await registry.save_caller(other)

        assert await registry.caller("one") == one
        assert await registry.caller("other") == other

    async def test_a_caller_is_found_by_its_name(self, registry: Registry) -> None:
        await registry.save_caller(a_caller())
        await registry.save_caller(a_caller(name="another", keys=()))

        assert await registry.caller_named("an-ec") == a_caller()
        assert await registry.caller_named("another") == a_caller(name="another", keys=())
        assert await registry.caller_named("a-hash") is None

    async def test_institutions_are_listed_by_fiscal_code(self, registry: Registry) -> None:
        institutions = [an_institution(fiscal_code=InstitutionCode(f"{code:011}")) for code in (30, 4, 200)]
        for institution in institutions:
            await registry.save_institution(institution)
        await registry.save_caller(a_caller())

        listed = await registry.institutions()

        assert listed == sorted(institutions, key=lambda institution: institution.fiscal_code)

    async def test_callers_are_listed_by_name(self, registry: Registry) -> None:
        for name in ("broker-b", "a-broker", "broker"):
            await registry.save_caller(a_caller(name=name, keys=(Key(f"key-of-{name}"),)))
        await registry.save_institution(an_institution())

        assert [caller.name for caller in await registry.callers()] == ["a-broker", "broker", "broker-b"]

    async def test_an_institution_that_was_removed_is_not_there(self, registry: Registry) -> None:
        other = an_institution(fiscal_code=InstitutionCode("77777777777"))
        await registry.save_institution(an_institution())
        await registry.save_institution(other)

        await registry.remove_institution(an_institution())

        assert await registry.institution(INSTITUTION) is None
        assert await registry.institutions() == [other]

    async def test_the_keys_of_a_caller_that_was_removed_name_nobody(self, registry: Registry) -> None:
        caller, other = a_caller(keys=(Key("one"), Key("two", NOW))), a_caller(name="another", keys=(Key("other"),))
        await registry.save_caller(caller)
        await registry.save_caller(other)

        await registry.remove_caller(caller)

        assert await registry.caller_named("an-ec") is None
        assert await registry.caller("one") is await registry.caller("two") is None
        assert await registry.callers() == [await registry.caller("other")] == [other]

    async def test_what_was_removed_can_be_registered_again(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_caller(a_caller())
        await registry.remove_institution(an_institution())
        await registry.remove_caller(a_caller())

        await registry.save_institution(an_institution(name="another"), None)
        await registry.save_caller(a_caller(keys=(Key("new"),)), None)

        assert await registry.institution(INSTITUTION) == an_institution(name="another")
        assert await registry.caller("new") == a_caller(keys=(Key("new"),))

    async def test_a_change_is_saved_when_what_it_began_with_is_still_registered(self, registry: Registry) -> None:
        await registry.save_institution(an_institution(), None)
        await registry.save_caller(a_caller(), None)

        await registry.save_institution(an_institution(lenient=True), an_institution())
        await registry.save_caller(a_caller(keys=(Key("new"),)), a_caller())

        assert await registry.institution(INSTITUTION) == an_institution(lenient=True)
        assert await registry.caller("new") == a_caller(keys=(Key("new"),))
        assert await registry.caller("a-hash") is None

    async def test_of_two_changes_that_began_with_the_same_institution_the_second_is_refused(
        self, registry: Registry
    ) -> None:
        await registry.save_institution(an_institution())
        await registry.save_institution(an_institution(lenient=True), an_institution())

        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(name="another"), an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_institution(an_institution())

        assert await registry.institution(INSTITUTION) == an_institution(lenient=True)

    async def test_of_two_changes_that_began_with_the_same_caller_the_second_is_refused(
        self, registry: Registry
    ) -> None:
        first = a_caller(keys=(Key("a-hash"), Key("first")))
        await registry.save_caller(a_caller())
        await registry.save_caller(first, a_caller())

        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=(Key("a-hash"), Key("second"))), a_caller())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_caller(a_caller())

        assert await registry.caller("a-hash") == await registry.caller("first") == first
        assert await registry.caller("second") is None

    async def test_what_two_register_at_once_is_registered_once(self, registry: Registry) -> None:
        await registry.save_institution(an_institution(), None)
        await registry.save_caller(a_caller(), None)

        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(name="another"), None)
        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=(Key("another"),)), None)

        assert await registry.institution(INSTITUTION) == an_institution()
        assert await registry.caller_named("an-ec") == a_caller()
        assert await registry.caller("another") is None

    async def test_what_was_removed_meanwhile_is_not_changed(self, registry: Registry) -> None:
        with pytest.raises(ChangedMeanwhile):
            await registry.save_institution(an_institution(lenient=True), an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(keys=()), a_caller())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_institution(an_institution())
        with pytest.raises(ChangedMeanwhile):
            await registry.remove_caller(a_caller())

        assert await registry.institutions() == []
        assert await registry.callers() == []

    async def test_a_key_of_another_caller_is_refused(self, registry: Registry) -> None:
        one = a_caller()
        await registry.save_caller(one)

        with pytest.raises(ChangedMeanwhile):
            await registry.save_caller(a_caller(name="another", keys=(Key("new"), Key("a-hash"))))

        assert await registry.caller("a-hash") == one
        assert await registry.caller_named("another") is await registry.caller("new") is None
        assert [change.entry for change in await registry.changes(EVERYTHING)] == [THE_CALLER]

    async def test_a_key_that_was_taken_away_may_be_given_to_another_caller(self, registry: Registry) -> None:
        one, other = a_caller(), a_caller(name="another")
        await registry.save_caller(one)
        await registry.save_caller(a_caller(keys=()), one)

        await registry.save_caller(other, None)

        assert await registry.caller("a-hash") == other

    async def test_a_change_is_recorded_with_who_when_and_what(self, registry: Registry, clock: StillClock) -> None:
        before, after = an_institution(), an_institution(name="another", ibans=())

        await registry.save_institution(before, None, OPERATOR)
        clock.advance(HOUR)
        await registry.save_institution(after, before, OPERATOR)
        clock.advance(HOUR)
        await registry.remove_institution(after, OPERATOR)

        removed, changed, added = await registry.changes(EVERYTHING)
        assert {(each.by, each.entry) for each in (removed, changed, added)} == {(OPERATOR, THE_INSTITUTION)}
        assert [(each.action, each.at) for each in (removed, changed, added)] == [
            (Action.REMOVED, NOW + 2 * HOUR),
            (Action.CHANGED, NOW + HOUR),
            (Action.ADDED, NOW),
        ]
        assert set(added.fields) == {"fiscalCode", "name", "ibans", "lenient", "standIn", "exclusions"}
        assert added.fields["name"] == FieldChange(None, before.name)
        assert set(changed.fields) == {"name", "ibans"}
        assert changed.fields["name"] == FieldChange(before.name, "another")
        assert removed.fields["name"] == FieldChange("another", None)

    async def test_a_record_of_a_caller_holds_the_ids_of_its_keys_and_nothing_else_of_them(
        self, registry: Registry, clock: StillClock
    ) -> None:
        old, new = a_key("old"), a_key("new")
        before, after = a_caller(keys=(old,)), a_caller(keys=(replace(old, expires_at=NOW), new))

        await registry.save_caller(before, None, OPERATOR)
        clock.advance(HOUR)
        await registry.save_caller(after, before, OPERATOR)
        clock.advance(HOUR)
        await registry.remove_caller(after, OPERATOR)

        changes = await registry.changes(EVERYTHING)
        assert [(each.action, each.entry) for each in changes] == [
            (Action.REMOVED, THE_CALLER),
            (Action.CHANGED, THE_CALLER),
            (Action.ADDED, THE_CALLER),
        ]
        old_shown = {"id": old.hash[:12], "expiresAt": None}
        ended = {"id": old.hash[:12], "expiresAt": "2026-11-23T10:00:00.000Z"}
        assert changes[1].fields == {
            "keys": FieldChange([old_shown], [ended, {"id": new.hash[:12], "expiresAt": None}])
        }
        assert [each for each in changes if old.hash[:13] in repr(each) or new.hash[:13] in repr(each)] == []

    async def test_of_grants_those_that_changed_are_recorded(self, registry: Registry, clock: StillClock) -> None:
        before = a_caller(grants={INSTITUTION: frozenset({"47"}), OTHER: frozenset({"*"})})
        await registry.save_caller(before)
        clock.advance(HOUR)

        await registry.save_caller(replace(before, grants={INSTITUTION: frozenset({"47", "48"}), "*": frozenset("1")}))

        (change, _) = await registry.changes(EVERYTHING)
        assert change.fields == {
            "grants": FieldChange({INSTITUTION: ["47"], OTHER: ["*"]}, {INSTITUTION: ["47", "48"], "*": ["1"]})
        }

    async def test_a_change_that_names_no_operator_is_of_a_local_start(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_caller(a_caller())
        await registry.remove_institution(an_institution())
        await registry.remove_caller(a_caller())

        assert [change.by for change in await registry.changes(EVERYTHING)] == [LOCAL_START] * 4

    async def test_a_change_that_is_refused_or_changes_nothing_has_no_record(self, registry: Registry) -> None:
        await registry.save_institution(an_institution())
        await registry.save_caller(a_caller())
        recorded = await registry.changes(EVERYTHING)

        for refused in (
            registry.save_institution(an_institution(lenient=True), None, OPERATOR),
            registry.save_institution(an_institution(lenient=True), an_institution(name="another"), OPERATOR),
            registry.remove_institution(an_institution(name="another"), OPERATOR),
            registry.save_caller(a_caller(keys=()), None, OPERATOR),
            registry.save_caller(a_caller(keys=()), a_caller(grants={}), OPERATOR),
            registry.remove_caller(a_caller(grants={}), OPERATOR),
        ):
            with pytest.raises(ChangedMeanwhile):
                await refused
        await registry.save_institution(an_institution(), an_institution(), OPERATOR)
        await registry.save_caller(a_caller(), by=OPERATOR)

        assert await registry.changes(EVERYTHING) == recorded
        assert len(recorded) == 2

    async def test_changes_are_found_by_entry_and_time_the_newest_first(
        self, registry: Registry, clock: StillClock
    ) -> None:
        for serial in range(3):
            await registry.save_institution(an_institution(name=f"name {serial}"))
            await registry.save_institution(an_institution(fiscal_code=OTHER, name=f"name {serial}"))
            await registry.save_caller(a_caller(name=str(INSTITUTION), keys=(Key(f"key-{serial}"),)))
            clock.advance(HOUR)
        every = await registry.changes(EVERYTHING)

        found = {
            "entry": await registry.changes(ChangeSearch(THE_INSTITUTION)),
            "since": await registry.changes(ChangeSearch(THE_INSTITUTION, since=NOW + HOUR)),
            "until": await registry.changes(ChangeSearch(THE_INSTITUTION, until=NOW + HOUR)),
            "between": await registry.changes(ChangeSearch(THE_INSTITUTION, NOW + SECOND, NOW + 2 * HOUR)),
            "until and older": await registry.changes(
                ChangeSearch(THE_INSTITUTION, until=NOW + 2 * HOUR, older_than=every[0].id)
            ),
            "older and until": await registry.changes(
                ChangeSearch(THE_INSTITUTION, until=NOW + 3 * HOUR, older_than=every[5].id)
            ),
            "limit": await registry.changes(ChangeSearch(THE_INSTITUTION, limit=2)),
            "nothing": await registry.changes(ChangeSearch(Entry(Kind.CALLER, "nobody"))),
        }

        hours = {name: [(change.at - NOW) / HOUR for change in changes] for name, changes in found.items()}
        assert hours == {
            "entry": [2, 1, 0],
            "since": [2, 1],
            "until": [0],
            "between": [1],
            "until and older": [1, 0],
            "older and until": [0],
            "limit": [2, 1],
            "nothing": [],
        }
        assert {change.entry for change in found["entry"]} == {THE_INSTITUTION}
        assert [change.id for change in every] == sorted((change.id for change in every), reverse=True)
        assert len(every) == 9

    async def test_changes_are_read_page_by_page(self, registry: Registry, clock: StillClock) -> None:
        for serial in range(7):
            await registry.save_institution(an_institution(name=f"name {serial}"))
            clock.advance(SECOND)
        every = await registry.changes(EVERYTHING)

        pages, last = [], None
        while page := await registry.changes(ChangeSearch(older_than=last, limit=3)):
            pages.append(page)
            last = page[-1].id

        assert [len(page) for page in pages] == [3, 3, 1]
        assert [change for page in pages for change in page] == every

    @pytest.mark.parametrize("race", RACES)
    async def test_of_changes_at_once_exactly_one_is_made_and_recorded(
        self, race: str, registry: Registry, rivals: list[Registry]
    ) -> None:
        before, changes = RACES[race]
        await before(registry)

        ends = await self.at_once(
            *(changes[n % len(changes)](rival, n, Operator(f"operator {n}")) for n, rival in enumerate(rivals))
        )

        refused = [end for end in ends if isinstance(end, ChangedMeanwhile)]
        assert (ends.count(None), len(refused)) == (1, len(rivals) - 1), ends
        made = [change.by for change in await registry.changes(EVERYTHING) if change.by != LOCAL_START]
        assert made == [Operator(f"operator {ends.index(None)}")]

    async def test_nothing_stays_of_a_change_that_came_second_its_keys_included(
        self, registry: Registry, rivals: list[Registry]
    ) -> None:
        await registry.save_caller(a_caller())

        ends = await self.at_once(*(rival.save_caller(rotated(n), a_caller()) for n, rival in enumerate(rivals)))

        winner = ends.index(None)
        assert await registry.caller_named("an-ec") == rotated(winner)
        for n in range(len(rivals)):
            # To whom a key does not belong it may be given.
            another = a_caller(name="another", keys=(Key(f"key-{n}"),))
            if n == winner:
                with pytest.raises(ChangedMeanwhile):
                    await registry.save_caller(another)
            else:
                await registry.save_caller(another)
