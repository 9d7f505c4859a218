"""Who may call paCreatePosition."""

import httpx
import pytest

from shared.auth import key_hash
from shared.bootstrap import Application
from shared.domain.callers import EVERY, Key
from shared.domain.events import Origin
from tests.functions.positions import A_NOTICE, CALL, COMUNE, NOTICE, a_position, call, refused
from tests.stores import both_stores
from tests.support import (
    DAY,
    NUMBER,
    StillClock,
    a_caller,
    a_publication,
    an_act,
    an_institution,
)

pytestmark = both_stores


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
