"""The words with which tests ask for lists of notices."""

from typing import Any

import httpx

from tests.functions.client import (
    notices_of,
    path_of,
    publish,
    refusal,
)
from tests.support import (
    a_number,
)

LIST = notices_of()


async def listed(http: httpx.AsyncClient, query: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a page."""
    answer = await http.get(f"{LIST}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def numbers(http: httpx.AsyncClient, query: str = "", headers: dict[str, str] | None = None) -> list[str]:
    """Return the numbers on a page."""
    return [notice["noticeNumber"] for notice in (await listed(http, query, headers))["items"]]


async def pages(http: httpx.AsyncClient, query: str) -> list[list[str]]:
    """Return the numbers on every page, from the first to the last."""
    found, cursor = [], ""
    while True:
        page = await listed(http, f"{query}{cursor}")
        found.append([notice["noticeNumber"] for notice in page["items"]])
        if page["nextCursor"] is None:
            return found
        cursor = f"&cursor={page['nextCursor']}"


async def publish_one(http: httpx.AsyncClient, serial: int, code: str = "47", **changes: Any) -> str:
    """Publish the notice with this serial and return its number."""
    number = a_number(serial, code)
    await publish(http, path_of(number), **changes)
    return number


def broken_parameters(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return the parameters that a refusal names, each with its code."""
    assert refusal(answer) == (400, "invalid_parameter"), answer.text
    return [(broken["field"], broken["code"]) for broken in answer.json()["violations"]]
