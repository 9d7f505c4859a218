"""Who may ask whether a notice can be paid in Stand-In."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY, Scope
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address
from tests.conftest import EC_KEY, PLATFORM_KEY
from tests.functions.bad_input import ODD_NUMBERS
from tests.functions.client import (
    COMUNE,
    KEY,
    NOTICE,
    UNREGISTERED,
    declare,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
)
from tests.functions.payability_client import UNKNOWN, ask
from tests.support import INSTITUTION, NUMBER, a_number

STAND_IN = frozenset({Scope.STAND_IN_READ})
EVERY_CODE = frozenset({EVERY})


async def test_without_a_key_nothing_is_said(http: httpx.AsyncClient) -> None:
    await publish(http)
    http.headers.pop(KEY)

    assert refusal(await ask(http, key={})) == (401, "unauthenticated")


async def test_an_unknown_key_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await ask(http, key={KEY: "unknown"})) == (401, "unauthenticated")


@pytest.mark.parametrize("scope", sorted({*Scope} - STAND_IN))
async def test_no_other_scope_is_enough(http: httpx.AsyncClient, application: Application, scope: Scope) -> None:
    key = await register_caller(application, "another", scopes=frozenset({scope}))
    await publish(http)

    answer = await ask(http, key=key)

    assert refusal(answer) == (403, "scope_not_granted")
    assert "stand-in:read" in answer.json()["detail"]


async def test_an_institution_that_publishes_may_not_ask(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await ask(http, key=EC_KEY)) == (403, "scope_not_granted")


async def test_the_scope_of_stand_in_is_enough_and_opens_nothing_else(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "stand-in", scopes=STAND_IN)
    await publish(http)

    answer = await ask(http, key=key)

    assert (answer.status_code, answer.json()["payable"]) == (200, True)
    assert refusal(await http.get(NOTICE, headers=key)) == (403, "scope_not_granted")
    assert refusal(await http.patch(NOTICE, json={"amount": 1}, headers=key)) == (403, "scope_not_granted")


@pytest.mark.parametrize(
    ("grants", "code"),
    [
        ({COMUNE: EVERY_CODE}, "institution_not_granted"),
        ({INSTITUTION: frozenset({"48"})}, "segregation_code_not_granted"),
        ({EVERY: frozenset({"48"})}, "segregation_code_not_granted"),
    ],
)
async def test_the_grant_for_another_institution_or_code_opens_nothing(
    http: httpx.AsyncClient, application: Application, grants: dict[str, frozenset[str]], code: str
) -> None:
    key = await register_caller(application, "stand-in", scopes=STAND_IN, grants=grants)
    await publish(http)

    assert refusal(await ask(http, key=key)) == (403, code)


async def test_the_grant_of_a_code_opens_its_notices(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "stand-in", scopes=STAND_IN, grants={INSTITUTION: frozenset({"48"})})
    path = path_of(a_number(1, "48"))
    await publish(http, path)

    answer = await ask(http, path, key)

    assert (answer.status_code, answer.json()["payable"]) == (200, True)


@pytest.mark.parametrize("number", ["001000000000000141", "347", "x", *ODD_NUMBERS.values()])
async def test_a_number_without_a_segregation_code_needs_the_grant_of_every_code(
    http: httpx.AsyncClient, application: Application, number: str
) -> None:
    some = await register_caller(application, "some", scopes=STAND_IN, grants={INSTITUTION: frozenset({"47"})})
    every = await register_caller(application, "every", scopes=STAND_IN)

    refused, answer = await ask(http, path_of(number), some), await ask(http, path_of(number), every)

    assert refusal(refused) == (403, "segregation_code_not_granted")
    assert (answer.status_code, answer.json()["fault"]) == (200, UNKNOWN)


DENIED: list[tuple[str, dict[str, Any]]] = [
    ("no scope", {"scopes": frozenset({Scope.NOTICES_READ})}),
    ("no institution", {"scopes": STAND_IN, "grants": {COMUNE: EVERY_CODE}}),
    ("no segregation code", {"scopes": STAND_IN, "grants": {INSTITUTION: frozenset({"48"})}}),
]


@pytest.mark.parametrize(("name", "granted"), DENIED, ids=[name for name, _ in DENIED])
async def test_who_is_denied_learns_nothing_of_the_notice(
    http: httpx.AsyncClient, application: Application, name: str, granted: dict[str, Any]
) -> None:
    key = await register_caller(application, "denied", **granted)
    before = await ask(http, key=key)
    await publish(http)
    published = await ask(http, key=key)
    await declare(http, "cancelled")
    await pay(application)
    paid = await ask(http, key=key)

    assert before.status_code == 403
    assert before.content == published.content == paid.content


async def test_an_institution_that_is_not_registered_is_404_for_a_caller_of_every_institution(
    http: httpx.AsyncClient,
) -> None:
    assert refusal(await ask(http, UNREGISTERED)) == (404, "institution_not_found")


async def test_who_is_denied_an_institution_does_not_learn_whether_it_is_registered(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "stand-in", scopes=STAND_IN)

    assert refusal(await ask(http, UNREGISTERED, key)) == (403, "institution_not_granted")


async def test_an_institution_that_is_not_registered_is_404_even_if_money_came_for_it(
    http: httpx.AsyncClient, application: Application
) -> None:
    await pay(application, Address(InstitutionCode("12345678903"), NUMBER))

    assert refusal(await ask(http, UNREGISTERED)) == (404, "institution_not_found")


@pytest.mark.parametrize(
    ("path", "key", "code"),
    [
        (f"{UNREGISTERED}/payability?x=1", {KEY: "unknown"}, "unauthenticated"),
        (f"{UNREGISTERED}/payability?x=1", EC_KEY, "scope_not_granted"),
        (f"{UNREGISTERED}/payability?x=1", PLATFORM_KEY, "invalid_parameter"),
        (f"{path_of('x', '12345678903')}/payability", PLATFORM_KEY, "institution_not_found"),
        (f"{NOTICE}/payability?at=2026-11-23T10:00:00Z", PLATFORM_KEY, "invalid_parameter"),
    ],
)
async def test_of_several_reasons_to_refuse_the_first_is_told(
    http: httpx.AsyncClient, path: str, key: dict[str, str], code: str
) -> None:
    answer = await http.get(path, headers=key)

    assert refusal(answer)[1] == code
