"""The time of a declaration (occurredAt): it is kept on the event, and an older declaration is refused."""

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import EVENT_TYPES, NOTICE, amend, declare, history, pay, publish, refusal, violations
from tests.support import a_body

# PUT


async def test_the_time_of_the_declaration_is_kept_on_the_event(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T10:30:00+01:00")

    [published] = await history(http)
    assert (published["occurredAt"], published["recordedAt"]) == (
        "2026-11-23T09:30:00.000Z",
        "2026-11-23T10:00:00.000Z",
    )


async def test_the_time_of_the_declaration_is_not_content(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, occurredAt="2026-11-23T09:30:00Z")

    assert again["version"] == 1


async def test_a_declaration_older_than_the_known_one_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    answer = await http.put(NOTICE, json=a_body(amount=1, occurredAt="2026-11-23T08:59:59.999Z"))

    assert refusal(answer) == (409, "stale_declaration")


async def test_a_declaration_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, amount=1, occurredAt="2026-11-23T09:00:00Z")

    assert again["amount"] == 1


async def test_a_declaration_without_a_time_was_made_on_arrival(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(amount=1, occurredAt="2026-11-23T09:59:59.999Z"))

    assert refusal(answer) == (409, "stale_declaration")


async def test_a_declaration_that_changed_nothing_does_not_count_as_the_latest(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T08:00:00Z")
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, amount=1, occurredAt="2026-11-23T08:30:00Z")

    assert again["amount"] == 1


async def test_a_time_more_than_five_minutes_ahead_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(occurredAt="2026-11-23T10:05:00.001Z"))

    assert violations(answer) == [("occurredAt", "occurred_at_ahead")]


async def test_a_time_up_to_five_minutes_ahead_is_the_time_of_arrival(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T10:05:00Z")

    [published] = await history(http)
    assert published["occurredAt"] == "2026-11-23T10:00:00.000Z"


# PATCH and POST


async def test_an_amendment_older_than_the_publication_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    answer = await http.patch(NOTICE, json={"amount": 1, "occurredAt": "2026-11-23T08:59:59Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_amendment_older_than_another_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T07:00:00Z")
    await amend(http, {"amount": 1, "occurredAt": "2026-11-23T09:00:00Z"})

    answer = await http.patch(NOTICE, json={"amount": 2, "occurredAt": "2026-11-23T08:00:00Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_older_amendment_that_would_change_nothing_is_refused_too(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"occurredAt": "2026-11-23T09:00:00Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_amendment_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    amended = await amend(http, {"amount": 1, "occurredAt": "2026-11-23T09:00:00Z"})

    assert amended["amount"] == 1


async def test_an_amendment_up_to_five_minutes_ahead_was_made_on_arrival(http: httpx.AsyncClient) -> None:
    await publish(http)

    await amend(http, {"amount": 1, "occurredAt": "2026-11-23T10:05:00Z"})

    assert (await history(http))[1]["occurredAt"] == "2026-11-23T10:00:00.000Z"


async def test_an_end_is_not_ordered_with_the_content(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    assert answer.json()["status"] == "CANCELLED"


async def test_content_is_not_ordered_with_an_end(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T07:00:00Z")
    await declare(http, "cancelled", occurredAt="2026-11-23T08:00:00Z")
    await declare(http, "restored", occurredAt="2026-11-23T09:00:00Z")

    amended = await amend(http, {"amount": 1, "occurredAt": "2026-11-23T07:30:00Z"})

    assert amended["amount"] == 1


@pytest.mark.parametrize("event", EVENT_TYPES)
async def test_an_end_older_than_the_known_one_is_refused(http: httpx.AsyncClient, event: str) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, event, occurredAt="2026-11-23T08:00:00Z")

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_end_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, "restored", occurredAt="2026-11-23T09:00:00Z")

    assert answer.json()["status"] == "ACTIVE"


async def test_an_end_that_changed_nothing_does_not_count_as_the_latest(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T07:00:00Z")
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, "restored", occurredAt="2026-11-23T08:00:00Z")

    assert answer.json()["status"] == "ACTIVE"


async def test_the_order_of_declarations_is_checked_before_the_status(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")
    await pay(application)

    answer = await declare(http, "restored", occurredAt="2026-11-23T08:00:00Z")

    assert refusal(answer) == (409, "stale_declaration")


async def test_the_time_of_a_declared_end_is_kept_on_the_event(http: httpx.AsyncClient) -> None:
    await publish(http)

    await declare(http, "closed", occurredAt="2026-11-23T08:00:00+01:00")

    item = (await history(http))[1]
    assert (item["occurredAt"], item["recordedAt"]) == ("2026-11-23T07:00:00.000Z", "2026-11-23T10:00:00.000Z")
