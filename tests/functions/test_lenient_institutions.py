"""A lenient institution: checks of form only, and numbers paired with any IUV."""

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from tests.functions.client import (
    COMUNE,
    LENIENT_NOTICE,
    MINUTE,
    path_of,
    publish,
    refusal,
    register_caller,
    register_institution,
    violations,
)
from tests.functions.fields import found, whole
from tests.stores import both_stores
from tests.support import IBAN, INSTITUTION, NUMBER, StillClock, a_body


@pytest.mark.parametrize("number", ["347000000000000125", "1", "a", "Z" * 35, "847000000000000124"])
async def test_a_lenient_institution_may_use_any_letters_and_digits_as_number(
    http: httpx.AsyncClient, number: str
) -> None:
    answer = await http.put(path_of(number, COMUNE), json=a_body())

    assert (answer.status_code, answer.json()["noticeNumber"]) == (201, number)


@pytest.mark.parametrize("number", ["Z" * 36, "a-b", "a%20b", "%C3%A9", "%EF%BC%93", "a%00", "%2F"])
async def test_a_number_of_a_lenient_institution_keeps_its_form(http: httpx.AsyncClient, number: str) -> None:
    answer = await http.put(path_of(number, COMUNE), json=a_body())

    assert refusal(answer) == (422, "notice_number")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("debtor.fiscalCode", "XY"),
        ("debtor.fiscalCode", "RSSMRA80A01H501X"),
        ("debtor.fiscalCode", "0000000000000000"),
        ("iban", "IT0000000000000"),
        ("iban", "DE89370400440532013000"),
        ("iban", "XX00" + "A" * 30),
        ("postalIban", "IT0000000000000000000000000"),
        ("transfers[0].iban", "IT0000000000000000000000000"),
    ],
)
async def test_a_lenient_institution_gets_checks_of_form_only(http: httpx.AsyncClient, where: str, value: str) -> None:
    answer = await http.put(LENIENT_NOTICE, json=whole(where, value))

    assert (answer.status_code, found(answer.json(), where)) == (201, value)


@pytest.mark.parametrize(
    ("where", "code", "value"),
    [
        ("debtor.fiscalCode", "debtor_code", "X"),
        ("debtor.fiscalCode", "debtor_code", "X" * 17),
        ("debtor.fiscalCode", "debtor_code", "x1"),
        ("debtor.fiscalCode", "debtor_code", "É1"),
        ("iban", "iban", "IT000000000000"),
        ("iban", "iban", "XX00" + "A" * 31),
        ("iban", "iban", "it60x0542811101000000123456"),
        ("iban", "iban", "IT60 X0542811101000000123456"),
        ("iuv", "iuv", "a-b"),
        ("iuv", "iuv", "a" * 36),
        ("amount", "out_of_range", 0),
    ],
)
async def test_a_lenient_institution_gets_checks_of_form(
    http: httpx.AsyncClient, where: str, code: str, value: object
) -> None:
    answer = await http.put(LENIENT_NOTICE, json=whole(where, value))

    assert violations(answer) == [(where, code)]


@both_stores
async def test_a_lenient_institution_may_pair_any_iuv_with_a_number(http: httpx.AsyncClient) -> None:
    answer = await http.put(LENIENT_NOTICE, json=a_body(iuv="RF18539007547034"))

    assert (answer.status_code, answer.json()["iuv"]) == (201, "RF18539007547034")


@both_stores
async def test_a_paired_iuv_stays_when_the_notice_is_published_again_without_it(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE, iuv="RF18539007547034")

    again = await publish(http, LENIENT_NOTICE)

    assert again == published


@both_stores
async def test_the_iuv_of_a_known_notice_is_fixed(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE, iuv="1234")

    answer = await http.put(LENIENT_NOTICE, json=a_body(iuv="1235"))

    assert refusal(answer) == (409, "iuv_is_fixed")


@both_stores
async def test_an_iuv_that_was_paired_names_no_other_number(http: httpx.AsyncClient) -> None:
    await publish(http, path_of("A1", COMUNE), iuv="1234")

    answer = await http.put(path_of("A2", COMUNE), json=a_body(iuv="1234"))

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_an_iuv_that_was_paired_is_not_the_one_of_its_own_number(http: httpx.AsyncClient) -> None:
    await publish(http, path_of("A1", COMUNE), iuv=NUMBER[1:])

    answer = await http.put(LENIENT_NOTICE, json=a_body())

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_the_iuv_of_a_published_number_is_paired_with_no_other(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE)

    answer = await http.put(path_of("A1", COMUNE), json=a_body(iuv=NUMBER[1:]))

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_the_iuv_of_a_number_published_while_strict_is_paired_with_no_other(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "granted-all")
    await publish(http)
    await register_institution(application, lenient=True)
    clock.advance(MINUTE)

    answer = await http.put(path_of("A1"), json=a_body(iban=IBAN, iuv=NUMBER[1:]), headers=key)

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_a_refused_notice_claims_no_iuv(http: httpx.AsyncClient) -> None:
    past = a_body(iuv="1234", switchToExpired=True, dueDate="2026-11-01")
    await http.put(path_of("A1", COMUNE), json=past)

    answer = await http.put(path_of("A2", COMUNE), json=a_body(iuv="1234"))

    assert answer.status_code == 201


@both_stores
async def test_an_iuv_names_a_notice_within_its_institution_only(
    http: httpx.AsyncClient, application: Application
) -> None:
    other = "12345678903"
    key = await register_caller(
        application, "two", grants={COMUNE: frozenset({EVERY}), INSTITUTION: frozenset({EVERY})}
    )
    await register_institution(application, lenient=True)
    await publish(http, path_of("A1", COMUNE), iuv=other)

    answer = await http.put(path_of("A2"), json=a_body(iuv=other, iban=IBAN), headers=key)

    assert answer.status_code == 201
