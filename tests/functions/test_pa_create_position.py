"""paCreatePosition as its clients know it: every row of its decision and status tables, and what is better here."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.auth import key_hash
from shared.bootstrap import Application
from shared.domain.callers import EVERY, Key
from shared.domain.events import Origin
from shared.domain.identifiers import Iban, InstitutionCode, Iuv
from shared.domain.institutions import DEFAULT_LABEL, RegisteredIban
from shared.errors import NothingToCancel
from shared.ports import IuvClaim
from tests.functions.client import MINUTE, register_institution
from tests.stores import both_stores
from tests.support import (
    ADDRESS,
    DAY,
    INSTITUTION,
    NUMBER,
    SECOND,
    StillClock,
    a_caller,
    a_payment,
    a_publication,
    an_act,
    an_institution,
)

pytestmark = both_stores

CALL = "http://archive.test/api/aca/v1/paCreatePosition"
NOTICE = f"/creditor-institutions/{INSTITUTION}/notices/{NUMBER}"
COMUNE = "77777777777"
LENIENT_NOTICES = f"/creditor-institutions/{COMUNE}/notices"
IBAN = "IT60X0542811101000000123456"
POSTAL_IBAN = "IT96H0760112100001036880332"


A_NOTICE = {
    "amount": 12050,
    "description": "TARI 2026 prima rata",
    "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
}


def a_position(**changes: Any) -> dict[str, Any]:
    """Return a call as the published description shows it, with its eight required fields; `...` leaves one out."""
    position = {
        "paFiscalCode": INSTITUTION,
        "entityType": "F",
        "entityFiscalCode": "RSSMRA80A01H501U",
        "entityFullName": "Mario Rossi",
        "iuv": NUMBER[1:],
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "expirationDate": "2026-12-16T23:59:59+01:00",
        **changes,
    }
    return {name: value for name, value in position.items() if value is not ...}


async def call(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Send a call."""
    return await http.post(CALL, json=a_position(**changes))


