"""What a list shows, and to whom."""

import httpx

from shared.bootstrap import Application
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    notices_of,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
    settle,
    shown,
)
from tests.functions.lists import listed, numbers, pages, publish_one
from tests.stores import both_stores
from tests.support import (
    a_body,
    a_number,
)

pytestmark = both_stores


# What is shown


async def test_an_institution_without_notices_has_an_empty_list(http: httpx.AsyncClient) -> None:
    assert await listed(http) == {"items": [], "nextCursor": None}


async def test_a_list_shows_notices_as_get_does(http: httpx.AsyncClient) -> None:
    number = await publish_one(http, 1, validFrom="2026-12-01", metadata={"k": "v"})

    assert (await listed(http))["items"] == [await shown(http, path_of(number))]


async def test_a_list_shows_the_notices_of_one_institution(http: httpx.AsyncClient) -> None:
    await publish(http, path_of(institution=COMUNE))
    number = await publish_one(http, 1)

    assert await numbers(http) == [number]


async def test_an_institution_that_nobody_registered_has_no_list(http: httpx.AsyncClient) -> None:
    answer = await http.get(notices_of("12345678903"), headers=PLATFORM_KEY)

    assert refusal(answer) == (404, "institution_not_found")


async def test_a_notice_that_was_only_paid_is_in_no_list(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    assert await numbers(http) == []


async def test_a_notice_that_was_only_settled_is_not_listed_by_its_anomaly(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)
    await settle(application, flow_id="flow-2")

    assert await numbers(http, "anomaly=true") == []


# What is granted


async def test_only_granted_segregation_codes_are_listed(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    granted = [await publish_one(http, 1, "47"), await publish_one(http, 1, "48")]
    for number in (a_number(1, "49"), a_number(1, "46"), "001000000000000141", "100000000000000102"):
        await http.put(path_of(number), json=a_body(), headers=key)

    assert await numbers(http) == granted


async def test_who_was_granted_every_segregation_code_is_shown_all(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "all")
    published = ["001000000000000141", "100000000000000102", a_number(1, "46"), a_number(1, "47"), a_number(1, "99")]
    for number in published:
        await http.put(path_of(number), json=a_body(), headers=key)

    assert await numbers(http, headers=key) == published


async def test_a_lenient_number_is_listed_only_with_every_segregation_code(
    http: httpx.AsyncClient, application: Application
) -> None:
    for number in ("347", "3470000000000001", "347abc", "34700000000000012A", "347000000000000125"):
        await publish(http, path_of(number, COMUNE))
    key = await register_caller(application, "one-code", grants={COMUNE: frozenset({"47"})})

    answer = await http.get(notices_of(COMUNE), headers=key)

    assert [notice["noticeNumber"] for notice in answer.json()["items"]] == ["347000000000000125"]


async def test_pages_hold_only_what_is_granted(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "all")
    for serial in range(1, 5):
        await http.put(path_of(a_number(serial, "46")), json=a_body(), headers=key)
    granted = [await publish_one(http, serial, "47") for serial in range(1, 5)]
    for serial in range(1, 5):
        await http.put(path_of(a_number(serial, "50")), json=a_body(), headers=key)

    assert await pages(http, "limit=2") == [granted[:2], granted[2:]]
