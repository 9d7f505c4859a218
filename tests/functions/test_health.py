"""Whether the archive says that it can work."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.bootstrap import Application
from shared.health import PATIENCE, RelayHealth
from tests.functions.client import KEY, NOTICE, publish, refusal
from tests.support import SECOND, StillClock

MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def file(http: httpx.AsyncClient, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection of another program to the file of the store."""
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as file:
        yield file


async def test_an_archive_whose_store_answers_is_up(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health")

    assert (answer.status_code, answer.json()["store"]) == (200, "up")


@pytest.mark.parametrize("key", [None, "unknown", "local-platform"])
async def test_anybody_may_ask_whether_the_archive_is_up(http: httpx.AsyncClient, key: str | None) -> None:
    http.headers.pop(KEY)

    answer = await http.get("/health", headers={KEY: key} if key else {})

    assert answer.status_code == 200


async def test_the_answer_is_kept_by_nobody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health")

    assert answer.headers["cache-control"] == "no-store"


async def test_an_archive_whose_store_does_not_answer_is_not_up(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    file.execute("ALTER TABLE checkpoints RENAME TO gone")

    answer = await http.get("/health")

    assert refusal(answer) == (503, "store_unavailable")


async def test_an_archive_that_is_not_up_says_when_to_ask_again(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    file.execute("ALTER TABLE checkpoints RENAME TO gone")

    answer = await http.get("/health")

    assert answer.headers["retry-after"] == "1"


async def test_an_archive_whose_store_answers_again_is_up_a_second_later(
    http: httpx.AsyncClient, file: sqlite3.Connection, clock: StillClock
) -> None:
    file.execute("ALTER TABLE checkpoints RENAME TO gone")
    await http.get("/health")
    file.execute("ALTER TABLE gone RENAME TO checkpoints")
    clock.advance(SECOND)

    assert (await http.get("/health")).status_code == 200


async def test_an_archive_that_reads_and_cannot_write_is_not_up(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    await publish(http)
    file.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(3):
        answer = await http.get("/health")

    assert refusal(answer) == (503, "store_unavailable")
    assert (await http.get(NOTICE)).status_code == 200


async def test_the_store_is_asked_once_a_second_however_many_ask(
    http: httpx.AsyncClient, file: sqlite3.Connection, clock: StillClock
) -> None:
    await asyncio.gather(*(http.get("/health") for _ in range(50)))
    clock.advance(SECOND - MILLISECOND)
    await http.get("/health")

    assert checked_at(file) == "2026-11-23T10:00:00.000Z"
    clock.advance(MILLISECOND)
    await http.get("/health")
    assert checked_at(file) == "2026-11-23T10:00:01.000Z"


async def test_all_who_ask_while_the_store_does_not_answer_get_the_same_answer(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    file.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(3):
        answers = await asyncio.gather(*(http.get("/health") for _ in range(20)))

    assert {refusal(answer) for answer in answers} == {(503, "store_unavailable")}


async def test_one_who_asks_and_goes_away_leaves_the_others_their_answer(
    application: Application, file: sqlite3.Connection
) -> None:
    file.execute("BEGIN IMMEDIATE")
    one, other = (asyncio.create_task(application.health.check()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    file.execute("ROLLBACK")

    assert (await asyncio.gather(one, other, return_exceptions=True))[1] is None


def test_the_store_is_waited_for_less_than_the_second_within_which_the_archive_answers() -> None:
    assert PATIENCE < 1


async def test_a_feed_that_does_not_answer_is_not_waited_for_longer_than_the_store(clock: StillClock) -> None:
    async def waiting_since() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(5 * PATIENCE):
        assert await RelayHealth(waiting_since, clock).oldest_unsent_seconds() is None


async def test_a_clock_that_was_set_back_does_not_stop_the_questions(
    http: httpx.AsyncClient, file: sqlite3.Connection, clock: StillClock
) -> None:
    await http.get("/health")
    clock.advance(-SECOND)

    await http.get("/health")

    assert checked_at(file) == "2026-11-23T09:59:59.000Z"


async def test_head_answers_like_get_without_a_body(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    answer = await http.head("/health")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-request-id"]


async def test_head_says_that_the_archive_is_not_up(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE checkpoints RENAME TO gone")

    answer = await http.head("/health")

    assert (answer.status_code, answer.content) == (503, b"")
    assert answer.headers["x-error-code"] == "store_unavailable"


def checked_at(file: sqlite3.Connection) -> str:
    """Return the time of the last ping that the store has."""
    (document,) = file.execute("SELECT document FROM checkpoints WHERE id = 'health'").fetchone()
    at: str = json.loads(document)["checkedAt"]
    return at
