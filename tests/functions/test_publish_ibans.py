"""Which IBANs a published notice has: given ones, and the default of its institution."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import Iban
from shared.domain.institutions import RegisteredIban
from tests.functions.client import (
    A_TRANSFER,
    ACA,
    ANOTHER_IBAN,
    LENIENT_NOTICE,
    MINUTE,
    NOTICE,
    ibans_of,
    publish,
    refusal,
    register_institution,
)
from tests.support import DAY, IBAN, NOW, POSTAL_IBAN, StillClock, a_body


async def test_a_postal_default_serves_as_postal_iban_too(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    assert ibans_of(published) == (POSTAL_IBAN, POSTAL_IBAN, "registered")


async def test_a_default_that_is_not_postal_fills_no_postal_iban(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE)

    assert ibans_of(published) == (IBAN, None, "registered")


async def test_a_given_iban_takes_no_postal_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, iban=IBAN)

    assert ibans_of(published) == (IBAN, None, "given")


async def test_a_given_postal_iban_alone_does_not_suppress_the_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE, postalIban=POSTAL_IBAN)

    assert ibans_of(published) == (IBAN, POSTAL_IBAN, "registered")


async def test_a_given_postal_iban_is_kept_beside_a_postal_default(
    http: httpx.AsyncClient, application: Application
) -> None:
    default = RegisteredIban(Iban("IT40S0760111100000000123456"), ACA, NOW, postal=True)
    await register_institution(application, ibans=(default,))

    published = await publish(http, postalIban=POSTAL_IBAN)

    assert ibans_of(published) == (default.iban, POSTAL_IBAN, "registered")


async def test_transfers_take_no_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, transfers=[A_TRANSFER])

    assert ibans_of(published) == (None, None, None)


async def test_of_the_registered_ibans_the_newest_with_the_label_is_the_default(
    http: httpx.AsyncClient, application: Application
) -> None:
    ibans = (
        RegisteredIban(Iban(POSTAL_IBAN), ACA, NOW - 2 * DAY),
        RegisteredIban(IBAN, ACA | {"STANDIN"}, NOW - DAY),
        RegisteredIban(ANOTHER_IBAN, frozenset({"STANDIN"}), NOW),
    )
    await register_institution(application, ibans=ibans)

    published = await publish(http)

    assert published["iban"] == IBAN


@pytest.mark.parametrize("labels", [None, frozenset[str](), frozenset({"STANDIN"}), frozenset({"aca"})])
async def test_without_a_registered_default_an_iban_must_be_given(
    http: httpx.AsyncClient, application: Application, labels: frozenset[str] | None
) -> None:
    await register_institution(application, ibans=() if labels is None else (RegisteredIban(IBAN, labels, NOW),))

    answer = await http.put(NOTICE, json=a_body(postalIban=POSTAL_IBAN))

    assert refusal(answer) == (422, "no_iban_registered")


@pytest.mark.parametrize("way", [{"iban": IBAN}, {"transfers": [A_TRANSFER]}])
async def test_a_notice_that_says_where_the_money_goes_needs_no_default(
    http: httpx.AsyncClient, application: Application, way: dict[str, Any]
) -> None:
    await register_institution(application)

    answer = await http.put(NOTICE, json=a_body(**way))

    assert answer.status_code == 201


async def test_a_notice_published_again_takes_the_default_of_that_moment(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_institution(application, ibans=(RegisteredIban(ANOTHER_IBAN, ACA, NOW),))
    clock.advance(MINUTE)

    again = await publish(http)

    assert (again["version"], *ibans_of(again)) == (2, ANOTHER_IBAN, None, "registered")
