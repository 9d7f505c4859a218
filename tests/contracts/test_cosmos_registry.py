"""The registry in Cosmos DB keeps the contract, with one and with four partitions, and when a change is cut short."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_registry import CosmosRegistry
from shared.adapters.cosmos_registry_changes import Changes
from shared.adapters.cosmos_registry_documents import Documents
from shared.domain.callers import Caller, Key
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.domain.registry_changes import Kind, Operator
from shared.errors import StoreUnavailable
from shared.ports import ChangedMeanwhile, Registry
from shared.registry_documents import entry_of
from tests.contracts.registry import RegistryContract
from tests.contracts.registry_changes import EVERYTHING, OPERATOR, RegistryChangesContract
from tests.stores import account_of, an_account
from tests.support import INSTITUTION, SECOND, StillClock, a_caller, an_institution

REGISTRIES = "registries"


@pytest.fixture(params=[1, 4], ids=["one partition", "four partitions"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's."""
    async with an_account(ranges=request.param) as double:
        yield double


class TestCosmosRegistry(RegistryContract, RegistryChangesContract):
    """Registry on Cosmos DB."""

    @pytest.fixture
    async def registry(self, double: CosmosDouble, clock: StillClock) -> AsyncIterator[Registry]:
        cosmos = Cosmos(account_of(double), budget=60)
        yield CosmosRegistry(cosmos, clock)
        await cosmos.close()

    @pytest.fixture
    async def rivals(self, double: CosmosDouble, clock: StillClock) -> AsyncIterator[list[Registry]]:
        accounts = [Cosmos(account_of(double), budget=60) for _ in range(4)]
        yield [CosmosRegistry(cosmos, clock) for cosmos in accounts]
        for cosmos in accounts:
            await cosmos.close()

    async def test_a_change_is_made_although_its_old_keys_cannot_be_cleared_away(
        self, registry: Registry, double: CosmosDouble
    ) -> None:
        caller = a_caller()
        await registry.save_caller(caller)
        double.inject(Fault("Delete", status=403, times=None))

        await registry.save_caller(replace(caller, keys=()), before=caller)

        assert await registry.caller("a-hash") is None
        assert await registry.caller_named(caller.name) == replace(caller, keys=())

    async def test_what_cannot_be_cleared_away_after_a_removal_is_not_registered(
        self, registry: Registry, double: CosmosDouble
    ) -> None:
        await registry.save_institution(an_institution())
        await registry.save_caller(a_caller())
        double.inject(Fault("Delete", status=403, times=None))

        await registry.remove_institution(an_institution())
        await registry.remove_caller(a_caller())

        assert (await registry.institution(INSTITUTION), await registry.caller_named("an-ec")) == (None, None)
        assert (await registry.institutions(), await registry.callers()) == ([], [])
        await registry.save_institution(an_institution(), None)
        await registry.save_caller(a_caller(), None)
        assert await registry.caller("a-hash") == a_caller()

    async def test_long_lists_are_read_page_by_page(
        self, registry: Registry, double: CosmosDouble, clock: StillClock
    ) -> None:
        codes = [InstitutionCode(f"{serial:011}") for serial in range(7)]
        for code in codes:
            await registry.save_institution(an_institution(fiscal_code=code))
            clock.advance(SECOND)
        await registry.remove_institution(an_institution(fiscal_code=codes[0]))
        cosmos = Cosmos(account_of(double), budget=5)
        documents = Documents(cosmos, page=3)

        entries = await documents.read_entries(Kind.INSTITUTION)
        changes = await Changes(documents, clock).search(replace(EVERYTHING, limit=7))

        assert [document["fiscalCode"] for document in entries] == codes[1:]
        assert [change.entry.name for change in changes] == [codes[0], *reversed(codes[1:])]
        await cosmos.close()

    async def test_a_registry_leaves_nothing_behind_but_its_records(
        self, registry: Registry, rivals: list[Registry], double: CosmosDouble
    ) -> None:
        caller = a_caller()
        await registry.save_caller(caller)
        await self.at_once(
            *(rival.save_caller(replace(caller, keys=(Key(f"key-{n}"),)), caller) for n, rival in enumerate(rivals))
        )
        (registered,) = await registry.callers()

        await registry.remove_caller(registered)

        async with _container(double) as container:
            left = [document["id"] async for document in container.read_all_items()]
        assert [document_id for document_id in left if not document_id.startswith("change:")] == []
        assert len(left) == 3


