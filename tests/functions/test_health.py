"""Whether the archive says that it can work."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.functions.asking import KEY, refusal


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
    file.execute("ALTER TABLE notices RENAME TO gone")

    answer = await http.get("/health")

    assert refusal(answer) == (503, "store_unavailable")


async def test_an_archive_that_is_not_up_says_when_to_ask_again(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    file.execute("ALTER TABLE notices RENAME TO gone")

    answer = await http.get("/health")

    assert answer.headers["retry-after"] == "1"


async def test_an_archive_whose_store_answers_again_is_up(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE notices RENAME TO gone")
    await http.get("/health")
    file.execute("ALTER TABLE gone RENAME TO notices")

    answer = await http.get("/health")

    assert answer.status_code == 200


async def test_an_archive_is_up_while_another_program_writes(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("BEGIN IMMEDIATE")

    answer = await http.get("/health")

    assert answer.status_code == 200
