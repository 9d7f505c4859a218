"""Which notice numbers and institution codes an address may have, and which IUV follows from a number."""

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from tests.functions.bad_input import ODD_NUMBERS
from tests.functions.client import COMUNE, NOTICE, notices_of, path_of, refusal, register_caller
from tests.support import INSTITUTION, NUMBER, a_body


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


@pytest.mark.parametrize("name", ODD_NUMBERS)
async def test_a_number_that_is_none_names_no_notice(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all")
    path = path_of(ODD_NUMBERS[name])

    answers = [
        await http.get(path, headers=key),
        await http.get(f"{path}/events", headers=key),
        await http.get(f"{path}?at=2026-11-23T10:00:00Z", headers=key),
        await http.patch(path, json={"amount": 1}, headers=key),
        await http.post(f"{path}/events", json={"type": "closed"}, headers=key),
    ]

    assert {refusal(answer) for answer in answers} == {(404, "notice_not_found")}


@pytest.mark.parametrize("name", ODD_NUMBERS)
async def test_a_number_that_is_none_is_not_published(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all", grants={EVERY: frozenset({EVERY})})

    answers = [
        await http.put(path_of(ODD_NUMBERS[name], institution), json=a_body(), headers=key)
        for institution in (INSTITUTION, COMUNE)
    ]

    assert {refusal(answer) for answer in answers} == {(422, "notice_number")}


@pytest.mark.parametrize("name", ODD_NUMBERS)
async def test_an_institution_that_is_none_is_not_registered(
    http: httpx.AsyncClient, application: Application, name: str
) -> None:
    key = await register_caller(application, "all", grants={EVERY: frozenset({EVERY})})

    answers = [
        await http.put(path_of(institution=ODD_NUMBERS[name]), json=a_body(), headers=key),
        await http.get(path_of(institution=ODD_NUMBERS[name]), headers=key),
        await http.get(notices_of(ODD_NUMBERS[name]), headers=key),
    ]

    assert {refusal(answer) for answer in answers} == {(404, "institution_not_found")}
