"""The bodies that paCreatePosition takes and refuses."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.positions import (
    CALL,
    COMUNE,
    IBAN,
    call,
    refused,
)
from tests.stores import both_stores
from tests.support import (
    INSTITUTION,
    NUMBER,
    StillClock,
    an_institution,
)

pytestmark = both_stores


async def test_numbers_are_taken_where_the_published_calls_send_them_for_texts(http: httpx.AsyncClient) -> None:
    answer = await call(http, paFiscalCode=int(INSTITUTION), iuv=int(NUMBER[1:]), nav=int(NUMBER))

    assert (answer.status_code, answer.json()["nav"]) == (200, NUMBER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("iuv", 1000000000007141), ("iuv", 4700000000000012), ("nav", 1000000000000141), ("entityFiscalCode", 1234567890)],
)
async def test_a_number_that_may_have_lost_its_zeros_is_asked_for_as_a_string(
    http: httpx.AsyncClient, field: str, value: int
) -> None:
    answer = await call(http, **{field: value})

    assert refused(answer) == 400
    assert answer.json()["detail"] == f"{field}: Send it as a string: a number loses its leading zeros"


@pytest.mark.parametrize(("sent", "shown"), [("4500", 4500), ("0004500", 4500), (4500, 4500)])
async def test_an_amount_may_be_a_text_of_digits(http: httpx.AsyncClient, sent: object, shown: int) -> None:
    assert (await call(http, amount=sent)).json()["amount"] == shown


async def test_an_amount_of_0_as_a_text_cancels(http: httpx.AsyncClient) -> None:
    await call(http)

    assert (await call(http, amount="0", entityFiscalCode="XX")).json()["status"] == "INVALID"


@pytest.mark.parametrize(("sent", "shown"), [("true", True), ("True", True), ("false", False), (False, False)])
async def test_a_flag_may_be_a_text(http: httpx.AsyncClient, sent: object, shown: bool) -> None:
    assert (await call(http, switchToExpired=sent)).json()["switchToExpired"] is shown


@pytest.mark.parametrize(
    "sent",
    [
        "2027-06-30T23:59+02:00",
        "2027-06-30T23:59:00+0200",
        "2027-06-30T23:59:00.000+02:00",
        "2027-06-30T23:59+0200",
        "2027-06-30T21:59Z",
        "2027-06-30t21:59:00z",
    ],
)
async def test_a_date_may_lack_seconds_and_the_colon_of_its_offset(http: httpx.AsyncClient, sent: str) -> None:
    assert (await call(http, expirationDate=sent)).json()["expirationDate"] == "2027-06-30T23:59:00"


@pytest.mark.parametrize(
    "sent",
    ["2027-06-30", "2027-06-30T23:59", "2027-06-30T23:59:00+2", "2027-06-30 23:59+02:00", "2027-06-30T23:59:00+02"],
)
async def test_a_date_without_a_whole_offset_says_what_is_expected(http: httpx.AsyncClient, sent: str) -> None:
    answer = await call(http, expirationDate=sent)

    assert refused(answer) == 400
    assert "with an offset, such as 2026-12-16T23:59:59+01:00" in answer.json()["detail"]


async def test_a_run_of_line_ends_and_tabs_becomes_one_blank(http: httpx.AsyncClient) -> None:
    answer = await call(http, description="TARI\r\n\t2026", entityFullName="Mario\tRossi\n")

    assert (answer.json()["description"], answer.json()["entityFullName"]) == ("TARI 2026", "Mario Rossi ")


async def test_unknown_fields_are_ignored(http: httpx.AsyncClient) -> None:
    assert (await call(http, companyName="x", somethingElse=1)).status_code == 200


async def test_optional_fields_may_be_null(http: httpx.AsyncClient) -> None:
    answer = await call(http, nav=None, iban=None, postalIban=None, switchToExpired=None, payStandIn=None)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {field: ...}
        for field in ("entityType", "entityFiscalCode", "entityFullName", "amount", "description", "expirationDate")
    ]
    + [
        {"paFiscalCode": ...},
        {"iuv": ...},
        {"paFiscalCode": "123"},
        {"iuv": ""},
        {"iuv": "1"},
        {"iuv": "1" * 36},
        {"entityType": "X"},
        {"entityFiscalCode": "R"},
        {"entityFiscalCode": "RSSMRA80A01H501X"},
        {"entityFullName": ""},
        {"entityFullName": "x" * 256},
        {"amount": -1},
        {"amount": 100_000_000_000},
        {"amount": 2**70},
        {"amount": "120.50"},
        {"amount": 1.5},
        {"amount": True},
        {"description": ""},
        {"description": "x" * 256},
        {"description": "\0"},
        {"expirationDate": "2026-12-16"},
        {"expirationDate": "2026-12-16T23:59:59"},
        {"expirationDate": "2026-02-30T23:59:59Z"},
        {"expirationDate": 1},
        {"iban": "IT60X054281110100000012345"},
        {"iban": "IT61X0542811101000000123456"},
        {"postalIban": IBAN},
        {"switchToExpired": "yes"},
        {"payStandIn": 1},
    ],
    ids=str,
)
async def test_a_body_that_breaks_a_rule_is_400(http: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    answer = await call(http, **changes)

    assert refused(answer) in ((400, 403) if "iuv" in changes else (400,))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"amount": NaN}', b"[" * 5000])
async def test_what_cannot_be_read_is_400(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post(CALL, content=body, headers={"Content-Type": "application/json"})

    assert refused(answer) == 400


async def test_an_amount_over_32_bits_is_taken(http: httpx.AsyncClient) -> None:
    assert (await call(http, amount=99_999_999_999)).json()["amount"] == 99_999_999_999


async def test_the_offset_of_a_date_is_honoured_and_the_answer_is_local_time(http: httpx.AsyncClient) -> None:
    answer = await call(http, expirationDate="2026-12-16T12:00:00-05:00")

    assert answer.json()["expirationDate"] == "2026-12-16T18:00:00"


async def test_a_past_due_date_is_taken_unless_it_is_binding(http: httpx.AsyncClient) -> None:
    past = "2026-11-01T00:00:00+01:00"

    assert (await call(http, expirationDate=past)).status_code == 200
    assert refused(await call(http, iuv="47000000000000225", expirationDate=past, switchToExpired=True)) == 400


async def test_a_missing_iban_is_422_where_none_is_registered(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await application.registry.save_institution(an_institution(ibans=()))
    clock.advance(timedelta(seconds=61))

    assert refused(await call(http)) == 422
    assert (await call(http, iban=IBAN)).status_code == 200


async def test_in_a_lenient_institution_an_iban_has_27_characters(http: httpx.AsyncClient) -> None:
    invented = "IT0000000000000000000000000"

    assert (await call(http, paFiscalCode=COMUNE, iban=invented)).json()["iban"] == invented
    assert refused(await call(http, paFiscalCode=COMUNE, iban=invented[:-1])) == 400
