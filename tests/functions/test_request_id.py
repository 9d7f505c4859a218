"""X-Request-Id: it is echoed or made, and two requests with one id are two writes."""

import httpx

from tests.functions.client import NOTICE, history, publish


async def test_two_requests_with_one_request_id_are_two_writes(http: httpx.AsyncClient) -> None:
    await publish(http)
    for amount in (1, 2):
        answer = await http.patch(NOTICE, json={"amount": amount}, headers={"X-Request-Id": "the same"})
        assert (answer.status_code, answer.json()["amount"]) == (200, amount)

    assert [item["version"] for item in await history(http)] == [1, 2, 3]
