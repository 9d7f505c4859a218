"""What passes is waited for within the budget, what does not is answered at once, and a call may be cancelled."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.domain import declarations
from shared.errors import StoreUnavailable
from shared.ports import Search, VersionConflict
from shared.stored_notice import StoredNotice
from shared.telemetry import StoreCall
from tests.contracts.notice_store import published
from tests.stores import account_of, an_account
from tests.support import ADDRESS, INSTITUTION, NOW, an_act

LONG = 60
"""Seconds of a budget that no test lasts."""


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's, of two physical partitions."""
    async with an_account(ranges=2) as double:
        double.log.clear()
        yield double


@pytest.fixture
def calls() -> list[StoreCall]:
    """Return the calls that were made."""
    return []


@pytest.fixture
async def cosmos(double: CosmosDouble, calls: list[StoreCall]) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it, with a long budget."""
    cosmos = Cosmos(account_of(double), LONG, observe=calls.append)
    yield cosmos
    await cosmos.close()


@pytest.fixture
def store(cosmos: Cosmos) -> CosmosNoticeStore:
    """Return the store under test."""
    return CosmosNoticeStore(cosmos)


@pytest.fixture
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the errors that no task took; the event loop complains about each."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    gc.collect()
    assert [context for context in found if "exception" in context] == []


@pytest.mark.parametrize("status", [408, 410, 429, 449, 500, 502, 503, 504])
async def test_a_write_that_may_succeed_later_is_repeated(
    store: CosmosNoticeStore, double: CosmosDouble, calls: list[StoreCall], status: int
) -> None:
    double.inject(Fault("Batch", status=status, times=3))

    await store.save(published())

    assert calls[-1].outcome == "done"
    assert calls[-1].attempts > 1
    assert double.log.statuses("Batch") == [status] * 3 + [200]


async def test_a_read_of_a_replica_that_lags_is_repeated(store: CosmosNoticeStore, double: CosmosDouble) -> None:
    change = published()
    await store.save(change)
    double.inject(Fault("Read", status=404, substatus=1002, times=5))

    assert await store.load(ADDRESS) == change.notice


@pytest.mark.parametrize("result", [None, 0, 1], ids=["header", "first result", "second result"])
async def test_a_wait_that_the_service_asks_for_is_kept(
    store: CosmosNoticeStore, double: CosmosDouble, result: int | None
) -> None:
    await store.ping(NOW)
    double.inject(Fault("Batch", status=429, retry_after=0.25, result=result))
    loop = asyncio.get_running_loop()
    began = loop.time()

    await store.save(published())

    assert loop.time() - began >= 0.25
    assert len(double.log.statuses("Batch")) == 2


@pytest.mark.parametrize(("asked_for", "told"), [(LONG + 1, 60), (LONG + 3600, 60)])
@pytest.mark.parametrize("result", [None, 1], ids=["header", "result"])
async def test_a_wait_beyond_the_budget_is_answered_at_once_with_that_wait(
    store: CosmosNoticeStore, double: CosmosDouble, result: int | None, asked_for: float, told: int
) -> None:
    await store.ping(NOW)
    double.inject(Fault("Batch", status=429, retry_after=asked_for, result=result, times=None))

    async with asyncio.timeout(LONG / 2):
        with pytest.raises(StoreUnavailable) as refused:
            await store.save(published())

    assert refused.value.retry_after == told
    assert len(double.log.statuses("Batch")) == 1


async def test_a_wait_beyond_a_small_budget_is_told_in_whole_seconds(double: CosmosDouble) -> None:
    cosmos = Cosmos(account_of(double), budget=5)
    await CosmosNoticeStore(cosmos).ping(NOW)
    double.inject(Fault("Read", status=429, retry_after=6.2, times=None))

    with pytest.raises(StoreUnavailable) as refused:
        await CosmosNoticeStore(cosmos).load(ADDRESS)

    assert refused.value.retry_after == 7
    await cosmos.close()


# The connection of the query that hangs may be collected before the loop has closed it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_list_that_one_partition_refuses_does_not_go_on_in_the_others(
    store: CosmosNoticeStore, double: CosmosDouble, calls: list[StoreCall], complaints: list[dict[str, Any]]
) -> None:
    double.split("archive", "notices", at=[INSTITUTION, ADDRESS.number])
    await store.search(Search(INSTITUTION, NOW))
    calls.clear()
    double.inject(Fault("Query", hang="before"), Fault("Query", status=403, times=None))

    with pytest.raises(StoreUnavailable):
        await store.search(Search(INSTITUTION, NOW))

    assert len([call for call in calls if call.operation == "search"]) == 3, "all three queries have ended"


@pytest.mark.parametrize("operation", ["Account", "ReadContainer", "Upsert"])
async def test_a_ping_that_is_cancelled_leaves_the_way_free(
    double: CosmosDouble, complaints: list[dict[str, Any]], operation: str
) -> None:
    cosmos = Cosmos(account_of(double), budget=1)
    store = CosmosNoticeStore(cosmos)
    double.inject(Fault(operation, hang="before"))
    ping = asyncio.create_task(store.ping(NOW))
    await double.log.wait_for(operation)

    ping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ping

    async with asyncio.timeout(LONG):
        while not await answers(store):
            pass
    await cosmos.close()


async def test_a_ping_is_bounded_by_its_caller_while_the_account_is_away(
    store: CosmosNoticeStore, double: CosmosDouble, complaints: list[dict[str, Any]]
) -> None:
    double.inject(Fault(drop="before", times=None))

    assert not await answers(store, within=0.1)
    assert not await answers(store, within=0.1)

    double.faults.clear()
    assert await answers(store, within=LONG / 2)


async def test_the_account_is_opened_although_no_ping_waits_long_enough(
    store: CosmosNoticeStore, double: CosmosDouble, complaints: list[dict[str, Any]]
) -> None:
    double.inject(Fault("Account", delay=0.4, times=None))

    async with asyncio.timeout(LONG / 2):
        while not await answers(store, within=0.2):
            pass


async def test_calls_that_are_cancelled_leave_their_connections_to_others(
    cosmos: Cosmos, store: CosmosNoticeStore, double: CosmosDouble, complaints: list[dict[str, Any]]
) -> None:
    # The SDK's pool holds a hundred.
    await store.ping(NOW)
    double.log.clear()
    double.inject(Fault("Upsert", hang="before", times=101))
    pings = [asyncio.create_task(store.ping(NOW)) for _ in range(101)]
    await double.log.wait_for("Upsert", times=100)
    for ping in pings:
        ping.cancel()
    await asyncio.wait(pings)
    double.faults.clear()

    async with asyncio.timeout(LONG / 2):
        await store.ping(NOW)


async def test_an_account_that_is_opened_for_nobody_any_more_leaves_no_error_behind(
    double: CosmosDouble, complaints: list[dict[str, Any]]
) -> None:
    cosmos = Cosmos(account_of(double), budget=0.2)
    double.inject(Fault("Account", hang="before"))
    ping = asyncio.create_task(CosmosNoticeStore(cosmos).ping(NOW))
    await double.log.wait_for("Account")

    ping.cancel()
    await asyncio.wait({task for task in asyncio.all_tasks() if task.get_name() == "open Cosmos DB"})

    assert ping.cancelled()


async def test_two_hundred_writers_of_one_notice_cost_two_requests_each(
    store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    first = published()
    await store.save(first)
    changes = [declarations.amend(first.notice, {"description": str(n)}, None, an_act()) for n in range(200)]
    double.log.clear()

    outcomes = await asyncio.gather(*map(store.save, changes), return_exceptions=True)

    assert sum(isinstance(outcome, StoredNotice) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 199
    assert double.log.count("Batch") == 200 + 199


async def answers(store: CosmosNoticeStore, within: float = LONG) -> bool:
    """Tell whether the store answers a ping within so many seconds."""
    try:
        async with asyncio.timeout(within):
            await store.ping(NOW)
    except (StoreUnavailable, TimeoutError):
        return False
    return True
