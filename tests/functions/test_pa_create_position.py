"""paCreatePosition as its clients know it: every row of its decision and status tables, and what is better here."""

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import Iban, InstitutionCode, Iuv
from shared.domain.institutions import DEFAULT_LABEL, RegisteredIban
from shared.errors import NothingToCancel
from shared.ports import IuvClaim
from tests.functions.client import MINUTE, register_institution
from tests.functions.positions import A_NOTICE, COMUNE, IBAN, LENIENT_NOTICES, NOTICE, POSTAL_IBAN, call, refused
from tests.stores import both_stores
from tests.support import (
    ADDRESS,
    DAY,
    INSTITUTION,
    NUMBER,
    SECOND,
    StillClock,
    a_payment,
    an_act,
)

pytestmark = both_stores


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
