"""Runs several calls at once. When one fails, the others are cancelled, and its error is raised as it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import nullcontext
from typing import Any, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")


async def gather_all(calls: Iterable[Coroutine[Any, Any, Result]], at_once: int | None = None) -> list[Result]:
    """Return the results of the calls, in their order. `at_once` of them run at the same time, at most. None: all."""
    turns = asyncio.Semaphore(at_once) if at_once else nullcontext()
    calls = list(calls)

    async def run(call: Coroutine[Any, Any, Result]) -> Result:
        async with turns:
            return await call

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(call)) for call in calls]
    except ExceptionGroup as failed:
        error = failed.exceptions[0]
    else:
        return [task.result() for task in tasks]
    finally:
        for call in calls:
            call.close()  # Python would warn of one that never began
    raise error  # here, so that the group does not become its context


async def for_each(items: AsyncIterator[Item], work: Callable[[Item], Awaitable[None]], at_once: int) -> None:
    """Do the work for each item, for some at once. An item is asked for when its work can begin."""
    turn = asyncio.Lock()

    async def next_item() -> Item | None:
        async with turn:
            return await anext(items, None)

    async def work_on() -> None:
        while (item := await next_item()) is not None:
            await work(item)

    await gather_all(work_on() for _ in range(at_once))
