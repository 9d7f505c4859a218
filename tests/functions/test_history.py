"""The history of a notice."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.amounts import Amount
from shared.domain.events import Role
from tests.functions.client import (
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
)
from tests.support import ADDRESS, DAY, HOUR, StillClock, a_body, a_number, an_act, an_institution


def forged(cursor: str, parts: object) -> str:
    """Return a cursor of these parts. `{print}` in them is the fingerprint of a real cursor."""
    (fingerprint, _) = json.loads(urlsafe_b64decode(cursor + "=="))
    return urlsafe_b64encode(json.dumps(parts).replace("{print}", fingerprint).encode()).decode().rstrip("=")


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


async def test_a_page_of_a_history_holds_a_hundred_events_unless_asked(http: httpx.AsyncClient) -> None:
    for amount in range(1, 102):
        await publish(http, amount=amount)

    page = (await http.get(EVENTS)).json()
    rest = (await http.get(EVENTS, params={"cursor": page["nextCursor"]})).json()

    assert [len(each["items"]) for each in (page, rest)] == [100, 1]
    assert [page["items"][-1]["version"], rest["items"][0]["version"], rest["nextCursor"]] == [100, 101, None]


async def test_a_page_of_a_history_holds_up_to_five_hundred_events(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http)
    for amount in range(1, 501):
        changes = {"amount": Amount(amount)}
        await application.archive.amend(ADDRESS, changes, an_institution(), an_act(application.archive.clock()))

    page = (await http.get(EVENTS, params={"limit": 500})).json()
    rest = (await http.get(EVENTS, params={"limit": 500, "cursor": page["nextCursor"]})).json()

    assert [item["version"] for item in page["items"]] == [*range(1, 501)]
    assert ([item["version"] for item in rest["items"]], rest["nextCursor"]) == ([501], None)


async def test_a_page_of_large_events_is_shorter_than_its_limit(
    http: httpx.AsyncClient, application: Application
) -> None:
    for serial in range(150):  # each event has all receipts before and after it
        await pay(application, receipt_id=f"receipt-{serial}")
    await publish(http)  # a notice that was paid has an event more

    found, sizes = list[int](), list[int]()
    parameters: dict[str, str] | None = {"limit": "500"}
    while parameters:
        page = (await http.get(EVENTS, params=parameters)).json()
        found += [item["version"] for item in page["items"]]
        sizes.append(len(page["items"]))
        parameters = {"limit": "500", "cursor": page["nextCursor"]} if page["nextCursor"] else None

    assert found == [*range(1, 153)]
    assert len(sizes) > 1


async def test_a_page_of_a_history_may_be_longer_than_the_one_before(http: httpx.AsyncClient) -> None:
    for amount in range(1, 6):
        await publish(http, amount=amount)
    first = (await http.get(EVENTS, params={"limit": 1})).json()

    rest = (await http.get(EVENTS, params={"limit": 500, "cursor": first["nextCursor"]})).json()

    assert [item["version"] for item in rest["items"]] == [2, 3, 4, 5]


@pytest.mark.parametrize("version", [2, 3, 10**9])
async def test_behind_the_last_event_is_an_empty_page(http: httpx.AsyncClient, version: int) -> None:
    for amount in (1, 2):
        await publish(http, amount=amount)
    first = (await http.get(EVENTS, params={"limit": 1})).json()

    answer = await http.get(EVENTS, params={"cursor": forged(first["nextCursor"], ["{print}", version])})

    assert (answer.status_code, answer.json()) == (200, {"items": [], "nextCursor": None})


async def test_the_cursor_of_a_history_belongs_to_its_institution(http: httpx.AsyncClient) -> None:
    for path in (NOTICE, LENIENT_NOTICE):
        for amount in (1, 2):
            await publish(http, path, amount=amount)
    cursor = (await http.get(EVENTS, params={"limit": 1})).json()["nextCursor"]

    answer = await http.get(f"{LENIENT_NOTICE}/events", params={"cursor": cursor})

    assert refusal(answer) == (400, "invalid_cursor")


async def test_the_cursor_of_a_history_belongs_to_its_notice(http: httpx.AsyncClient) -> None:
    other = path_of(a_number(2))
    for path in (NOTICE, other):
        for amount in (1, 2):
            await publish(http, path, amount=amount)
    cursor = (await http.get(EVENTS, params={"limit": 1})).json()["nextCursor"]

    answer = await http.get(f"{other}/events", params={"cursor": cursor})

    assert refusal(answer) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "parts", [[], [1], ["{print}", "1"], ["{print}", 0], ["{print}", -1], ["{print}", 10**9 + 1], ["{print}", 1, 2], {}]
)
async def test_a_cursor_that_the_archive_did_not_make_is_refused(http: httpx.AsyncClient, parts: object) -> None:
    for amount in (1, 2):
        await publish(http, amount=amount)
    cursor = (await http.get(EVENTS, params={"limit": 1})).json()["nextCursor"]

    assert refusal(await http.get(EVENTS, params={"cursor": forged(cursor, parts)})) == (400, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.0"])
async def test_a_page_of_a_history_holds_1_to_500_events(http: httpx.AsyncClient, limit: str) -> None:
    await publish(http)

    assert refusal(await http.get(EVENTS, params={"limit": limit})) == (400, "invalid_parameter")


async def test_a_history_knows_no_other_parameter(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert refusal(await http.get(f"{EVENTS}?page=1")) == (400, "invalid_parameter")
