"""PUT of a notice whose payment or settlement came first."""

import httpx

from shared.bootstrap import Application
from tests.functions.client import A_TRANSFER, NOTICE, history, pay, publish, refusal, settle
from tests.support import HOUR, StillClock, a_body


async def test_a_notice_that_was_paid_before_is_created_paid(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body())

    assert (answer.status_code, answer.json()["status"]) == (201, "PAID")


async def test_a_notice_that_was_paid_before_is_published_and_paid_in_one_save(
    http: httpx.AsyncClient, application: Application
) -> None:
    await pay(application)

    await publish(http)

    assert [(item["version"], item["type"], item["statusAfter"]) for item in await history(http)] == [
        (1, "awaited", "AWAITED"),
        (2, "published", "ACTIVE"),
        (3, "paid", "PAID"),
    ]


async def test_a_notice_that_was_settled_before_is_created_reported(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)

    answer = await http.put(NOTICE, json=a_body())

    assert (answer.status_code, answer.json()["status"]) == (201, "REPORTED")


async def test_a_notice_that_was_settled_in_part_before_is_created_paid(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)
    transfers = [{**A_TRANSFER, "amount": 12000}, {**A_TRANSFER, "id": 2, "amount": 50}]

    published = await publish(http, transfers=transfers)

    assert published["status"] == "PAID"


async def test_a_notice_that_was_only_paid_counts_as_new(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"})

    assert answer.status_code == 201


async def test_a_notice_that_was_only_paid_has_no_version(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-Match": '"1-AWAITED"'})

    assert refusal(answer) == (412, "precondition_failed")


async def test_a_notice_that_was_only_paid_may_have_a_due_date_in_the_past(
    http: httpx.AsyncClient, application: Application
) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-11-22", switchToExpired=True))

    assert (answer.status_code, answer.json()["status"]) == (201, "PAID")


async def test_the_payment_that_came_before_is_shown(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    published = await publish(http)

    assert [payment["receiptId"] for payment in published["payments"]] == ["receipt-1"]


async def test_the_time_of_publication_is_the_one_of_the_put(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await pay(application)
    clock.advance(HOUR)

    published = await publish(http)

    assert published["publishedAt"] == "2026-11-23T11:00:00.000Z"
