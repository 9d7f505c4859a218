"""What GET answers of one notice: as it is, as it was, and what happened to it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.events import Role
from tests.conftest import PLATFORM_KEY
from tests.functions.client import (
    COMUNE,
    EVENTS,
    LENIENT_NOTICE,
    NOTICE,
    bring_to,
    declare,
    history,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
    settle,
    shown,
    types,
)
from tests.support import DAY, HOUR, IBAN, SECOND, StillClock, a_body, a_number

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


# History


async def test_the_first_item_of_the_history_is_the_publication(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert await history(http) == [
        {
            "version": 1,
            "type": "published",
            "recordedAt": "2026-11-23T10:00:00.000Z",
            "occurredAt": "2026-11-23T10:00:00.000Z",
            "actor": {"role": "creditor_institution", "name": "local-ec"},
            "statusBefore": None,
            "statusAfter": "ACTIVE",
            "changed": {},
        }
    ]


async def test_an_item_names_the_fields_that_changed_with_whole_values(http: httpx.AsyncClient) -> None:
    await publish(http, metadata={"a": "1"})

    await http.patch(NOTICE, json={"metadata": {"b": "2"}, "validFrom": "2026-12-01", "iban": None})

    assert (await history(http))[1]["changed"] == {
        "status": {"from": "ACTIVE", "to": "SCHEDULED"},
        "validFrom": {"from": None, "to": "2026-12-01"},
        "metadata": {"from": {"a": "1"}, "to": {"a": "1", "b": "2"}},
    }


async def test_an_item_tells_how_the_notice_ended(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)

    await declare(http, "cancelled", reason="Doppio", occurredAt="2026-11-23T10:30:00Z")

    assert (await history(http))[1] == {
        "version": 2,
        "type": "cancelled",
        "recordedAt": "2026-11-23T11:00:00.000Z",
        "occurredAt": "2026-11-23T10:30:00.000Z",
        "actor": {"role": "creditor_institution", "name": "local-ec"},
        "statusBefore": "ACTIVE",
        "statusAfter": "CANCELLED",
        "changed": {
            "status": {"from": "ACTIVE", "to": "CANCELLED"},
            "endReason": {"from": None, "to": "cancelled"},
        },
        "reason": "Doppio",
    }


async def test_an_item_names_the_anomaly_that_it_is(http: httpx.AsyncClient, application: Application) -> None:
    await bring_to("CLOSED", http, application)

    await pay(application)

    paid = (await history(http))[2]
    assert (paid["type"], paid["anomaly"], paid["changed"]["anomalies"]) == (
        "paid",
        "paid_twice",
        {"from": [], "to": ["paid_twice"]},
    )


@pytest.mark.parametrize("role", [Role.BROKER, Role.CREDITOR_INSTITUTION])
async def test_an_item_names_who_acted(http: httpx.AsyncClient, application: Application, role: Role) -> None:
    key = await register_caller(application, "somebody", role=role)

    await http.put(NOTICE, json=a_body(), headers=key)

    assert (await history(http))[0]["actor"] == {"role": role, "name": "somebody"}


async def test_what_time_did_was_done_by_the_archive_when_it_became_true(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, validFrom="2026-11-24")
    clock.advance(DAY)

    await declare(http, "closed", reason="Allo sportello")

    assert (await history(http))[1] == {
        "version": 2,
        "type": "activated",
        "recordedAt": "2026-11-24T10:00:00.000Z",
        "occurredAt": "2026-11-23T23:00:00.000Z",
        "actor": {"role": "archive", "name": "archive"},
        "statusBefore": "SCHEDULED",
        "statusAfter": "ACTIVE",
        "changed": {"status": {"from": "SCHEDULED", "to": "ACTIVE"}},
    }


async def test_the_history_is_told_oldest_first(http: httpx.AsyncClient) -> None:
    await publish(http)
    for amount in range(1, 12):
        await publish(http, amount=amount)

    assert [item["version"] for item in await history(http)] == [*range(1, 13)]


async def test_a_history_is_read_page_by_page(http: httpx.AsyncClient) -> None:
    for amount in range(1, 6):
        await publish(http, amount=amount)

    first = (await http.get(EVENTS, params={"limit": 2})).json()
    second = (await http.get(EVENTS, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    last = (await http.get(EVENTS, params={"cursor": second["nextCursor"]})).json()

    assert [[item["version"] for item in page["items"]] for page in (first, second, last)] == [[1, 2], [3, 4], [5]]
    assert last["nextCursor"] is None


async def test_a_page_that_ends_with_the_last_event_has_no_cursor(http: httpx.AsyncClient) -> None:
    for amount in (1, 2):
        await publish(http, amount=amount)

    assert (await http.get(EVENTS, params={"limit": 2})).json()["nextCursor"] is None


async def test_an_event_that_comes_between_two_pages_is_on_the_second(http: httpx.AsyncClient) -> None:
    for amount in (1, 2):
        await publish(http, amount=amount)
    first = (await http.get(EVENTS, params={"limit": 1})).json()
    await publish(http, amount=3)

    second = (await http.get(EVENTS, params={"cursor": first["nextCursor"]})).json()

    assert [item["version"] for item in second["items"]] == [2, 3]


async def test_the_cursor_of_a_history_belongs_to_its_notice(http: httpx.AsyncClient) -> None:
    other = path_of(a_number(2))
    for path in (NOTICE, other):
        for amount in (1, 2):
            await publish(http, path, amount=amount)
    cursor = (await http.get(EVENTS, params={"limit": 1})).json()["nextCursor"]

    answer = await http.get(f"{other}/events", params={"cursor": cursor})

    assert refusal(answer) == (400, "invalid_cursor")


@pytest.mark.parametrize("parts", [[], [1], ["{print}", "1"], ["{print}", 0], ["{print}", -1], ["{print}", 1, 2], {}])
async def test_a_cursor_that_the_archive_did_not_make_is_refused(http: httpx.AsyncClient, parts: object) -> None:
    for amount in (1, 2):
        await publish(http, amount=amount)
    cursor = (await http.get(EVENTS, params={"limit": 1})).json()["nextCursor"]
    (fingerprint, _) = json.loads(urlsafe_b64decode(cursor + "=="))
    forged = urlsafe_b64encode(json.dumps(parts).replace("{print}", fingerprint).encode()).decode().rstrip("=")

    assert refusal(await http.get(EVENTS, params={"cursor": forged})) == (400, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.0"])
async def test_a_page_of_a_history_holds_1_to_500_events(http: httpx.AsyncClient, limit: str) -> None:
    await publish(http)

    assert refusal(await http.get(EVENTS, params={"limit": limit})) == (400, "invalid_parameter")


async def test_a_history_knows_no_other_parameter(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await http.get(f"{EVENTS}?page=1")) == (400, "invalid_parameter")


# As of a moment


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
    clock.advance(PAST_DUE)

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
