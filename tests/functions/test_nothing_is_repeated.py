"""No refusal repeats what was sent or what is stored."""

import httpx

from tests.functions.client import NOTICE


async def test_a_name_that_may_be_somebodys_code_is_not_repeated(http: httpx.AsyncClient) -> None:
    answer = await http.patch(NOTICE, json={"RSSMRA80A01H501U": 1})

    assert "RSSMRA80A01H501U" not in answer.text
