"""Deadlines: one timer ends each request at its own time, and no other."""

import asyncio

import httpx
import pytest

from shared.deadlines import Deadline, Deadlines
from shared.turns import request_ends_at
from tests.functions.client import NOTICE

LONG = 20


async def wait(deadlines: Deadlines, seconds: float) -> float:
    """Wait under a deadline. Return when the wait ended, by the clock of the loop."""
    with Deadline(deadlines):
        await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time()


async def test_a_request_that_ends_in_time_is_not_disturbed() -> None:
    deadlines = Deadlines(0.05)

    await wait(deadlines, 0)
    await asyncio.sleep(0.1)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_request_whose_time_is_over_ends_with_a_timeout() -> None:
    began = asyncio.get_running_loop().time()

    with pytest.raises(TimeoutError):
        await wait(Deadlines(0.05), LONG)

    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_each_request_ends_at_its_own_time_and_those_in_time_are_answered() -> None:
    deadlines, loop = Deadlines(0.2), asyncio.get_running_loop()
    began = loop.time()
    early = asyncio.ensure_future(wait(deadlines, LONG))
    await asyncio.sleep(0.1)
    late, brief = asyncio.ensure_future(wait(deadlines, LONG)), asyncio.ensure_future(wait(deadlines, 0.15))

    with pytest.raises(TimeoutError):
        await early
    assert not late.done()
    assert not brief.done()
    assert await brief >= began + 0.25
    with pytest.raises(TimeoutError):
        await late
    assert loop.time() - began >= 0.3


async def test_a_later_request_is_watched_when_the_ones_before_it_are_answered() -> None:
    deadlines = Deadlines(0.05)
    for _ in range(3):
        await wait(deadlines, 0)
    await asyncio.sleep(0.1)

    with pytest.raises(TimeoutError):
        await wait(deadlines, LONG)


async def test_a_request_that_is_cancelled_by_another_hand_is_cancelled() -> None:
    task = asyncio.ensure_future(wait(Deadlines(LONG), LONG))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_request_that_is_cancelled_by_another_hand_when_its_time_is_over_is_cancelled() -> None:
    deadline = Deadline(Deadlines(LONG))

    async def request() -> None:
        with deadline:
            await asyncio.sleep(LONG)

    task = asyncio.ensure_future(request())
    await asyncio.sleep(0)

    deadline.end()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_a_timeout_the_task_is_not_cancelled_any_more() -> None:
    with pytest.raises(TimeoutError):
        await wait(Deadlines(0.01), LONG)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_an_error_of_the_request_is_passed_on() -> None:
    with pytest.raises(KeyError), Deadline(Deadlines(LONG)):
        raise KeyError


async def test_the_end_of_a_request_is_known_to_it() -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()

    with Deadline(Deadlines(5)) as ends_at:
        assert before + 5 <= ends_at <= loop.time() + 5


async def test_the_time_of_a_request_limits_nothing_after_it(http: httpx.AsyncClient) -> None:
    assert (await http.get(NOTICE)).status_code == 404

    assert request_ends_at.get() is None
