"""A refusal is a problem document (RFC 9457)."""

import httpx
import pytest

from tests.functions.client import EVENTS, KEY, LIST, NOTICE
from tests.support import a_body


async def test_a_refusal_is_a_problem_document(http: httpx.AsyncClient) -> None:
    answer = await http.get(NOTICE)

    assert answer.json() == {
        "type": "urn:archivio-avvisi:error:notice_not_found",
        "title": "The notice is not in the archive",
        "status": 404,
        "detail": "Check the fiscal code of the institution and the notice number. PUT publishes a new notice.",
        "instance": f"/api/v1{NOTICE}",
        "code": "notice_not_found",
    }


async def test_a_refused_body_names_what_it_breaks(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(amount=0))

    assert answer.json()["violations"] == [{"field": "amount", "code": "out_of_range", "message": "At least 1"}]


async def test_the_instance_is_the_address_without_its_query(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{LIST}?limit=0")

    assert answer.json()["instance"] == f"/api/v1{LIST}"


@pytest.mark.parametrize("path", [NOTICE, EVENTS, LIST, f"{NOTICE}?at=x"])
async def test_a_refusal_is_not_tagged(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={KEY: "unknown"})

    assert "etag" not in answer.headers
