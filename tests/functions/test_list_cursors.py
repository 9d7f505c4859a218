"""The cursors of a list."""

import base64

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import (
    COMUNE,
    notices_of,
    path_of,
    refusal,
    register_caller,
)
from tests.functions.lists import LIST, listed, numbers, publish_one
from tests.stores import both_stores
from tests.support import (
    a_body,
    a_number,
)

pytestmark = both_stores


async def a_cursor(http: httpx.AsyncClient, query: str = "") -> str:
    """Return the cursor of a page of one."""
    for serial in (1, 2, 3):
        await publish_one(http, serial)
    cursor: str = (await listed(http, f"{query}limit=1"))["nextCursor"]
    assert cursor
    return cursor


@pytest.mark.parametrize(
    "query",
    [
        "status=ACTIVE&",
        "anomaly=false&",
        "dueFrom=2026-01-01&",
        "dueTo=2027-01-01&",
        "updatedFrom=2026-01-01T00:00:00Z&",
        "updatedTo=2027-01-01T00:00:00Z&",
        "updatedTo=2027-01-01T00:00:00Z&dueFrom=2026-01-01&",
    ],
)
async def test_a_cursor_is_good_for_its_filters_only(http: httpx.AsyncClient, query: str) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{LIST}?{query}cursor={cursor}")) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("status=ACTIVE&", ""),
        ("anomaly=false&", "anomaly=true&"),
        ("dueFrom=2026-01-01&", "dueFrom=2026-01-02&"),
        ("dueFrom=2026-01-01&", "dueFrom=2026-01-01&dueTo=2027-01-01&"),
        ("updatedFrom=2026-01-01T00:00:00Z&", "updatedFrom=2026-01-01T00:00:00.001Z&"),
        ("updatedFrom=2026-01-01T00:00:00Z&dueFrom=2026-01-01&", "updatedFrom=2026-01-01T00:00:00Z&"),
    ],
)
async def test_a_cursor_is_not_good_for_changed_filters(http: httpx.AsyncClient, before: str, after: str) -> None:
    cursor = await a_cursor(http, before)

    assert refusal(await http.get(f"{LIST}?{after}cursor={cursor}")) == (400, "invalid_cursor")


async def test_a_cursor_is_good_for_its_institution_only(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{notices_of(COMUNE)}?cursor={cursor}")) == (400, "invalid_cursor")


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "xx", "*", "%00", "é", "1", "null", "abc=", "=" * 4, "A" * 5000,
        *map(_encoded, (b"{}", b"[]", b"null", b"7", b"[1,2,3]", b'["x","",""]', b'["x","","","]', b"\xff",
                        b'"\\ud800"',                         b"[" * 2000)),
    ],
)  # fmt: skip
async def test_a_cursor_that_the_archive_did_not_make_is_refused(http: httpx.AsyncClient, cursor: str) -> None:
    assert refusal(await http.get(f"{LIST}?cursor={cursor}")) == (400, "invalid_cursor")


async def test_a_cursor_that_was_cut_is_refused(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    assert refusal(await http.get(f"{LIST}?cursor={cursor[:-4]}")) == (400, "invalid_cursor")


async def test_a_cursor_that_is_refused_is_told_from_one_of_other_filters(http: httpx.AsyncClient) -> None:
    cursor = await a_cursor(http)

    cut = await http.get(f"{LIST}?cursor={cursor[:-4]}")
    other = await http.get(f"{LIST}?status=ACTIVE&cursor={cursor}")

    assert [answer.json()["detail"] for answer in (cut, other)] == [
        "Send nextCursor whole, as it was received: this cursor is not one of the archive's",
        "Send the filters of the first page, and no others: the cursor is of another list",
    ]


async def test_a_cursor_shows_nothing_that_is_not_granted(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    for number in (a_number(1, "46"), a_number(2, "46"), a_number(3, "49")):
        await http.put(path_of(number), json=a_body(), headers=key)
    page = await listed(http, "limit=1", key)

    assert await numbers(http, f"cursor={page['nextCursor']}") == []