Racing = Callable[[Registry, Operator], Awaitable[None]]
State = CreditorInstitution | Caller | None


@dataclass(frozen=True, slots=True)
class Case:
    """A change, and what is registered before and after it."""

    change: Racing
    before: State
    after: State

    async def begin(self, registry: Registry) -> None:
        """Register what is there before, whatever the test before this one left."""
        match await self.state(registry):
            case Caller() as caller:
                await registry.remove_caller(caller)
            case CreditorInstitution() as institution:
                await registry.remove_institution(institution)
        match self.before:
            case Caller() as caller:
                await registry.save_caller(caller, None)
            case CreditorInstitution() as institution:
                await registry.save_institution(institution, None)

    async def state(self, registry: Registry) -> State:
        """Return what is registered."""
        if isinstance(self.before or self.after, Caller):
            return await registry.caller_named("an-ec")
        return await registry.institution(INSTITUTION)


OLD, NEW, RIVALS = (a_caller(keys=(Key(text),)) for text in ("old", "new", "the rival's"))
STRICT, LENIENT = an_institution(), an_institution(lenient=True)
CASES = {
    "change an institution": Case(lambda r, by: r.save_institution(LENIENT, STRICT, by), STRICT, LENIENT),
    "add a caller": Case(lambda r, by: r.save_caller(OLD, None, by), None, OLD),
    "replace a key": Case(lambda r, by: r.save_caller(NEW, OLD, by), OLD, NEW),
    "replace any caller": Case(lambda r, by: r.save_caller(NEW, by=by), OLD, NEW),
    "remove a caller": Case(lambda r, by: r.remove_caller(OLD, by), OLD, None),
}


class CosmosWithARival(Cosmos):
    """The account of an operator, in which another one works before a request."""

    rival: Callable[[], Awaitable[None]] | None = None
    requests = 0
    """How many requests were made; the rival works before the one that `place` counts."""
    place: int | None = None

    async def call(self, *request: Any) -> Any:
        """Make a request, after the rival if it is its turn."""
        if self.rival and self.requests == self.place:
            await self.rival()
        self.requests += 1
        return await super().call(*request)


@dataclass(frozen=True, slots=True)
class Desk:
    """Two operators on one account."""

    double: CosmosDouble
    cosmos: CosmosWithARival
    registry: Registry
    other: Registry

    async def made_by(self, operator: Operator) -> int:
        """Return how many changes of an operator are recorded."""
        return len([change for change in await self.other.changes(EVERYTHING) if change.by == operator])


@pytest.fixture
async def desk(clock: StillClock) -> AsyncIterator[Desk]:
    """Yield an account that two operators have open."""
    async with an_account() as double:
        mine, others = CosmosWithARival(account_of(double), budget=5), Cosmos(account_of(double), budget=5)
        desk = Desk(double, mine, CosmosRegistry(mine, clock), CosmosRegistry(others, clock))
        await desk.other.institutions()
        yield desk
        await mine.close()
        await others.close()


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("name", CASES)
async def test_a_change_cut_short_at_any_request_is_recorded_if_and_only_if_it_was_made(
    name: str, is_carried_out: bool, desk: Desk
) -> None:
    """As by a process that is killed, or loses the account for good."""
    case = CASES[name]
    states = []
    for place in count():
        await case.begin(desk.registry)
        operator = Operator(f"cut short at {place}")
        cut = Fault(container=REGISTRIES, status=403, skip=place, after_commit=is_carried_out)
        desk.double.inject(cut, Fault(container=REGISTRIES, status=403, skip=place, times=None))

        with suppress(StoreUnavailable):
            await case.change(desk.registry, operator)

        desk.double.faults.clear()
        if cut.times:
            break  # every request was cut
        states.append(await case.state(desk.other))
        assert await desk.made_by(operator) == (states[-1] == case.after), place
        # Nor does a later change lose it.
        await case.begin(desk.other)
        assert await desk.made_by(operator) == (states[-1] == case.after), place
    assert [state for state in states if state not in (case.before, case.after)] == []
    assert case.before in states
    assert case.after in states


