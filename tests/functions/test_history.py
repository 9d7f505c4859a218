"""The history of a notice."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.events import Role
from tests.functions.client import (
    EVENTS,
    NOTICE,
    bring_to,
    declare,
    history,
    path_of,
    pay,
    publish,
    refusal,
    register_caller,
)
from tests.support import DAY, HOUR, StillClock, a_body, a_number


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
