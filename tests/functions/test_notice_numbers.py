"""Which notice numbers PUT takes, and which IUV follows from a number."""

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import NOTICE, path_of, refusal, register_caller
from tests.support import NUMBER, a_body


@pytest.mark.parametrize(
    "number",
    [
        "347000000000000125", "34700000000000012", "3470000000000001240", "34700000000000012X", "347A00000000000124",
        "847000000000000124", "212000000000004250", "001000000000000140", "%EF%BC%93" + NUMBER[1:], "x",
    ],
)  # fmt: skip
async def test_a_number_that_breaks_form_or_check_digits_is_refused(
    http: httpx.AsyncClient, application: Application, number: str
) -> None:
    key = await register_caller(application, "granted-all")

    answer = await http.put(path_of(number), json=a_body(), headers=key)

    assert refusal(answer) == (422, "notice_number")


@pytest.mark.parametrize(
    ("number", "iuv"),
    [
        ("001000000000000141", "000000000000141"),
        ("100000000000000102", "00000000000000102"),
        ("212000000000004259", "12000000000004259"),
        ("312000000000000725", "12000000000000725"),
    ],
)
async def test_the_iuv_follows_from_the_number(
    http: httpx.AsyncClient, application: Application, number: str, iuv: str
) -> None:
    key = await register_caller(application, "granted-all")

    answer = await http.put(path_of(number), json=a_body(), headers=key)

    assert (answer.status_code, answer.json()["iuv"]) == (201, iuv)


async def test_an_iuv_that_agrees_may_be_named(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(iuv=NUMBER[1:]))

    assert (answer.status_code, answer.json()["iuv"]) == (201, NUMBER[1:])
