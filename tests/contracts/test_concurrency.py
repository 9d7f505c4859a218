"""Calls that run at once: their results, their limit, and the first of them that fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from shared.concurrency import for_each, gather_all
from shared.errors import StoreUnavailable


class Work:
    """Counts the calls that run, and lets each go on when the test says so."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.cancelled: list[int] = []
        self.running = 0
        self.most = 0
        self._may_end = asyncio.Event()

    async def do(self, item: int) -> int:
        """Return ten times the item. The later an item is, the sooner it ends."""
        self.begun.append(item)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._may_end.wait()
            for _ in range(20 - item):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1
        return 10 * item

    async def begin(self, item: int) -> None:
        """Do it without a result."""
        await self.do(item)

    def go_on(self) -> None:
        """Let all calls end."""
        self._may_end.set()


async def settled() -> None:
    """Return when each task has gone as far as it can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def each(items: Iterable[int]) -> AsyncIterator[int]:
    """Yield the items."""
    for item in items:
        yield item


async def fail() -> None:
    """Raise an error with a cause."""
    raise StoreUnavailable from ConnectionResetError("the cause")


Do = Callable[[int], Awaitable[object]]
Way = Callable[[Do, int], Awaitable[object]]


async def by_gather_all(do: Do, at_once: int) -> None:
    """Do it for ten items."""

    async def call(item: int) -> None:
        await do(item)

    await gather_all((call(item) for item in range(10)), at_once)


async def by_for_each(do: Do, at_once: int) -> None:
    """Do it for ten items."""

    async def work(item: int) -> None:
        await do(item)

    await for_each(each(range(10)), work, at_once)


both_ways = pytest.mark.parametrize("way", [by_gather_all, by_for_each])


async def test_results_have_the_order_of_the_calls_whichever_ends_first() -> None:
    work = Work()
    work.go_on()

    assert await gather_all(work.do(item) for item in range(5)) == [0, 10, 20, 30, 40]
    assert await gather_all((work.do(item) for item in range(5)), at_once=2) == [0, 10, 20, 30, 40]


async def test_no_calls_have_no_results() -> None:
    assert await gather_all([]) == []
    assert await gather_all([], at_once=3) == []


async def test_without_items_nothing_is_done() -> None:
    work = Work()

    await for_each(each([]), work.begin, 3)

    assert work.begun == []


async def test_without_a_limit_all_calls_run_at_the_same_time() -> None:
    work = Work()
    task = asyncio.create_task(gather_all(work.do(item) for item in range(10)))
    await settled()

    assert work.running == 10
    work.go_on()
    await task


@both_ways
@pytest.mark.parametrize("at_once", [1, 3, 10, 32])
async def test_as_many_run_at_once_as_the_limit_allows_and_never_more(way: Way, at_once: int) -> None:
    work = Work()
    task = asyncio.ensure_future(way(work.do, at_once))
    await settled()

    assert work.running == min(at_once, 10)
    work.go_on()
    await task
    assert work.most == min(at_once, 10)
    assert sorted(work.begun) == [*range(10)]


@both_ways
async def test_the_first_failure_is_raised_as_it_is(way: Way) -> None:
    async def do(item: int) -> None:
        await asyncio.sleep(0)
        if item == 2:
            await fail()
        await asyncio.sleep(60)
        raise KeyError(item)

    with pytest.raises(StoreUnavailable) as raised:
        await way(do, 5)

    assert type(raised.value) is StoreUnavailable
    assert repr(raised.value.__cause__) == "ConnectionResetError('the cause')"
    assert raised.value.__context__ is None, "no group of errors is its context"


@both_ways
async def test_of_failures_at_the_same_time_the_first_is_raised(way: Way) -> None:
    async def do(item: int) -> None:
        raise LookupError(item)

    with pytest.raises(LookupError, match="0"):
        await way(do, 5)


@both_ways
async def test_an_error_keeps_the_context_in_which_it_was_raised(way: Way) -> None:
    async def do(item: int) -> None:
        try:
            raise KeyError("before")
        except KeyError:
            raise LookupError("after")  # noqa: B904  the context is the subject

    with pytest.raises(LookupError, match="after") as raised:
        await way(do, 2)

    assert repr(raised.value.__context__) == "KeyError('before')"


@both_ways
async def test_when_one_fails_the_running_ones_are_cancelled_and_the_later_ones_never_begin(way: Way) -> None:
    work = Work()

    async def do(item: int) -> None:
        if item == 2:
            await settled()
            await fail()
        await work.do(item)

    with pytest.raises(StoreUnavailable):
        await way(do, 4)

    assert {0, 1, 3} <= {*work.begun} <= {0, 1, 3, 4}, "the next one may just have got its turn"
    assert sorted(work.cancelled) == sorted(work.begun)
    assert work.running == 0


@both_ways
@pytest.mark.parametrize("at_once", [1, 4, 32])
async def test_cancelling_from_outside_cancels_the_running_ones_and_is_raised(way: Way, at_once: int) -> None:
    work = Work()
    task = asyncio.ensure_future(way(work.do, at_once))
    await settled()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert sorted(work.cancelled) == sorted(work.begun) == [*range(min(at_once, 10))]
    assert work.running == 0


@both_ways
async def test_cancelling_before_anything_has_begun_begins_nothing(way: Way) -> None:
    work = Work()
    task = asyncio.ensure_future(way(work.do, 4))
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert work.begun == []


async def test_an_item_is_asked_for_only_when_its_work_can_begin() -> None:
    asked, work, ends = list[int](), Work(), asyncio.Semaphore(0)

    async def items() -> AsyncIterator[int]:
        for item in range(6):
            asked.append(item)
            yield item

    async def do(item: int) -> None:
        work.begun.append(item)
        await ends.acquire()

    task = asyncio.create_task(for_each(items(), do, 2))
    seen = []
    for _ in range(5):
        await settled()
        seen.append((len(asked), len(work.begun)))
        ends.release()
    ends.release()
    await task

    assert seen == [(2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]


async def test_items_are_asked_for_one_after_the_other() -> None:
    """An iterator that reads pages cannot be asked twice at once."""
    work = Work()
    work.go_on()

    async def slowly() -> AsyncIterator[int]:
        for item in range(10):
            await asyncio.sleep(0)
            yield item

    await for_each(slowly(), work.begin, 4)

    assert work.begun == [*range(10)]


async def test_an_iterator_that_fails_ends_the_work_with_its_error() -> None:
    work = Work()

    async def items() -> AsyncIterator[int]:
        yield 0
        yield 1
        await settled()
        await fail()

    with pytest.raises(StoreUnavailable) as raised:
        await for_each(items(), work.begin, 4)

    assert repr(raised.value.__cause__) == "ConnectionResetError('the cause')"
    assert sorted(work.cancelled) == [0, 1]
