"""A store that does not answer, or that another program has locked."""

import asyncio
import sqlite3
from typing import Any

import httpx
import pytest

from shared import bootstrap
from shared.bootstrap import Application
from shared.settings import EmbeddedStore, Settings
from tests.functions.client import NOTICE, REQUESTS, publish, refusal, shown
from tests.support import StillClock, a_body


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_while_the_store_does_not_answer_nothing_is_done(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    file.execute("ALTER TABLE notices RENAME TO gone")

    answer = await http.request(method, path, json=body)

    assert (refusal(answer), answer.headers["retry-after"]) == ((503, "store_unavailable"), "1")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_once_the_store_answers_again_so_does_the_archive(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    file.execute("ALTER TABLE notices RENAME TO gone")
    await http.request(method, path, json=body)
    file.execute("ALTER TABLE gone RENAME TO notices")

    answer = await http.request(method, path, json=body)

    assert answer.is_success


async def test_a_write_that_the_store_did_not_take_left_nothing(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    published = await publish(http)
    file.execute("ALTER TABLE events RENAME TO gone")
    refused = await http.patch(NOTICE, json={"amount": 1})
    file.execute("ALTER TABLE gone RENAME TO events")

    assert (refused.status_code, await shown(http)) == (503, published)


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_while_the_registry_does_not_answer_nothing_is_done(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    file.execute("ALTER TABLE registry RENAME TO gone")

    answer = await http.request(method, path, json=body)

    assert refusal(answer) == (503, "store_unavailable")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_a_store_that_was_closed_does_not_answer(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    await application.archive.store.close()

    async with asyncio.timeout(2):
        answer = await http.request(method, path, json=body)

    assert refusal(answer) == (503, "store_unavailable")


async def test_a_write_gives_up_when_another_program_keeps_the_file_locked(
    http: httpx.AsyncClient, file: sqlite3.Connection, kept_in: EmbeddedStore, clock: StillClock
) -> None:
    await bootstrap.close()
    bootstrap.open_application(Settings(kept_in, store_budget=0.5), clock)
    file.execute("BEGIN IMMEDIATE")

    async with asyncio.timeout(30):
        answer = await http.put(NOTICE, json=a_body())

    assert refusal(answer) == (503, "store_unavailable")


async def test_a_write_waits_while_another_program_writes(http: httpx.AsyncClient, file: sqlite3.Connection) -> None:
    file.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(http.put(NOTICE, json=a_body()))
    await asyncio.sleep(0.2)
    waited = not writing.done()
    file.execute("ROLLBACK")

    answer = await writing

    assert (waited, answer.status_code) == (True, 201)


async def test_reads_are_answered_while_another_program_writes(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    published = await publish(http)
    file.execute("BEGIN IMMEDIATE")
    file.execute("DELETE FROM notices")

    answer = await http.get(NOTICE)

    assert (answer.status_code, answer.json()) == (200, published)
