"""What Stand-In is answered: the notice with all that the Nodo needs, or the fault."""

import sqlite3
from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.notice import Address
from tests.functions.bad_input import ODD_NUMBERS
from tests.functions.client import (
    A_STAMP,
    A_STAMP_TRANSFER,
    A_TRANSFER,
    COMUNE,
    LENIENT_NOTICE,
    MINUTE,
    NOTICE,
    amend,
    bring_to,
    declare,
    path_of,
    pay,
    publish,
    publish_from_gpd,
    refusal,
    register_institution,
    settle,
    shown,
    types,
)
from tests.functions.payability_client import CANCELLED, DUPLICATE, EXPIRED, UNKNOWN, ask, fault, payability
from tests.functions.positions import call
from tests.openapi_check import defect_expected
from tests.stores import both_stores
from tests.support import DAY, IBAN, INSTITUTION, NUMBER, POSTAL_IBAN, StillClock, a_payment, an_act

PAST_DUE = 24 * DAY
"""After it the due date of a_body has passed."""
Comes = Callable[[Application], Awaitable[None]]

MONEY = pytest.mark.parametrize("comes", [pay, settle], ids=["paid", "settled"])
"""Money for a notice that was not communicated."""


# The answer


@both_stores
async def test_a_payable_notice_is_answered_with_all_that_verify_and_activate_need(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert await payability(http) == {
        "payable": True,
        "noticeNumber": NUMBER,
        "iuv": NUMBER[1:],
        "amount": 12050,
        "dueDate": "2026-12-16",
        "description": "TARI 2026 prima rata",
        "allCCP": True,
        "creditorInstitution": {"fiscalCode": INSTITUTION, "name": "PagoPA S.p.A."},
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        "transfers": [
            {
                "id": 1,
                "amount": 12050,
                "creditorInstitution": INSTITUTION,
                "iban": POSTAL_IBAN,
                "postalIban": POSTAL_IBAN,
                "remittanceInformation": "TARI 2026 prima rata",
                "category": "STAND-IN",
                "metadata": {},
            }
        ],
    }


@pytest.mark.parametrize("due_date", ["2026-12-16", "9999-12-31", "2026-12-16T12:00:00+01:00"])
async def test_the_due_date_is_shown_as_get_shows_it(http: httpx.AsyncClient, due_date: str) -> None:
    await publish(http, dueDate=due_date)

    assert (await payability(http))["dueDate"] == (await shown(http))["dueDate"]


async def test_the_names_of_the_notice_are_shown_where_it_has_them(http: httpx.AsyncClient) -> None:
    await publish(http, companyName="Comune di Esempio", officeName="Ufficio tributi")

    answer = await payability(http)

    assert answer["creditorInstitution"]["officeName"] == "Ufficio tributi"
    assert answer["transfers"][0]["companyName"] == "Comune di Esempio"


async def test_the_name_of_the_institution_is_the_registered_one(http: httpx.AsyncClient) -> None:
    await publish(http, companyName="Comune di Esempio")

    assert (await payability(http))["creditorInstitution"]["name"] == "PagoPA S.p.A."


async def test_texts_are_cut_to_what_the_nodo_takes(http: httpx.AsyncClient, application: Application) -> None:
    await register_institution(application, name="I" * 200, stand_in=True)
    debtor = {"type": "G", "fiscalCode": "15376371009", "fullName": "F" * 255}
    await publish(http, description="D" * 255, debtor=debtor, iban=IBAN, companyName="C" * 140, officeName="O" * 140)

    answer = await payability(http)

    (transfer,) = answer["transfers"]
    assert answer["description"] == transfer["remittanceInformation"] == "D" * 140
    assert answer["debtor"] == {"type": "G", "fiscalCode": "15376371009", "fullName": "F" * 70}
    assert answer["creditorInstitution"] == {"fiscalCode": INSTITUTION, "name": "I" * 140, "officeName": "O" * 140}
    assert transfer["companyName"] == "C" * 140


async def test_a_text_is_cut_by_characters_and_not_by_bytes(http: httpx.AsyncClient) -> None:
    await publish(http, description="\N{CLASSICAL BUILDING}" * 141)

    assert (await payability(http))["description"] == "\N{CLASSICAL BUILDING}" * 140


async def test_a_text_that_begins_with_many_blanks_is_cut_like_any_other(http: httpx.AsyncClient) -> None:
    await publish(http, description=" " * 200 + "TARI")

    assert (await payability(http))["description"] == " " * 140


# Where the money goes


async def test_without_a_postal_iban_the_computed_transfer_has_none(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN)

    answer = await payability(http)

    (transfer,) = answer["transfers"]
    assert (answer["allCCP"], transfer["iban"], "postalIban" in transfer) == (False, IBAN, False)


async def test_iban_and_postal_iban_are_both_shown_because_the_nodo_chooses(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    answer = await payability(http)

    (transfer,) = answer["transfers"]
    assert (answer["allCCP"], transfer["iban"], transfer["postalIban"]) == (True, IBAN, POSTAL_IBAN)


async def test_five_transfers_are_shown_as_they_were_given(http: httpx.AsyncClient) -> None:
    given = [
        {**A_TRANSFER, "id": number, "amount": 2410, "postalIban": POSTAL_IBAN, "metadata": {"k": f"v{number}"}}
        for number in range(1, 6)
    ]
    await publish(http, transfers=given, companyName="Comune di Esempio")

    answer = await payability(http)

    assert (answer["allCCP"], answer["transfers"]) == (True, given)


async def test_one_transfer_without_postal_iban_is_enough_for_all_ccp_to_be_false(http: httpx.AsyncClient) -> None:
    postal = {**A_TRANSFER, "amount": 12000, "postalIban": POSTAL_IBAN}
    await publish(http, transfers=[postal, {**A_TRANSFER, "id": 2, "amount": 50}])

    assert (await payability(http))["allCCP"] is False


async def test_a_transfer_with_a_stamp_has_the_stamp_instead_of_an_iban(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=[A_STAMP_TRANSFER])

    answer = await payability(http)

    expected = {name: value for name, value in A_STAMP_TRANSFER.items() if name != "iban"} | {"metadata": {}}
    assert (answer["allCCP"], answer["transfers"]) == (False, [expected])
    assert expected["stamp"] == A_STAMP


async def test_the_transfer_of_a_notice_may_go_to_an_institution_that_is_not_registered(
    http: httpx.AsyncClient,
) -> None:
    await publish(http, transfers=[{**A_TRANSFER, "creditorInstitution": "12345678903"}])

    assert (await payability(http))["transfers"][0]["creditorInstitution"] == "12345678903"


# Where notices come from


async def test_a_position_is_payable(http: httpx.AsyncClient) -> None:
    answer = await call(http, iban=IBAN, expirationDate="2026-12-16T23:59:59+01:00")
    assert answer.status_code == 200, answer.text

    answered = await payability(http)

    assert (answered["payable"], answered["dueDate"]) == (True, "2026-12-16T22:59:59.000Z")


async def test_a_notice_of_gpd_is_payable(http: httpx.AsyncClient, application: Application) -> None:
    await publish_from_gpd(application)

    assert await fault(http) is None


async def test_a_lenient_institution_has_any_number_and_any_iuv(http: httpx.AsyncClient) -> None:
    path = path_of("Avviso1", COMUNE)
    await publish(http, path, iuv="RF1")

    answer = await payability(http, path)

    assert (answer["payable"], answer["noticeNumber"], answer["iuv"]) == (True, "Avviso1", "RF1")


# Faults


async def _scheduled(http: httpx.AsyncClient, application: Application, clock: StillClock) -> None:
    await publish(http, validFrom="2026-11-24")


async def _expired(http: httpx.AsyncClient, application: Application, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(PAST_DUE)


def _brought_to(status: str) -> Callable[[httpx.AsyncClient, Application, StillClock], Awaitable[None]]:
    async def bring(http: httpx.AsyncClient, application: Application, clock: StillClock) -> None:
        await bring_to(status, http, application)

    return bring


ANSWERS = {
    "SCHEDULED": (_scheduled, UNKNOWN),
    "EXPIRED": (_expired, EXPIRED),
    "CANCELLED": (_brought_to("CANCELLED"), CANCELLED),
    "CLOSED": (_brought_to("CLOSED"), DUPLICATE),
    "PAID": (_brought_to("PAID"), DUPLICATE),
    "REPORTED": (_brought_to("REPORTED"), DUPLICATE),
}
"""How a notice comes to each status that is not payable, and its fault."""


@both_stores
@pytest.mark.parametrize("status", ANSWERS)
async def test_each_status_that_is_not_payable_has_its_fault_and_nothing_else_is_shown(
    http: httpx.AsyncClient, application: Application, clock: StillClock, status: str
) -> None:
    bring, expected = ANSWERS[status]
    await bring(http, application, clock)
    assert (await shown(http))["status"] == status

    assert await payability(http) == {"payable": False, "fault": expected, "noticeNumber": NUMBER}


@both_stores
async def test_an_unknown_number_is_an_unknown_payment(http: httpx.AsyncClient) -> None:
    assert await payability(http) == {"payable": False, "fault": UNKNOWN, "noticeNumber": NUMBER}


@both_stores
@MONEY
async def test_a_number_for_which_money_came_is_a_duplicate_though_get_does_not_know_it(
    http: httpx.AsyncClient, application: Application, comes: Comes
) -> None:
    await comes(application)

    assert await payability(http) == {"payable": False, "fault": DUPLICATE, "noticeNumber": NUMBER}
    assert (await http.get(NOTICE)).status_code == 404


@MONEY
async def test_a_number_for_which_money_came_stays_a_duplicate_once_it_is_published(
    http: httpx.AsyncClient, application: Application, comes: Comes
) -> None:
    await comes(application)
    await publish(http)

    assert await fault(http) == DUPLICATE


@pytest.mark.parametrize("status", ANSWERS)
async def test_a_notice_that_is_not_for_stand_in_is_unknown_in_any_status(
    http: httpx.AsyncClient, application: Application, clock: StillClock, status: str
) -> None:
    await publish(http, payStandIn=False)
    if status == "SCHEDULED":
        await amend(http, {"validFrom": "2026-11-24"})
    elif status == "EXPIRED":
        await amend(http, {"switchToExpired": True})
        clock.advance(PAST_DUE)
    elif status in ("CANCELLED", "CLOSED"):
        await declare(http, status.lower())
    else:
        await (pay if status == "PAID" else settle)(application)
    assert (await shown(http))["status"] == status

    assert await fault(http) == UNKNOWN


async def test_a_notice_that_is_for_stand_in_again_is_payable(http: httpx.AsyncClient) -> None:
    await publish(http, payStandIn=False)
    before = await fault(http)
    await amend(http, {"payStandIn": True})

    assert (before, await fault(http)) == (UNKNOWN, None)


@pytest.mark.parametrize("status", ANSWERS)
async def test_an_institution_that_is_not_enabled_has_no_payable_notice_in_any_status(
    http: httpx.AsyncClient, application: Application, clock: StillClock, status: str
) -> None:
    await ANSWERS[status][0](http, application, clock)
    await register_institution(application, stand_in=False)
    clock.advance(MINUTE)

    assert await fault(http) == UNKNOWN


@MONEY
async def test_an_institution_that_is_not_enabled_has_no_duplicate_either(
    http: httpx.AsyncClient, application: Application, comes: Comes
) -> None:
    await register_institution(application, stand_in=False)
    await comes(application)

    assert await fault(http) == UNKNOWN


async def test_that_an_institution_is_enabled_is_seen_within_a_minute(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await register_institution(application, stand_in=False)
    await publish(http, iban=IBAN)
    before = await fault(http)
    await register_institution(application, stand_in=True)
    clock.advance(MINUTE)

    assert (before, await fault(http)) == (UNKNOWN, None)


@pytest.mark.parametrize(
    "number", ["347000000000000125", "34700000000000012", "3470000000000001240", "847000000000000124", "x", "Z" * 36]
)
async def test_a_number_that_breaks_form_or_check_digits_is_an_unknown_payment(
    http: httpx.AsyncClient, number: str
) -> None:
    assert await payability(http, path_of(number)) == {"payable": False, "fault": UNKNOWN, "noticeNumber": number}


async def test_a_number_that_breaks_the_check_digits_is_unknown_even_if_money_came_for_it(
    http: httpx.AsyncClient, application: Application
) -> None:
    wrong = "347000000000000125"
    for institution in (INSTITUTION, COMUNE):
        await application.archive.record_payment(
            Address(InstitutionCode(institution), NoticeNumber(wrong)), a_payment(), an_act()
        )

    assert await fault(http, path_of(wrong)) == UNKNOWN
    assert await fault(http, path_of(wrong, COMUNE)) == DUPLICATE


@pytest.mark.parametrize("name", ODD_NUMBERS)
@pytest.mark.parametrize("institution", [INSTITUTION, COMUNE])
async def test_a_number_that_is_none_is_an_unknown_payment(
    http: httpx.AsyncClient, name: str, institution: str
) -> None:
    assert await fault(http, path_of(ODD_NUMBERS[name], institution)) == UNKNOWN


async def test_the_notice_of_another_institution_is_another_notice(http: httpx.AsyncClient) -> None:
    await publish(http)

    assert await fault(http, LENIENT_NOTICE) == UNKNOWN


# What a question does


async def test_a_question_writes_nothing(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(PAST_DUE)

    assert await fault(http) == EXPIRED
    assert await types(http) == ["published"]


async def test_every_change_is_seen_at_once(http: httpx.AsyncClient, application: Application) -> None:
    found = [await fault(http)]
    await publish(http)
    found.append(await fault(http))
    await declare(http, "cancelled")
    found.append(await fault(http))
    await declare(http, "restored")
    found.append(await fault(http))
    await pay(application)
    found.append(await fault(http))

    assert found == [UNKNOWN, None, CANCELLED, None, DUPLICATE]


# When there is no answer


async def test_while_the_store_does_not_answer_nothing_is_said_of_the_notice(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    await publish(http)
    file.execute("ALTER TABLE notices RENAME TO gone")

    answer = await ask(http)

    assert (refusal(answer), answer.headers["retry-after"]) == ((503, "store_unavailable"), "1")


async def test_while_the_registry_does_not_answer_nothing_is_said_of_the_notice(
    http: httpx.AsyncClient, file: sqlite3.Connection
) -> None:
    file.execute("ALTER TABLE registry RENAME TO gone")

    assert refusal(await ask(http)) == (503, "store_unavailable")


async def test_a_document_that_cannot_be_decoded_is_a_defect_and_no_fault(
    http: httpx.AsyncClient, file: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(http)
    file.execute("UPDATE notices SET shown = CAST('[\"Mario Rossi\"]' AS BLOB)")

    with defect_expected():
        answer = await ask(http)

    assert refusal(answer) == (500, "internal_error")
    assert "Mario" not in answer.text + caplog.text
