"""Which notice has an IUV where the number does not contain it: claims, takeovers, grants, and finding by IUV."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.notice import Address
from shared.ports import IuvClaim
from tests.functions.client import COMUNE, declare, path_of, pay, publish, refusal, register_caller, shown
from tests.functions.positions import CALL, a_position
from tests.stores import both_stores
from tests.support import DAY, IBAN, INSTITUTION, SECOND, StillClock, a_body, a_number

pytestmark = both_stores

LENIENT, STRICT = InstitutionCode(COMUNE), InstitutionCode(INSTITUTION)
A1, A2 = path_of("A1", COMUNE), path_of("A2", COMUNE)
FREE = {"iuv": "IUV1"}
OLD_NUMBERS = {"0": "001000000000000141", "1": "147000000000000199", "2": "247000000000000123"}
"""Valid notice numbers of strict institutions with auxiliary digits that are no longer issued."""


@pytest.fixture
async def everything(application: Application) -> dict[str, str]:
    """Return the key of a caller with all codes of both institutions."""
    grants = {STRICT: frozenset({EVERY}), LENIENT: frozenset({EVERY})}
    return await register_caller(application, "everything", grants=grants)


async def claim(application: Application, number: str, iuv: str = "IUV1", held: timedelta = 10 * SECOND) -> None:
    """Leave a claim as a request does that ended between its claim and its notice."""
    held_until = application.archive.clock() + held
    await application.archive.store.claim_iuv(LENIENT, Iuv(iuv), IuvClaim(NoticeNumber(number), held_until))


# A claim without a notice


async def test_a_request_that_stopped_behind_its_claim_is_completed_by_its_repetition(
    http: httpx.AsyncClient, application: Application
) -> None:
    await claim(application, "A1")

    assert (await http.put(A1, json=a_body(**FREE))).status_code == 201


async def test_another_number_gets_the_iuv_once_the_claim_has_run_out(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await claim(application, "A1")
    clock.advance(10 * SECOND)

    assert (await http.put(A2, json=a_body(**FREE))).status_code == 201
    assert refusal(await http.put(A1, json=a_body(**FREE))) == (409, "iuv_already_used")


async def test_a_claim_of_a_number_whose_notice_has_another_iuv_counts_for_nothing(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http, A1, iuv="IUV2")
    await claim(application, "A1")

    assert (await http.put(A2, json=a_body(**FREE))).status_code == 201


async def test_of_six_ivus_that_race_for_one_number_the_five_that_lose_stay_free(http: httpx.AsyncClient) -> None:
    iuvs = [f"IUV{n}" for n in range(6)]

    answers = await asyncio.gather(*(http.put(A1, json=a_body(iuv=iuv)) for iuv in iuvs))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    has = (await shown(http, A1))["iuv"]
    for n, iuv in enumerate(sorted(set(iuvs) - {has})):
        assert (await http.put(path_of(f"B{n}", COMUNE), json=a_body(iuv=iuv))).status_code == 201


@pytest.mark.parametrize("is_paid", [False, True], ids=["unknown", "paid"])
async def test_a_claim_that_may_still_get_its_notice_is_waited_for(
    http: httpx.AsyncClient, application: Application, is_paid: bool
) -> None:
    if is_paid:
        await pay(application, Address(LENIENT, NoticeNumber("A1")))
    await claim(application, "A1")

    later = asyncio.create_task(http.put(A2, json=a_body(**FREE)))
    await asyncio.sleep(0)
    await publish(http, A1, **FREE)

    assert refusal(await later) == (409, "iuv_already_used")


async def test_a_claim_lasts_longer_than_its_request_by_the_difference_of_two_clocks(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http, A1, **FREE)

    claim = await application.archive.store.iuv_claim(LENIENT, Iuv("IUV1"))

    assert claim is not None
    assert claim.held_until == clock() + timedelta(seconds=application.deadlines.seconds) + 5 * SECOND


async def test_a_notice_that_was_only_paid_does_not_have_the_iuv(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await pay(application, Address(LENIENT, NoticeNumber("A1")))
    await claim(application, "A1", held=SECOND)
    clock.advance(SECOND)

    assert (await http.put(A2, json=a_body(**FREE))).status_code == 201


async def test_the_number_that_contains_the_iuv_is_free_after_a_claim_that_ran_out(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    number = a_number(5)
    await claim(application, "A1", iuv=number[1:])
    clock.advance(DAY)

    assert (await http.put(path_of(number, COMUNE), json=a_body())).status_code == 201
    assert refusal(await http.put(A1, json=a_body(iuv=number[1:]))) == (409, "iuv_already_used")


async def test_a_known_notice_is_published_again_although_its_iuv_names_another(
    http: httpx.AsyncClient, application: Application
) -> None:
    number = a_number(6)
    await publish(http, path_of(number, COMUNE))
    await claim(application, "A1", iuv=number[1:])

    assert (await http.put(path_of(number, COMUNE), json=a_body(amount=1))).status_code == 200


async def test_a_number_that_was_paid_first_does_not_get_an_iuv_in_use_though_its_binding_due_date_has_passed(
    http: httpx.AsyncClient, application: Application
) -> None:
    number = a_number(5)
    await publish(http, A1, iuv=number[1:])
    await pay(application, Address(LENIENT, number))

    answer = await http.put(path_of(number, COMUNE), json=a_body(dueDate="2026-11-01", switchToExpired=True))

    assert refusal(answer) == (409, "iuv_already_used")


# Grants


async def test_nobody_takes_the_iuv_of_a_segregation_code_of_somebody_else(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "code-47", grants={LENIENT: frozenset({"47"})})
    number, foreign = a_number(7), a_number(7, "99")[1:]

    answer = await http.put(path_of(number, COMUNE), json=a_body(iuv=foreign), headers=key)

    assert refusal(answer) == (403, "segregation_code_not_granted")
    assert "99" in answer.json()["detail"]
    assert (await http.put(path_of(f"3{foreign}", COMUNE), json=a_body())).status_code == 201


async def test_an_iuv_of_a_granted_code_is_taken(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "both-codes", grants={LENIENT: frozenset({"47", "99"})})

    answer = await http.put(path_of(a_number(7), COMUNE), json=a_body(iuv=a_number(8, "99")[1:]), headers=key)

    assert answer.status_code == 201


async def test_an_iuv_of_no_code_is_free_for_everybody(http: httpx.AsyncClient, application: Application) -> None:
    key = await register_caller(application, "code-47", grants={LENIENT: frozenset({"47"})})

    answer = await http.put(path_of(a_number(7), COMUNE), json=a_body(iuv="RF18539007547034"), headers=key)

    assert answer.status_code == 201


async def test_a_position_takes_no_iuv_of_a_code_of_somebody_else(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "code-47", grants={LENIENT: frozenset({"47"})})
    body = a_position(paFiscalCode=COMUNE, nav=a_number(7), iuv=a_number(7, "99")[1:])

    answer = await http.post(CALL, json=body, headers=key)

    assert (answer.status_code, answer.headers["x-error-code"]) == (403, "segregation_code_not_granted")


async def test_the_number_that_an_iuv_leads_to_must_be_granted(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "code-47", grants={LENIENT: frozenset({"47"})})
    await publish(http, path_of("347SECRET", COMUNE))

    answers = [
        await http.post(CALL, json=a_position(paFiscalCode=COMUNE, iuv="47SECRET", amount=amount), headers=key)
        for amount in (0, 1)
    ]

    assert [answer.headers["x-error-code"] for answer in answers] == ["segregation_code_not_granted"] * 2
    assert "debtor" not in answers[0].text
    assert (await shown(http, path_of("347SECRET", COMUNE)))["version"] == 1


async def test_a_new_number_that_an_iuv_makes_must_be_granted(
    http: httpx.AsyncClient, application: Application
) -> None:
    key = await register_caller(application, "code-47", grants={LENIENT: frozenset({"47"})})

    answer = await http.post(CALL, json=a_position(paFiscalCode=COMUNE, iuv="47SECRET"), headers=key)

    assert (answer.status_code, answer.headers["x-error-code"]) == (403, "segregation_code_not_granted")


# Old numbers of strict institutions


@pytest.mark.parametrize("aux", OLD_NUMBERS)
async def test_a_position_of_an_old_number_is_updated_and_cancelled_by_its_iuv_alone(
    http: httpx.AsyncClient, everything: dict[str, str], aux: str
) -> None:
    number = OLD_NUMBERS[aux]
    published = await http.put(path_of(number), json=a_body(), headers=everything)
    iuv = published.json()["iuv"]

    updated = await http.post(CALL, json=a_position(iuv=iuv, amount=999), headers=everything)
    cancelled = await http.post(CALL, json=a_position(iuv=iuv, amount=0), headers=everything)

    assert (updated.status_code, updated.json()["nav"], updated.json()["amount"]) == (200, number, 999)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "INVALID")


async def test_two_old_numbers_with_one_iuv_are_told_apart(http: httpx.AsyncClient, everything: dict[str, str]) -> None:
    # Application codes 93 apart give the same check digits, and so the same IUV.
    one, other = "001000000000000141", "094000000000000141"
    assert (await http.put(path_of(one), json=a_body(), headers=everything)).status_code == 201

    answer = await http.put(path_of(other), json=a_body(), headers=everything)

    assert refusal(answer) == (409, "iuv_already_used")


async def test_an_old_number_cannot_have_the_iuv_of_a_current_one(
    http: httpx.AsyncClient, everything: dict[str, str]
) -> None:
    current = a_number(9)
    assert (await http.put(path_of(current), json=a_body(), headers=everything)).status_code == 201

    answer = await http.put(path_of(f"1{current[1:]}"), json=a_body(), headers=everything)

    assert refusal(answer) == (409, "iuv_already_used")


async def test_a_current_number_is_found_before_an_old_one_with_its_iuv(
    http: httpx.AsyncClient, everything: dict[str, str]
) -> None:
    current = a_number(9)
    assert (await http.put(path_of(f"1{current[1:]}"), json=a_body(), headers=everything)).status_code == 201
    assert (await http.put(path_of(current), json=a_body(), headers=everything)).status_code == 201

    answer = await http.post(CALL, json=a_position(iuv=current[1:], amount=999), headers=everything)

    assert answer.json()["nav"] == current


async def test_a_position_with_an_iuv_that_makes_no_valid_number_names_the_iuv(
    http: httpx.AsyncClient, everything: dict[str, str]
) -> None:
    answer = await http.post(CALL, json=a_position(iuv="47000000000000125"), headers=everything)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("iuv: ")


async def test_a_cancelled_old_number_can_be_restored(http: httpx.AsyncClient, everything: dict[str, str]) -> None:
    http.headers.update(everything)
    path = path_of(OLD_NUMBERS["0"])
    await publish(http, path, iban=IBAN)
    await declare(http, "cancelled", path)

    assert (await declare(http, "restored", path)).json()["status"] == "ACTIVE"


async def test_an_iuv_whose_own_number_has_another_iuv_is_free(http: httpx.AsyncClient) -> None:
    number = a_number(10)
    await publish(http, path_of(number, COMUNE), iuv="ANOTHER")

    assert (await http.put(A1, json=a_body(iuv=number[1:]))).status_code == 201


async def test_an_iuv_whose_own_number_was_only_paid_is_free(http: httpx.AsyncClient, application: Application) -> None:
    number = a_number(10)
    await pay(application, Address(LENIENT, number))

    assert (await http.put(A1, json=a_body(iuv=number[1:]))).status_code == 201
