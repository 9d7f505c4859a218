"""X-Request-Id: it is echoed or made, and two requests with one id are two writes."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import EVENTS, LIST, NOTICE, history, path_of, publish
from tests.support import ADDRESS, a_body, a_number


@pytest.mark.parametrize(
    "given", ["1", "x" * 128, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a b", '~!"#{}']
)
async def test_a_request_id_is_echoed(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get(NOTICE, headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", [b"", b"x" * 129, "perché".encode(), b"a\tb", b"a\x7fb", b"\xff", b"a\x00b", b"x" * 9000]
)
async def test_a_request_id_that_cannot_be_echoed_is_replaced(http: httpx.AsyncClient, given: bytes) -> None:
    answer = await http.get(NOTICE, headers=[(b"X-Request-Id", given)])

    made = answer.headers["x-request-id"]
    assert (made.encode() != given, made.isascii(), made.isprintable(), 1 <= len(made) <= 128) == (True,) * 4


async def test_requests_without_an_id_are_given_different_ones(http: httpx.AsyncClient) -> None:
    given = {(await http.get(NOTICE)).headers["x-request-id"] for _ in range(20)}

    assert len(given) == 20


async def test_an_id_that_two_requests_have_makes_them_no_single_write(
    http: httpx.AsyncClient, application: Application
) -> None:
    http.headers["X-Request-Id"] = "always the same"
    await publish(http)
    await http.patch(NOTICE, json={"amount": 1})

    first, second = await application.archive.store.history(ADDRESS)
    assert first.write_id != second.write_id


async def test_two_requests_with_one_request_id_are_two_writes(http: httpx.AsyncClient) -> None:
    await publish(http)
    for amount in (1, 2):
        answer = await http.patch(NOTICE, json={"amount": amount}, headers={"X-Request-Id": "the same"})
        assert (answer.status_code, answer.json()["amount"]) == (200, amount)

    assert [item["version"] for item in await history(http)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", NOTICE, a_body()),
        ("PUT", path_of(a_number(2)), a_body()),
        ("PATCH", NOTICE, {"amount": 1}),
        ("POST", EVENTS, {"type": "closed"}),
        ("GET", NOTICE, None),
        ("GET", f"{NOTICE}?at=2026-11-23T10:00:00Z", None),
        ("GET", EVENTS, None),
        ("GET", LIST, None),
        ("GET", "/health", None),
    ],
)
async def test_an_answer_has_the_id_of_its_request(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"X-Request-Id": "an id"})

    assert (answer.is_success, answer.headers["x-request-id"]) == (True, "an id")


async def test_an_answer_without_a_body_has_the_id_of_its_request(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.get(NOTICE, headers={"If-None-Match": "*", "X-Request-Id": "an id"})

    assert (answer.status_code, answer.headers["x-request-id"]) == (304, "an id")