@pytest.mark.parametrize("name", CASES)
async def test_an_answer_that_is_lost_neither_repeats_a_change_nor_refuses_it(name: str, desk: Desk) -> None:
    case = CASES[name]
    for place in count():
        await case.begin(desk.registry)
        operator, lost = Operator(f"lost at {place}"), Fault(container=REGISTRIES, drop="after", skip=place)
        desk.double.inject(lost)

        await case.change(desk.registry, operator)

        desk.double.faults.clear()
        assert await case.state(desk.registry) == case.after
        assert await desk.made_by(operator) == 1
        if lost.times:
            break  # every answer was lost
    assert place >= 4


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("name", CASES)
async def test_each_change_is_answered_as_it_ended_wherever_another_comes_between(
    name: str, is_lost: bool, desk: Desk
) -> None:
    """The rival replaces whatever it finds, and with new keys where there are keys."""
    case = CASES[name]
    theirs = RIVALS if isinstance(case.before or case.after, Caller) else an_institution(name="the rival's")
    for place in count():
        await case.begin(desk.registry)
        me, rival = Operator(f"me at {place}"), Operator(f"the rival at {place}")
        found: list[State] = []

        async def replace_it(rival: Operator = rival, found: list[State] = found) -> None:
            desk.cosmos.rival = None
            found.append(await case.state(desk.other))
            await _save(desk.other, theirs, rival)

        desk.cosmos.rival, desk.cosmos.place, desk.cosmos.requests = replace_it, place, 0
        if is_lost:
            at = (entry_of(theirs).id,)
            desk.double.inject(*(Fault(verb, REGISTRIES, at, drop="after") for verb in ("Create", "Replace")))
        try:
            await case.change(desk.registry, me)
            is_made = True
        except ChangedMeanwhile:
            is_made = False
        desk.double.faults.clear()
        if desk.cosmos.requests <= place:
            break  # every place was tried

        assert is_made or name != "replace any caller"
        assert is_made or found == [case.before], "what the rival found was made, so it must not be refused"
        state = await case.state(desk.registry)
        assert (await desk.made_by(me), await desk.made_by(rival)) == (is_made, 1), place
        assert state in (theirs, case.after if is_made else theirs), place
        for caller in (OLD, NEW, RIVALS):
            (key,) = caller.keys
            assert (await desk.registry.caller(key.hash) is not None) == (state == caller), (place, key)
    desk.cosmos.rival = None
    assert place >= 4


async def test_a_key_registered_anew_while_it_is_cleared_away_opens(desk: Desk) -> None:
    for place in count():
        await CASES["replace a key"].begin(desk.registry)

        async def register_the_old_key_again() -> None:
            if await desk.other.caller_named("an-ec") == NEW:
                desk.cosmos.rival = None
                await desk.other.save_caller(OLD, NEW)

        desk.cosmos.rival, desk.cosmos.place, desk.cosmos.requests = register_the_old_key_again, place, 0
        await desk.registry.save_caller(NEW, OLD)
        if desk.cosmos.requests <= place:
            break  # every place was tried

        if desk.cosmos.rival is None:
            assert await desk.registry.caller("old") == OLD, place
            assert await desk.registry.caller("new") is None
    desk.cosmos.rival = None


async def test_a_registration_that_names_no_change_is_changed_like_any_other(desk: Desk) -> None:
    """As an archive before this one wrote it."""
    await desk.registry.save_institution(STRICT)
    async with _container(desk.double) as container:
        document = await container.read_item(f"institution:{INSTITUTION}", f"institution:{INSTITUTION}")
        del document["change"]
        await container.upsert_item(document)

    await desk.registry.save_institution(LENIENT, STRICT, OPERATOR)
    await desk.registry.remove_institution(LENIENT, OPERATOR)

    assert await desk.registry.institution(INSTITUTION) is None
    assert await desk.made_by(OPERATOR) == 2


async def _save(registry: Registry, wanted: CreditorInstitution | Caller, by: Operator) -> None:
    if isinstance(wanted, Caller):
        await registry.save_caller(wanted, by=by)
    else:
        await registry.save_institution(wanted, by=by)


@asynccontextmanager
async def _container(double: CosmosDouble) -> AsyncIterator[ContainerProxy]:
    async with CosmosClient(double.endpoint, double.key) as client:
        yield client.get_database_client("archive").get_container_client(REGISTRIES)
