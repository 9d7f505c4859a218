"""What GET answers of one notice: as it is, as it was, and what happened to it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    EVENTS,
    LENIENT_NOTICE,
    NOTICE,
    bring_to,
    path_of,
    pay,
    publish,
    refusal,
    settle,
    shown,
    types,
)
from tests.support import DAY, HOUR, SECOND, StillClock, a_body

PAST_DUE = timedelta(days=24)
"""After it the due date of a_body has passed."""


async def test_a_published_notice_is_read_as_it_was_published(http: httpx.AsyncClient) -> None:
    published = await http.put(NOTICE, json=a_body())

    read = await http.get(NOTICE)

    assert read.status_code == 200
    assert read.json() == published.json()


async def test_a_notice_is_json(http: httpx.AsyncClient) -> None:
    await publish(http)

    read = await http.get(NOTICE)

    assert read.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "waited", "status"),
    [
        ({}, DAY, "ACTIVE"),
        ({}, PAST_DUE, "ACTIVE"),
        ({"switchToExpired": True}, PAST_DUE - 11 * HOUR - SECOND, "ACTIVE"),
        ({"switchToExpired": True}, PAST_DUE - 11 * HOUR, "EXPIRED"),
        ({"validFrom": "2026-11-24"}, 13 * HOUR - SECOND, "SCHEDULED"),
        ({"validFrom": "2026-11-24"}, 13 * HOUR, "ACTIVE"),
        ({"validFrom": "2026-11-24", "switchToExpired": True}, PAST_DUE, "EXPIRED"),
    ],
)
async def test_the_status_is_the_one_true_now(
    http: httpx.AsyncClient, clock: StillClock, changes: dict[str, Any], waited: timedelta, status: str
) -> None:
    await publish(http, **changes)
    clock.advance(waited)

    assert (await shown(http))["status"] == status


async def test_a_read_writes_nothing(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(PAST_DUE)
    await shown(http)

    assert await types(http) == ["published"]


async def test_a_paid_notice_shows_its_payments(http: httpx.AsyncClient, application: Application) -> None:
    await bring_to("PAID", http, application)

    assert (await shown(http))["payments"] == [
        {
            "receiptId": "receipt-1",
            "amount": 12050,
            "paidAt": "2026-11-23T10:00:00.000Z",
            "standIn": False,
            "pspId": "ABI03069",
        }
    ]


async def test_a_reported_notice_shows_its_settlements(http: httpx.AsyncClient, application: Application) -> None:
    await bring_to("REPORTED", http, application)

    assert (await shown(http))["settlements"] == [
        {"flowId": "flow-1", "transferId": 1, "amount": 12050, "outcomeCode": 0, "paymentDate": "2026-11-23"}
    ]


async def test_anomalies_are_shown_in_order(http: httpx.AsyncClient, application: Application) -> None:
    await bring_to("CANCELLED", http, application)
    await pay(application)
    await pay(application, receipt_id="receipt-2")

    assert (await shown(http))["anomalies"] == ["paid_after_cancellation", "paid_twice"]


@pytest.mark.parametrize("field", ["payments", "settlements", "endReason", "replacedBy", "anomalies"])
async def test_what_has_not_happened_is_not_shown(http: httpx.AsyncClient, field: str) -> None:
    await publish(http)

    assert field not in await shown(http)


# Tags


async def test_the_tag_is_version_and_status_now(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    await publish(http, switchToExpired=True, amount=1)
    clock.advance(PAST_DUE)

    read = await http.get(NOTICE)

    assert read.headers["etag"] == '"2-EXPIRED"'


@pytest.mark.parametrize("tag", ['"1-ACTIVE"', 'W/"1-ACTIVE"', '"7-PAID", "1-ACTIVE"', "*", '"foreign",W/"1-ACTIVE"'])
async def test_a_client_that_has_the_notice_is_not_sent_it_again(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)

    read = await http.get(NOTICE, headers={"If-None-Match": tag})

    assert (read.status_code, read.content) == (304, b"")


async def test_an_answer_without_the_notice_has_its_tag(http: httpx.AsyncClient) -> None:
    await publish(http)

    read = await http.get(NOTICE, headers={"If-None-Match": '"1-ACTIVE"'})

    assert read.headers["etag"] == '"1-ACTIVE"'


@pytest.mark.parametrize("tag", ['"2-ACTIVE"', '"1-EXPIRED"', '"1"', '"foreign"', '"1-ACTIVE-x"', '""'])
async def test_a_client_that_has_something_else_is_sent_the_notice(http: httpx.AsyncClient, tag: str) -> None:
    published = await publish(http)

    read = await http.get(NOTICE, headers={"If-None-Match": tag})

    assert (read.status_code, read.json()) == (200, published)


async def test_a_client_is_sent_the_notice_when_time_changed_its_status(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    published = await publish(http, switchToExpired=True)
    clock.advance(PAST_DUE)

    read = await http.get(NOTICE, headers={"If-None-Match": '"1-ACTIVE"'})

    assert (read.status_code, read.json()) == (200, {**published, "status": "EXPIRED"})


async def test_a_client_that_has_the_new_status_is_not_sent_the_notice(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(PAST_DUE)

    read = await http.get(NOTICE, headers={"If-None-Match": '"1-EXPIRED"'})

    assert read.status_code == 304


@pytest.mark.parametrize("tag", ["1-ACTIVE", '"1-ACTIVE', "", '"a" "b"', '*, "1-ACTIVE"'])
async def test_a_tag_that_cannot_be_read_is_refused(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)

    read = await http.get(NOTICE, headers={"If-None-Match": tag})

    assert refusal(read) == (400, "invalid_header")


# What is not there

READS = [NOTICE, EVENTS, f"{NOTICE}?at=2026-11-23T10:00:00Z"]


@pytest.mark.parametrize("path", READS)
async def test_a_notice_that_nobody_published_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    assert refusal(await http.get(path)) == (404, "notice_not_found")


@pytest.mark.parametrize("path", READS)
async def test_a_notice_that_was_only_paid_is_not_there(
    http: httpx.AsyncClient, application: Application, path: str
) -> None:
    await pay(application)

    assert refusal(await http.get(path)) == (404, "notice_not_found")


@pytest.mark.parametrize("path", READS)
async def test_a_notice_that_was_only_settled_is_not_there(
    http: httpx.AsyncClient, application: Application, path: str
) -> None:
    await settle(application)

    assert refusal(await http.get(path)) == (404, "notice_not_found")


@pytest.mark.parametrize("path", READS)
async def test_an_institution_that_nobody_registered_has_no_notices(http: httpx.AsyncClient, path: str) -> None:
    read = await http.get(path.replace("15376371009", "12345678903"), headers=PLATFORM_KEY)

    assert refusal(read) == (404, "institution_not_found")


@pytest.mark.parametrize("number", ["347000000000000125", "1", "Z" * 36, "a-b", "%00", "%20", "%2F"])
async def test_a_number_that_breaks_its_form_names_no_notice(http: httpx.AsyncClient, number: str) -> None:
    assert refusal(await http.get(path_of(number, COMUNE))) == (404, "notice_not_found")


async def test_the_notice_of_another_institution_is_another_notice(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await http.get(LENIENT_NOTICE)) == (404, "notice_not_found")


@pytest.mark.parametrize("query", ["status=ACTIVE", "At=2026-11-23T10:00:00Z", "at=2026-11-23T10:00:00Z&x=1", "limit="])
async def test_a_parameter_that_is_not_known_is_refused(http: httpx.AsyncClient, query: str) -> None:
    await publish(http)

    assert refusal(await http.get(f"{NOTICE}?{query}")) == (400, "invalid_parameter")
