"""PUT creates a notice, replaces it, or changes nothing."""

from typing import Any

import httpx
import pytest

from tests.functions.client import A_STAMP_TRANSFER, A_TRANSFER, NOTICE, history, publish, shown, types
from tests.support import HOUR, IBAN, INSTITUTION, NUMBER, POSTAL_IBAN, StillClock, a_body


async def test_a_new_notice_is_created(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.status_code == 201


async def test_a_created_notice_shows_what_was_declared_and_what_the_archive_adds(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.json() == {
        "creditorInstitution": INSTITUTION,
        "noticeNumber": NUMBER,
        "iuv": NUMBER[1:],
        "origin": "ec",
        "status": "ACTIVE",
        "version": 1,
        "publishedAt": "2026-11-23T10:00:00.000Z",
        "updatedAt": "2026-11-23T10:00:00.000Z",
        "ibanSource": "registered",
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "dueDate": "2026-12-16",
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        "iban": POSTAL_IBAN,
        "postalIban": POSTAL_IBAN,
        "validFrom": None,
        "switchToExpired": False,
        "payStandIn": True,
        "transfers": [],
        "iupd": None,
        "companyName": None,
        "officeName": None,
        "metadata": {},
    }


async def test_a_created_notice_has_a_tag_of_version_and_status(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.headers["etag"] == '"1-ACTIVE"'


async def test_a_created_notice_is_read_as_it_was_answered(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    assert await shown(http) == published


async def test_a_notice_published_again_is_the_same_version(http: httpx.AsyncClient, clock: StillClock) -> None:
    published = await publish(http)
    clock.advance(HOUR)

    again = await http.put(NOTICE, json=a_body())

    assert (again.status_code, again.json()) == (200, published)


async def test_a_notice_published_again_makes_no_event(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)

    await http.put(NOTICE, json=a_body())

    assert await types(http) == ["published"]


async def test_a_date_written_another_way_is_the_same_content(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-12-16T10:00:00+01:00")

    again = await publish(http, dueDate="2026-12-16T09:00:00.000Z")

    assert again["version"] == 1


async def test_a_day_and_the_instant_at_which_it_ends_are_different_content(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-12-16")

    again = await publish(http, dueDate="2026-12-16T23:00:00Z")

    assert again["version"] == 2


async def test_a_known_notice_is_replaced(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    replaced = await http.put(NOTICE, json=a_body(amount=13000))

    assert replaced.status_code == 200
    assert replaced.json() == {**published, "amount": 13000, "version": 2}


async def test_a_replaced_notice_is_amended_in_the_fields_that_changed(http: httpx.AsyncClient) -> None:
    await publish(http)

    await publish(http, amount=13000)

    amended = (await history(http))[1]
    assert (amended["type"], amended["changed"]) == ("amended", {"amount": {"from": 12050, "to": 13000}})


async def test_a_replaced_notice_keeps_the_time_of_its_publication(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)

    replaced = await publish(http, amount=13000)

    assert (replaced["publishedAt"], replaced["updatedAt"]) == ("2026-11-23T10:00:00.000Z", "2026-11-23T11:00:00.000Z")


@pytest.mark.parametrize(
    ("field", "value", "default"),
    [
        ("validFrom", "2026-11-01", None),
        ("switchToExpired", True, False),
        ("payStandIn", False, True),
        ("transfers", [A_TRANSFER], []),
        ("iupd", "IUPD-1", None),
        ("companyName", "Comune di Esempio", None),
        ("officeName", "Tributi", None),
        ("metadata", {"key": "value"}, {}),
        ("iban", IBAN, POSTAL_IBAN),
    ],
)
@pytest.mark.parametrize("left_out", [..., None], ids=["left out", "null"])
async def test_a_field_that_a_replacement_does_not_give_has_its_default_again(
    http: httpx.AsyncClient, field: str, value: Any, default: Any, left_out: Any
) -> None:
    await publish(http, **{field: value})

    replaced = await publish(http, **{field: left_out})

    assert replaced[field] == default


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ACTIVE"),
        ({"validFrom": "2026-11-23"}, "ACTIVE"),
        ({"validFrom": "2026-11-23T10:00:00Z"}, "ACTIVE"),
        ({"validFrom": "2026-11-23T10:00:00.001Z"}, "SCHEDULED"),
        ({"validFrom": "2026-11-24"}, "SCHEDULED"),
        ({"dueDate": "2026-11-23", "switchToExpired": True}, "ACTIVE"),
        ({"dueDate": "2026-11-22"}, "ACTIVE"),
        ({"dueDate": "2000-01-01"}, "ACTIVE"),
    ],
)
async def test_a_new_notice_has_the_status_of_its_dates(
    http: httpx.AsyncClient, changes: dict[str, Any], status: str
) -> None:
    published = await publish(http, **changes)

    assert published["status"] == status


@pytest.mark.parametrize(
    ("first_from", "then_from", "status"), [(None, "2026-12-01", "SCHEDULED"), ("2026-12-01", None, "ACTIVE")]
)
async def test_a_replaced_notice_has_the_status_of_its_new_dates(
    http: httpx.AsyncClient, first_from: str | None, then_from: str | None, status: str
) -> None:
    await publish(http, validFrom=first_from)

    replaced = await publish(http, validFrom=then_from)

    assert replaced["status"] == status


# What the archive adds is ignored


async def test_what_the_archive_adds_is_not_taken_from_a_client(http: httpx.AsyncClient) -> None:
    added: dict[str, Any] = {
        "creditorInstitution": "12345678903",
        "noticeNumber": "347000000000000225",
        "origin": "gpd",
        "status": "PAID",
        "version": 7,
        "publishedAt": "2020-01-01T00:00:00.000Z",
        "updatedAt": 7,
        "ibanSource": "given",
        "payments": [{"receiptId": "r"}],
        "settlements": "none",
        "endReason": {"not": "a reason"},
        "replacedBy": None,
        "anomalies": ["paid_twice"],
    }
    expected = await publish(http)

    again = await publish(http, **added)

    assert again == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"iban": IBAN, "postalIban": POSTAL_IBAN, "metadata": {"k": "v"}, "iupd": "1", "companyName": "C"},
        {"transfers": [{**A_TRANSFER, "postalIban": POSTAL_IBAN}], "validFrom": "2026-12-01"},
        {"transfers": [A_STAMP_TRANSFER], "dueDate": "2026-12-16T10:00:00+01:00"},
    ],
    ids=["given IBAN", "transfers", "stamp"],
)
async def test_a_notice_that_was_read_can_be_sent_back_and_nothing_changes(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    await publish(http, **changes)
    read = await shown(http)

    again = await http.put(NOTICE, json=read)

    assert (again.status_code, again.json()) == (200, read)


async def test_a_notice_that_was_read_can_be_sent_back(http: httpx.AsyncClient) -> None:
    read = await publish(http)

    answer = await http.put(NOTICE, json=read)

    assert (answer.status_code, answer.json()) == (200, read)
