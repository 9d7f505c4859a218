"""Headers that decide nothing."""

import httpx
import pytest

from tests.functions.client import NOTICE, publish, refusal
from tests.support import a_body


@pytest.mark.parametrize(
    "host", ["", "[", "[::1", "]", "a b", "%", "x" * 5000, "archive.test:x", "a/b", "a@b", "//", "\x7f"]
)
async def test_a_host_that_is_none_makes_no_difference(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.put(NOTICE, json=a_body(amount=0), headers={"Host": host})

    assert refusal(answer) == (422, "invalid_body")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "text/html"),
        ("Accept", "nonsense"),
        ("Accept-Encoding", "br"),
        ("Range", "bytes=0-1"),
        ("If-Modified-Since", "yesterday"),
        ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Cookie", "a=" + "b" * 5000),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Forwarded", "for=[::1"),
        ("traceparent", "nonsense"),
    ],
)
async def test_a_header_that_decides_nothing_makes_no_difference(
    http: httpx.AsyncClient, name: str, value: str
) -> None:
    published = await publish(http)

    answer = await http.get(NOTICE, headers={name: value})

    assert (answer.status_code, answer.json()) == (200, published)
