"""A bug of the archive, or a document that it cannot decode: 500 without personal data."""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.functions.client import LIST, NOTICE, REQUESTS, path_of, publish
from tests.openapi_check import defect_expected
from tests.support import a_body, a_number


def damage(file: sqlite3.Connection) -> None:
    """Leave the stored notices as no version of the archive wrote them, with somebody's name."""
    file.execute("UPDATE notices SET shown = CAST('[\"Mario Rossi\"]' AS BLOB)")


ON_THE_NOTICE = [request for request in REQUESTS if request[1].startswith(NOTICE)]


async def test_a_list_serves_the_others_where_one_notice_cannot_be_decoded(
    http: httpx.AsyncClient, file: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(http)
    damage(file)
    await http.put(path_of(a_number(2)), json=a_body())

    answer = await http.get(LIST, headers={"X-Request-Id": "the list"})

    assert [notice["noticeNumber"] for notice in answer.json()["items"]] == [a_number(2)]
    assert ("document_unreadable" in caplog.text, "the list" in caplog.text) == (True, True)
    assert "Mario" not in caplog.text


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_a_defect_is_told_without_a_word_of_it(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    damage(file)

    with defect_expected():
        async with asyncio.timeout(2):
            answer = await http.request(method, path, json=body)

    assert answer.json() == {
        "type": "urn:archivio-avvisi:error:internal_error",
        "title": "The archive failed",
        "status": 500,
        "detail": "Repeat the request. If it fails again, give the X-Request-Id to the operators of the archive.",
        "instance": f"/api/v1{path.partition('?')[0]}",
        "code": "internal_error",
    }


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_a_defect_is_logged_without_personal_data(
    http: httpx.AsyncClient,
    file: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    await publish(http)
    damage(file)

    with suppress(TimeoutError), defect_expected():
        async with asyncio.timeout(2):
            await http.request(method, path, json=body, headers={"X-Request-Id": "the failed one"})

    assert ("the failed one" in caplog.text, "Mario" in caplog.text) == (True, False)


@pytest.mark.parametrize(("method", "path", "body"), ON_THE_NOTICE)
async def test_after_a_defect_the_next_request_is_served(
    http: httpx.AsyncClient, file: sqlite3.Connection, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)
    damage(file)
    with suppress(TimeoutError), defect_expected():
        async with asyncio.timeout(2):
            await http.request(method, path, json=body)

    async with asyncio.timeout(2):
        answer = await http.put(path_of(a_number(2)), json=a_body())

    assert answer.status_code == 201
