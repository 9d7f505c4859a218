"""If-Match and If-None-Match of PUT."""

from typing import Any

import httpx
import pytest

from tests.functions.client import LENIENT_NOTICE, NOTICE, publish, refusal, shown
from tests.support import a_body


async def test_a_new_notice_may_be_supposed_to_be_new(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"})

    assert answer.status_code == 201


@pytest.mark.parametrize("changes", [{}, {"amount": 1}], ids=["same content", "other content"])
async def test_a_known_notice_is_not_new_whatever_the_content(http: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(**changes), headers={"If-None-Match": "*"})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "tag",
    [
        '"2-ACTIVE"', 'W/"2-ACTIVE"', '"2-EXPIRED"', '"1-ACTIVE", "2-ACTIVE"', '"2-ACTIVE","7-PAID"', ' "2-ACTIVE" ',
        '"foreign", W/"2-ACTIVE"', "*", " * ",
    ],
)  # fmt: skip
async def test_a_tag_of_the_known_version_lets_the_notice_be_replaced(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)
    await publish(http, amount=1)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": tag})

    assert (answer.status_code, answer.json()["amount"]) == (200, 2)


@pytest.mark.parametrize(
    "tag",
    [
        '"1-ACTIVE"', 'W/"1-ACTIVE"', '"3-ACTIVE"', '"1-ACTIVE", "3-ACTIVE"', '"foreign"', '"2"', '""', '"2-"',
        '"02-ACTIVE"', '"99999999999999999999-ACTIVE"', '"2-ACTIVE-x"', '"33a64df551425fcc55e4d42a148795d9f25f89d4"',
    ],
)  # fmt: skip
async def test_a_tag_of_no_known_version_is_a_failed_precondition(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)
    await publish(http, amount=1)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


async def test_a_failed_precondition_changes_nothing(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": '"7-ACTIVE"'})

    assert await shown(http) == published


@pytest.mark.parametrize("path", [NOTICE, LENIENT_NOTICE], ids=["strict", "lenient"])
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', "*"])
async def test_a_notice_that_is_not_there_has_no_version(http: httpx.AsyncClient, path: str, tag: str) -> None:
    answer = await http.put(path, json=a_body(), headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "1-ACTIVE"},
        {"If-Match": '"1-ACTIVE'},
        {"If-Match": '1-ACTIVE"'},
        {"If-Match": '"1-ACTIVE" "2-ACTIVE"'},
        {"If-Match": '"1-ACTIVE"; "2-ACTIVE"'},
        {"If-Match": 'w/"1-ACTIVE"'},
        {"If-Match": ""},
        {"If-Match": '*, "1-ACTIVE"'},
        {"If-Match": "'1-ACTIVE'"},
        {"If-None-Match": '"1-ACTIVE"'},
        {"If-None-Match": '*, "1-ACTIVE"'},
        {"If-None-Match": ""},
        {"If-None-Match": "1"},
        {"If-None-Match": "*", "If-Match": '"1-ACTIVE"'},
        {"If-None-Match": "*", "If-Match": "*"},
        {"If-None-Match": '"7-ACTIVE"', "If-Match": '"1-ACTIVE"'},
    ],
    ids=str,
)
async def test_preconditions_that_cannot_be_read_are_refused(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers=headers)

    assert refusal(answer) == (400, "invalid_header")