def refused(answer: httpx.Response) -> int:
    """Return the status of a refusal, which has the form that the primitive's clients know."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"title", "status", "detail"}
    assert body["status"] == answer.status_code
    return answer.status_code


# A client of today: it creates, updates, and closes


async def test_a_client_of_today_creates_updates_and_closes(http: httpx.AsyncClient) -> None:
    created = await call(http)
    updated = await call(http, amount=10000, description="TARI 2026, corretta")
    closed = await call(http, amount=0)

    assert [answer.status_code for answer in (created, updated, closed)] == [200, 200, 200]
    assert created.json() == {
        "paFiscalCode": INSTITUTION,
        "companyName": "PagoPA S.p.A.",
        "entityType": "F",
        "entityFiscalCode": "RSSMRA80A01H501U",
        "entityFullName": "Mario Rossi",
        "iuv": NUMBER[1:],
        "nav": NUMBER,
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "expirationDate": "2026-12-16T23:59:59",
        "iban": POSTAL_IBAN,
        "postalIban": POSTAL_IBAN,
        "switchToExpired": False,
        "status": "VALID",
    }
    assert (updated.json()["amount"], updated.json()["description"]) == (10000, "TARI 2026, corretta")
    assert closed.json()["status"] == "INVALID"


async def test_what_was_created_is_a_notice_like_any_other(http: httpx.AsyncClient) -> None:
    await call(http)

    notice = (await http.get(NOTICE)).json()

    assert (notice["status"], notice["origin"], notice["dueDate"]) == ("ACTIVE", "ec", "2026-12-16T22:59:59.000Z")


async def test_a_new_position_keeps_every_field_that_it_mentions(http: httpx.AsyncClient) -> None:
    said = {"iban": IBAN, "postalIban": POSTAL_IBAN, "switchToExpired": True}
    answer = await call(http, **said, payStandIn=False)

    notice = (await http.get(NOTICE)).json()
    assert {name: answer.json()[name] for name in said} == said
    assert {name: notice[name] for name in (*said, "payStandIn")} == {**said, "payStandIn": False}
    assert notice["debtor"] == A_NOTICE["debtor"]


async def test_a_new_position_may_be_paid_by_stand_in_unless_it_says_otherwise(http: httpx.AsyncClient) -> None:
    await call(http)

    assert (await http.get(NOTICE)).json()["payStandIn"] is True


async def test_the_company_of_a_position_is_the_one_that_the_notice_names(http: httpx.AsyncClient) -> None:
    await http.put(NOTICE, json={**A_NOTICE, "dueDate": "2026-12-16", "companyName": "Ufficio Tributi"})

    assert (await call(http)).json()["companyName"] == "Ufficio Tributi"


async def test_a_cancelled_position_ends_for_an_unspecified_reason(http: httpx.AsyncClient) -> None:
    await call(http)
    await call(http, amount=0)

    assert (await http.get(NOTICE)).json()["endReason"] == "unspecified"


async def test_the_same_call_again_changes_nothing(http: httpx.AsyncClient) -> None:
    first, again = await call(http), await call(http)

    assert first.json() == again.json()
    assert (await http.get(NOTICE)).json()["version"] == 1


# The decision table: existence and amount


async def test_amount_0_of_an_unknown_position_is_422(http: httpx.AsyncClient) -> None:
    answer = await call(http, amount=0)

    assert refused(answer) == 422
    assert answer.json()["title"] == NothingToCancel.title


async def test_amount_0_again_is_409(http: httpx.AsyncClient) -> None:
    await call(http)
    await call(http, amount=0)

    assert refused(await call(http, amount=0)) == 409


async def test_a_cancelled_position_is_not_updated(http: httpx.AsyncClient) -> None:
    await call(http)
    await call(http, amount=0)

    assert refused(await call(http)) == 409


@pytest.mark.parametrize("amount", [0, 12050])
async def test_a_paid_position_is_neither_updated_nor_cancelled(
    http: httpx.AsyncClient, application: Application, amount: int
) -> None:
    await call(http)
    await application.archive.record_payment(ADDRESS, a_payment(), an_act())

    assert refused(await call(http, amount=amount)) == 409


async def test_a_position_whose_money_came_first_is_created_and_paid(
    http: httpx.AsyncClient, application: Application
) -> None:
    await application.archive.record_payment(ADDRESS, a_payment(), an_act())

    assert refused(await call(http, amount=0)) == 422
    assert (await call(http)).json()["status"] == "PAID"


async def test_an_expired_position_is_cancelled(http: httpx.AsyncClient, clock: StillClock) -> None:
    await call(http, switchToExpired=True)
    clock.advance(40 * DAY)

    assert (await call(http, amount=0)).json()["status"] == "INVALID"


async def test_an_expired_position_with_a_new_due_date_is_valid_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await call(http, switchToExpired=True)
    clock.advance(40 * DAY)

    assert (await call(http, expirationDate="2027-06-30T00:00:00+02:00")).json()["status"] == "VALID"


async def test_a_closed_position_is_neither_updated_nor_cancelled(http: httpx.AsyncClient) -> None:
    await call(http)
    await http.post(f"{NOTICE}/events", json={"type": "closed"})

    assert [refused(await call(http, amount=amount)) for amount in (12050, 0)] == [409, 409]


async def test_with_amount_0_only_the_form_of_the_other_fields_counts(http: httpx.AsyncClient) -> None:
    await call(http)

    answer = await call(http, amount=0, entityFiscalCode="XX", expirationDate="2020-01-01T00:00:00Z")

    assert answer.status_code == 200


# What an update does not mention


async def test_an_update_keeps_everything_it_does_not_mention(http: httpx.AsyncClient) -> None:
    said = {
        "amount": 12050,
        "description": "TARI",
        "dueDate": "2026-12-16",
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        "iban": IBAN,
        "postalIban": POSTAL_IBAN,
        "validFrom": "2026-12-01",
        "switchToExpired": True,
        "payStandIn": False,
        "iupd": "iupd-1",
        "companyName": "Comune",
        "officeName": "Tributi",
        "metadata": {"a": "b"},
    }
    await http.put(NOTICE, json=said)

    await call(http, amount=999)

    notice = (await http.get(NOTICE)).json()
    kept = ("iban", "postalIban", "validFrom", "switchToExpired", "payStandIn", "iupd", "companyName", "officeName")
    assert {name: notice[name] for name in (*kept, "metadata")} == {name: said[name] for name in (*kept, "metadata")}
    assert notice["amount"] == 999


async def test_the_transfers_of_a_notice_become_one_of_the_whole_amount(http: httpx.AsyncClient) -> None:
    transfer = {
        "id": 1, "amount": 12050, "creditorInstitution": INSTITUTION, "iban": IBAN,
        "remittanceInformation": "TARI", "category": "9/0101100IM/",
    }  # fmt: skip
    body = {"amount": 12050, "description": "TARI", "dueDate": "2026-12-16", "transfers": [transfer]}
    debtor = {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"}
    await http.put(NOTICE, json={**body, "debtor": debtor})

    await call(http, amount=999)

    notice = (await http.get(NOTICE)).json()
    assert (notice["transfers"], notice["iban"], notice["ibanSource"]) == ([], POSTAL_IBAN, "registered")


async def test_an_update_changes_the_fields_it_mentions(http: httpx.AsyncClient) -> None:
    await call(http)

    answer = await call(http, iban=IBAN, switchToExpired=True, payStandIn=False, entityFullName="Maria Rossi")

    notice = (await http.get(NOTICE)).json()
    assert (answer.json()["iban"], answer.json()["switchToExpired"]) == (IBAN, True)
    assert (notice["payStandIn"], notice["debtor"]["fullName"]) == (False, "Maria Rossi")


async def test_an_update_takes_the_account_that_is_registered_now(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await call(http)
    await use_account(application, clock, IBAN)

    again = await call(http)

    assert (again.json()["iban"], (await http.get(NOTICE)).json()["version"]) == (IBAN, 2)


async def test_an_update_keeps_the_account_where_none_is_registered_any_more(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await call(http)
    await register_institution(application, name="PagoPA S.p.A.")
    clock.advance(MINUTE)

    assert ((await call(http)).json()["iban"], (await http.get(NOTICE)).json()["version"]) == (POSTAL_IBAN, 1)


async def test_an_update_keeps_an_account_that_was_given(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await call(http, iban=POSTAL_IBAN)
    await use_account(application, clock, IBAN)

    assert ((await call(http)).json()["iban"], (await http.get(NOTICE)).json()["version"]) == (POSTAL_IBAN, 1)


async def test_an_amendment_that_names_nothing_keeps_the_account(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await call(http)
    await use_account(application, clock, IBAN)

    assert (await http.patch(NOTICE, json={})).json()["iban"] == POSTAL_IBAN


async def use_account(application: Application, clock: StillClock, iban: str) -> None:
    """Register another account as the only one of the institution, and let the cache run out."""
    registered = RegisteredIban(Iban(iban), frozenset({DEFAULT_LABEL}), clock())
    await register_institution(application, ibans=(registered,))
    clock.advance(MINUTE)


# The number


async def test_a_number_is_3_and_the_iuv_unless_it_is_given(http: httpx.AsyncClient) -> None:
    assert (await call(http)).json()["nav"] == NUMBER


async def test_an_update_that_names_only_the_iuv_finds_the_notice_whose_number_was_given(
    http: httpx.AsyncClient,
) -> None:
    await call(http, paFiscalCode=COMUNE, iuv="IUV1", nav="NAV1")

    answer = await call(http, paFiscalCode=COMUNE, iuv="IUV1", amount=999)

    assert (answer.json()["nav"], answer.json()["amount"]) == ("NAV1", 999)
    assert (await http.get(f"{LENIENT_NOTICES}/3IUV1")).status_code == 404


@pytest.mark.parametrize("institution", [INSTITUTION, COMUNE], ids=["strict", "lenient"])
async def test_an_update_that_names_only_the_iuv_finds_an_expired_notice(
    http: httpx.AsyncClient, clock: StillClock, institution: str
) -> None:
    position = {"paFiscalCode": institution, "switchToExpired": True}
    await call(http, **position)
    clock.advance(40 * DAY)

    answer = await call(http, **position, description="TARI 2026, corretta")

    assert (answer.json()["status"], answer.json()["description"]) == ("EXPIRED", "TARI 2026, corretta")


async def test_two_numbers_never_share_an_iuv(http: httpx.AsyncClient) -> None:
    await call(http, paFiscalCode=COMUNE, iuv="IUV1", nav="NAV1")

    assert refused(await call(http, paFiscalCode=COMUNE, iuv="IUV1", nav="NAV2")) == 409


async def test_a_known_number_has_one_iuv(http: httpx.AsyncClient) -> None:
    await call(http, paFiscalCode=COMUNE, iuv="IUV1", nav="NAV1")

    assert refused(await call(http, paFiscalCode=COMUNE, iuv="IUV2", nav="NAV1")) == 409
    assert refused(await call(http, paFiscalCode=COMUNE, iuv="IUV2", nav="NAV1", amount=0)) == 409


async def test_an_iuv_claimed_for_a_number_that_was_never_published_is_published_under_it(
    http: httpx.AsyncClient, application: Application
) -> None:
    institution, iuv = InstitutionCode(COMUNE), Iuv("IUV1")
    claim = IuvClaim(NUMBER, application.archive.clock() + SECOND)
    await application.archive.store.claim_iuv(institution, iuv, claim)

    assert (await call(http, paFiscalCode=COMUNE, iuv=iuv, amount=0)).status_code == 422
    assert (await call(http, paFiscalCode=COMUNE, iuv=iuv, nav=NUMBER)).json()["nav"] == NUMBER
    assert (await call(http, paFiscalCode=COMUNE, iuv=iuv)).json()["nav"] == NUMBER


@pytest.mark.parametrize(
    "changes",
    [{"nav": "347000000000000125"}, {"nav": "12345"}, {"iuv": "12345"}, {"iuv": "47000000000000125", "nav": NUMBER}],
)
async def test_a_number_and_an_iuv_that_do_not_hold_are_400(http: httpx.AsyncClient, changes: dict[str, str]) -> None:
    assert refused(await call(http, **changes)) in (400, 403)


# What the client sends


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


# Who may call


async def test_without_a_key_it_is_401(http: httpx.AsyncClient) -> None:
    answer = await http.post(CALL, json=a_position(), headers={"Ocp-Apim-Subscription-Key": ""})

    assert refused(answer) == 401


async def test_another_media_type_is_415_and_a_larger_body_413(http: httpx.AsyncClient) -> None:
    assert refused(await http.post(CALL, content="{}", headers={"Content-Type": "text/plain"})) == 415
    assert refused(await call(http, description="x" * 300_000)) == 413


async def test_an_institution_that_is_not_granted_is_403_even_if_nobody_registered_it(http: httpx.AsyncClient) -> None:
    assert refused(await call(http, paFiscalCode="00743110157")) == 403


async def test_an_unknown_institution_is_404_for_a_caller_with_every_one(
    http: httpx.AsyncClient, application: Application
) -> None:
    headers = await _registered(application, {EVERY: frozenset({EVERY})})

    answer = await http.post(CALL, json=a_position(paFiscalCode="00743110157"), headers=headers)

    assert refused(answer) == 404


async def test_the_code_of_the_iuv_or_the_number_is_to_be_granted(http: httpx.AsyncClient) -> None:
    assert refused(await call(http, iuv="49000000000000124")) == 403
    assert refused(await call(http, iuv=NUMBER[1:], nav="349000000000000124")) == 403


async def test_a_number_that_only_the_alias_names_is_to_be_granted_too(
    http: httpx.AsyncClient, application: Application
) -> None:
    await call(http, paFiscalCode=COMUNE, iuv="47XX", nav="348000000000000124")
    headers = await _registered(application, {COMUNE: frozenset({"47"})})

    answer = await http.post(CALL, json=a_position(paFiscalCode=COMUNE, iuv="47XX"), headers=headers)

    assert refused(answer) == 403


async def test_who_is_denied_the_number_that_the_iuv_leads_to_is_not_told_that_no_notice_can_have_it(
    http: httpx.AsyncClient, application: Application
) -> None:
    headers = await _registered(application, {COMUNE: frozenset({"47"})})

    answer = await http.post(CALL, json=a_position(paFiscalCode=COMUNE, iuv="47" + "X" * 33), headers=headers)

    assert refused(answer) == 403


@pytest.mark.parametrize(
    ("codes", "status"), [("47", 200), ("48,47", 200), ("48", 403), ("49", 403), ("4", 400), ("47,", 400), ("", 400)]
)
async def test_segregation_codes_narrow_what_is_granted(http: httpx.AsyncClient, codes: str, status: int) -> None:
    answer = await http.post(CALL, json=a_position(), params={"segregationCodes": codes})

    assert answer.status_code == status


async def test_segregation_codes_never_widen_what_is_granted(http: httpx.AsyncClient) -> None:
    position = a_position(iuv="49000000000000124")

    assert refused(await http.post(CALL, json=position, params={"segregationCodes": "49"})) == 403


async def test_a_notice_of_gpd_is_409(http: httpx.AsyncClient, application: Application) -> None:
    await application.archive.publish(a_publication(), an_institution(), an_act(origin=Origin.GPD))

    assert refused(await call(http)) == 409


async def _registered(application: Application, grants: dict[str, frozenset[str]]) -> dict[str, str]:
    await application.registry.save_caller(a_caller(name="another", grants=grants, keys=(Key(key_hash("another")),)))
    return {"Ocp-Apim-Subscription-Key": "another"}


async def test_a_number_without_a_code_is_not_within_a_call_narrowed_to_codes(
    http: httpx.AsyncClient, application: Application
) -> None:
    everything = a_caller(name="everything", keys=(Key(key_hash("everything")),))
    await application.registry.save_caller(everything)
    body = a_position(nav="001000000000000141", iuv="000000000000141")

    key = {"Ocp-Apim-Subscription-Key": "everything"}
    answer = await http.post(f"{CALL}?segregationCodes=00", json=body, headers=key)

    assert refused(answer) == 403


async def test_every_broken_rule_is_named(http: httpx.AsyncClient) -> None:
    answer = await call(http, amount=-1, entityType="X", description="")

    fields = [part.partition(":")[0] for part in answer.json()["detail"].split("; ")]
    assert (refused(answer), fields) == (400, ["entityType", "amount", "description"])


async def test_the_status_shown_is_the_one_true_now(http: httpx.AsyncClient, clock: StillClock) -> None:
    await call(http)
    await http.patch(NOTICE, json={"validFrom": "2026-11-24"})
    scheduled = (await call(http)).json()["status"]
    clock.advance(2 * DAY)

    assert (scheduled, (await call(http)).json()["status"]) == ("PUBLISHED", "VALID")
    assert (await http.get(NOTICE)).json()["version"] == 2


async def test_a_position_without_a_due_date_shows_the_last_second_of_the_calendar(http: httpx.AsyncClient) -> None:
    await http.put(NOTICE, json={**A_NOTICE, "dueDate": "9999-12-31"})

    answer = await call(http, amount=0)

    assert answer.json()["expirationDate"] == "9999-12-31T23:59:59"


async def test_a_text_without_a_visible_character_is_400(http: httpx.AsyncClient) -> None:
    assert refused(await call(http, description="\t\n\u200b")) == 400
