"""What any Registry promises of changes: each is recorded, and of several at once one is made.

A registry's test inherits all of it beside RegistryContract.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from shared.domain.callers import Caller, Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.registry_changes import LOCAL_START, Action, Entry, FieldChange, Kind, Operator
from shared.ports import ChangedMeanwhile, ChangeSearch, Registry
from tests.support import HOUR, INSTITUTION, NOW, SECOND, StillClock, a_caller, an_institution

OPERATOR = Operator("rossi", "jump-1", "managed identity 0f0f")
OTHER = InstitutionCode("77777777777")
THE_INSTITUTION = Entry(Kind.INSTITUTION, INSTITUTION)
THE_CALLER = Entry(Kind.CALLER, "an-ec")
A_MESSAGE = Entry(Kind.MESSAGE, "event-1")
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


class RegistryChangesContract:
    """Every promise of the port about changes, tested; `registry` is empty at the beginning."""

    @pytest.fixture
    async def rivals(self, registry: Registry) -> AsyncIterator[list[Registry]]:
        """Yield four registries on the store of `registry`, as four operators have them."""
        raise NotImplementedError("the test of an adapter says how they are made")
        yield  # noqa: PT022

    async def at_once(self, *changes: Coroutine[Any, Any, None]) -> list[BaseException | None]:
        """Make changes at once and return how each ended."""
        return await asyncio.gather(*changes, return_exceptions=True)

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
            registry.save_caller(a_caller(name="holds-the-same-key"), None, OPERATOR),
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

    async def test_what_is_done_with_a_message_is_recorded_with_who_when_and_what(
        self, registry: Registry, clock: StillClock
    ) -> None:
        await registry.record(Action.REPLAYED, A_MESSAGE, OPERATOR, {"id": "rejected:17", "sentAs": "event-1:r1"})
        clock.advance(HOUR)
        await registry.record(Action.DISCARDED, A_MESSAGE, OPERATOR, {})

        discarded, replayed = await registry.changes(EVERYTHING)
        assert (replayed.action, replayed.at) == (Action.REPLAYED, NOW)
        assert (replayed.by, replayed.entry) == (OPERATOR, A_MESSAGE)
        assert replayed.fields == {
            "id": FieldChange(None, "rejected:17"),
            "sentAs": FieldChange(None, "event-1:r1"),
        }
        assert (discarded.action, discarded.at, discarded.fields) == (Action.DISCARDED, NOW + HOUR, {})

    @pytest.mark.parametrize("action", [Action.SENT, Action.RESENT, Action.REPLAYED, Action.DISCARDED])
    async def test_the_same_done_again_has_a_record_of_its_own(self, action: Action, registry: Registry) -> None:
        for _ in range(2):
            await registry.record(action, A_MESSAGE, OPERATOR, {"reason": "malformed"})

        first, second = await registry.changes(ChangeSearch(A_MESSAGE))
        assert first.id != second.id
        assert first.action == second.action == action

    async def test_a_record_of_a_message_registers_nothing(self, registry: Registry) -> None:
        await registry.record(Action.SENT, Entry(Kind.MESSAGE, str(INSTITUTION)), OPERATOR, {"queue": "inbound-events"})

        assert (await registry.institutions(), await registry.callers()) == ([], [])
        assert await registry.changes(ChangeSearch(THE_INSTITUTION)) == []

    @pytest.mark.parametrize("name", ["a:b/c?d#e", "x" * 140, "città \x1b[2J \n", "1.2.3:s1:r2"])
    async def test_a_message_may_have_any_id(self, name: str, registry: Registry) -> None:
        entry = Entry(Kind.MESSAGE, name)
        await registry.record(Action.SENT, entry, OPERATOR, {})
        await registry.record(Action.SENT, A_MESSAGE, OPERATOR, {})

        (found,) = await registry.changes(ChangeSearch(entry))
        assert found.entry == entry

    async def test_records_of_messages_are_listed_among_the_changes(
        self, registry: Registry, clock: StillClock
    ) -> None:
        await registry.save_institution(an_institution())
        clock.advance(SECOND)
        await registry.record(Action.SENT, A_MESSAGE, OPERATOR, {})
        clock.advance(SECOND)
        await registry.save_caller(a_caller())

        kinds = [change.entry.kind for change in await registry.changes(EVERYTHING)]
        assert kinds == [Kind.CALLER, Kind.MESSAGE, Kind.INSTITUTION]
        (since,) = await registry.changes(ChangeSearch(since=NOW + SECOND, until=NOW + 2 * SECOND))
        assert since.entry == A_MESSAGE

    async def test_what_operators_do_at_once_is_all_recorded(self, registry: Registry, rivals: list[Registry]) -> None:
        ends = await self.at_once(
            *(rival.record(Action.REPLAYED, A_MESSAGE, Operator(f"operator {n}"), {}) for n, rival in enumerate(rivals))
        )

        assert ends == [None] * len(rivals)
        found = await registry.changes(ChangeSearch(A_MESSAGE))
        assert {change.by.user for change in found} == {f"operator {n}" for n in range(len(rivals))}

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
