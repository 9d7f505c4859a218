"""A notice as it was recorded at a moment."""

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import (
    NOTICE,
    declare,
    pay,
    publish,
    refusal,
)
from tests.support import DAY, HOUR, IBAN, StillClock, a_number


async def as_of(http: httpx.AsyncClient, at: str) -> httpx.Response:
    """Ask for the notice as the archive knew it at a moment."""
    return await http.get(f"{NOTICE}?at={at}")


async def test_a_notice_is_shown_as_it_was_known_at_a_moment(http: httpx.AsyncClient, clock: StillClock) -> None:
    published = await publish(http, metadata={"a": "1"})
    clock.advance(HOUR)
    await publish(http, amount=1, description="Altro", dueDate="2027-01-31", metadata={"b": "2"}, iban=IBAN)

    answer = await as_of(http, "2026-11-23T10:59:59.999Z")

    assert (answer.status_code, answer.json()) == (200, published)


async def test_a_notice_as_of_a_moment_is_tagged_with_its_version_and_status_then(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, validFrom="2026-11-24")
    clock.advance(HOUR)
    await publish(http, validFrom="2026-11-24", amount=1)
    clock.advance(2 * DAY)

    tags = [
        (await as_of(http, at)).headers["etag"]
        for at in ("2026-11-23T10:30:00Z", "2026-11-23T11:00:00Z", "2026-11-24T11:00:00Z")
    ]

    assert tags == ['"1-SCHEDULED"', '"2-SCHEDULED"', '"2-ACTIVE"']


async def test_a_client_that_has_the_notice_as_it_was_is_not_sent_it_again(http: httpx.AsyncClient) -> None:
    await publish(http)
    tag = (await as_of(http, "2026-11-23T10:00:00Z")).headers["etag"]

    answer = await http.get(f"{NOTICE}?at=2026-11-23T10:00:00Z", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.headers["etag"]) == (304, tag)


async def test_a_notice_is_known_from_the_moment_of_its_publication(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    answer = await as_of(http, "2026-11-23T10:00:00Z")

    assert answer.json() == published


async def test_a_change_is_known_from_the_moment_it_was_recorded(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)
    replaced = await publish(http, amount=1)
    clock.advance(HOUR)
    await publish(http, amount=2)

    answer = await as_of(http, "2026-11-23T11:00:00Z")

    assert answer.json() == replaced


async def test_a_change_is_not_known_from_the_moment_it_was_declared_for(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    published = await publish(http, occurredAt="2026-11-23T09:00:00Z")
    clock.advance(HOUR)
    await publish(http, amount=1, occurredAt="2026-11-23T09:30:00Z")

    answer = await as_of(http, "2026-11-23T10:30:00Z")

    assert answer.json() == published


async def test_before_its_publication_a_notice_was_not_there(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await as_of(http, "2026-11-23T09:59:59.999Z")) == (404, "notice_not_found")


async def test_a_notice_was_not_there_while_it_was_only_paid(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await pay(application)
    clock.advance(HOUR)
    await publish(http)

    assert refusal(await as_of(http, "2026-11-23T10:30:00Z")) == (404, "notice_not_found")


async def test_the_future_is_not_known(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await as_of(http, "2026-11-23T10:00:00.001Z")

    assert (refusal(answer), answer.json()["violations"][0]["code"]) == ((400, "invalid_parameter"), "in_the_future")


async def test_the_status_shown_was_true_at_the_moment(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, validFrom="2026-11-24", switchToExpired=True)
    clock.advance(24 * DAY)  # the due date of a_body has passed

    assert [(await as_of(http, at)).json()["status"] for at in ("2026-11-23T22:59:59Z", "2026-11-23T23:00:00Z")] == [
        "SCHEDULED",
        "ACTIVE",
    ]


async def test_a_status_that_was_written_down_later_was_true_before(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, validFrom="2026-11-24")
    clock.advance(2 * DAY)
    await publish(http, validFrom="2026-11-24", amount=1)

    answer = await as_of(http, "2026-11-24T10:00:00Z")

    assert (answer.json()["version"], answer.json()["status"]) == (1, "ACTIVE")


async def test_an_end_that_was_declared_later_was_not_known_before(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    published = await publish(http)
    clock.advance(HOUR)
    await declare(http, "cancelled", replacedBy=a_number(2), reason="x")
    await pay(application)

    answer = await as_of(http, "2026-11-23T10:30:00Z")

    assert answer.json() == published


@pytest.mark.parametrize(
    ("given", "knows"),
    [
        ("2026-11-23T11:30:00%2B01:00", 1),
        ("2026-11-23T11:30:00+01:00", 1),
        ("2026-11-23T11:30:00%2001:00", 1),
        ("2026-11-23T11:30:00", 1),
        ("2026-11-23T12:00:00", 2),
        ("2026-11-23t11:00:00z", 2),
    ],
)
async def test_a_moment_is_a_date_time_with_or_without_offset(
    http: httpx.AsyncClient, clock: StillClock, given: str, knows: int
) -> None:
    await publish(http)
    clock.advance(HOUR)
    await publish(http, amount=1)

    answer = await as_of(http, given)

    assert answer.json()["version"] == knows


@pytest.mark.parametrize(
    "given", ["", "x", "2026-11-23", "2026-11-23T10:00Z", "2026-02-30T10:00:00Z", "1999-12-31T10:00:00Z", "1795428000"]
)
async def test_a_moment_that_is_none_is_refused(http: httpx.AsyncClient, given: str) -> None:
    await publish(http)

    answer = await as_of(http, given)

    assert (refusal(answer), answer.json()["violations"][0]["field"]) == ((400, "invalid_parameter"), "at")
