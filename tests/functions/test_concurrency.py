"""Several calls at once: how many at the same time, in which order, and what a failure does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.concurrency import for_each, gather_all

AT_ONCE = 3


class Crowd:
    """Counts the calls that run at the same time. Each ends after a few turns of the loop."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.done: list[int] = []

    async def work(self, item: int) -> int:
        """Work on an item, and return it."""
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(3 + item % 2):
            await asyncio.sleep(0)
        self.now -= 1
        self.done.append(item)
        return item


@pytest.mark.parametrize(("at_once", "most"), [(AT_ONCE, AT_ONCE), (None, 10)])
async def test_so_many_calls_run_at_the_same_time_and_their_results_are_in_order(
    at_once: int | None, most: int
) -> None:
    crowd = Crowd()

    results = await gather_all((crowd.work(item) for item in range(10)), at_once)

    assert (results, crowd.most) == ([*range(10)], most)


async def test_a_failure_is_raised_as_it_is_and_cancels_the_others() -> None:
    crowd = Crowd()

    async def fail() -> int:
        raise OSError("full")

    with pytest.raises(OSError, match="full") as failed:
        await gather_all([crowd.work(1), fail()])

    assert (crowd.done, failed.value.__context__) == ([], None)


async def test_the_work_is_done_for_each_item_and_for_some_at_the_same_time() -> None:
    crowd, asked = Crowd(), []

    async def items() -> AsyncIterator[int]:
        for item in range(10):
            asked.append(item)
            assert len(asked) - len(crowd.done) <= AT_ONCE, "an item is asked for when its work can begin"
            yield item

    async def work(item: int) -> None:
        await crowd.work(item)

    await for_each(items(), work, AT_ONCE)

    assert (sorted(crowd.done), crowd.most) == ([*range(10)], AT_ONCE)


async def test_a_failure_of_the_work_ends_all_of_it() -> None:
    async def items() -> AsyncIterator[int]:
        for item in range(10):
            yield item

    async def work(item: int) -> None:
        if item == 4:
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await for_each(items(), work, AT_ONCE)
