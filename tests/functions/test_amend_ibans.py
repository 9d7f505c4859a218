"""Which IBANs and transfers an amended notice has."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.institutions import RegisteredIban
from tests.functions.client import (
    A_TRANSFER,
    ACA,
    ANOTHER_IBAN,
    LENIENT_NOTICE,
    MINUTE,
    NOTICE,
    TWO_TRANSFERS,
    amend,
    ibans_of,
    publish,
    refusal,
    register_institution,
)
from tests.support import IBAN, NOW, POSTAL_IBAN, StillClock, an_institution


async def test_transfers_drop_the_stored_iban(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    amended = await amend(http, {"transfers": [A_TRANSFER]})

    assert ibans_of(amended) == (None, None, None)


async def test_transfers_drop_the_registered_iban(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"transfers": [A_TRANSFER], "iban": None, "postalIban": None})

    assert ibans_of(amended) == (None, None, None)


async def test_transfers_beside_null_as_iban_need_no_registered_iban(
    http: httpx.AsyncClient, application: Application
) -> None:
    await register_institution(application)
    await publish(http, iban=IBAN)

    amended = await amend(http, {"transfers": [A_TRANSFER], "iban": None})

    assert (len(amended["transfers"]), amended["iban"]) == (1, None)


async def test_an_iban_drops_the_stored_transfers(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"iban": IBAN})

    assert (amended["transfers"], *ibans_of(amended)) == ([], IBAN, None, "given")


async def test_null_as_iban_drops_the_stored_transfers_for_the_default(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"iban": None})

    assert (amended["transfers"], *ibans_of(amended)) == ([], POSTAL_IBAN, POSTAL_IBAN, "registered")


@pytest.mark.parametrize("transfers", [None, []], ids=["null", "empty"])
async def test_a_notice_without_its_transfers_takes_the_default(
    http: httpx.AsyncClient, transfers: list[Any] | None
) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"transfers": transfers})

    assert (amended["transfers"], *ibans_of(amended)) == ([], POSTAL_IBAN, POSTAL_IBAN, "registered")


async def test_no_transfers_leave_a_given_iban_alone(http: httpx.AsyncClient) -> None:
    published = await publish(http, iban=IBAN)

    amended = await amend(http, {"transfers": []})

    assert amended == published


async def test_amount_and_transfers_change_together(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"amount": 99, "transfers": [{**A_TRANSFER, "amount": 99}]})

    assert amended["amount"] == 99


async def test_an_iban_that_is_given_replaces_the_registered_one(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE)

    amended = await amend(http, {"iban": ANOTHER_IBAN}, LENIENT_NOTICE)

    assert ibans_of(amended) == (ANOTHER_IBAN, None, "given")


async def test_null_as_iban_replaces_the_given_one_by_the_registered(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE, iban=ANOTHER_IBAN)

    amended = await amend(http, {"iban": None}, LENIENT_NOTICE)

    assert ibans_of(amended) == (IBAN, None, "registered")


async def test_an_amendment_keeps_the_ibans_it_does_not_name(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    amended = await amend(http, {"amount": 1})

    assert ibans_of(amended) == (IBAN, POSTAL_IBAN, "given")


async def register_default(application: Application, clock: StillClock, *ibans: RegisteredIban) -> None:
    """Register these as the only IBANs of the institution, and wait until they are known."""
    await register_institution(application, ibans=ibans)
    clock.advance(MINUTE)


async def test_a_registered_iban_is_refreshed_by_a_later_change(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_default(application, clock, RegisteredIban(IBAN, ACA, NOW))

    amended = await amend(http, {"amount": 1})

    assert ibans_of(amended) == (IBAN, None, "registered")


async def test_null_as_iban_refreshes_a_registered_iban(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_default(application, clock, RegisteredIban(IBAN, ACA, NOW))

    amended = await amend(http, {"iban": None})

    assert ibans_of(amended) == (IBAN, None, "registered")


async def test_a_registered_iban_is_not_refreshed_by_a_patch_that_changes_nothing(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    published = await publish(http)
    await register_default(application, clock, RegisteredIban(IBAN, ACA, NOW))

    amended = await amend(http, {})

    assert amended == published


async def test_a_given_iban_is_not_refreshed(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http, iban=IBAN)
    await register_default(application, clock, RegisteredIban(ANOTHER_IBAN, ACA, NOW))

    amended = await amend(http, {"amount": 1})

    assert ibans_of(amended) == (IBAN, None, "given")


async def test_a_refresh_that_finds_no_default_keeps_the_iban(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_default(application, clock)

    amended = await amend(http, {"amount": 1})

    assert ibans_of(amended) == (POSTAL_IBAN, POSTAL_IBAN, "registered")


@pytest.mark.parametrize(
    ("stored", "patch"),
    [
        ({"iban": IBAN}, {"iban": None}),
        ({"transfers": TWO_TRANSFERS}, {"transfers": []}),
        ({"transfers": TWO_TRANSFERS}, {"iban": None}),
    ],
)
async def test_without_a_registered_default_the_way_of_the_money_is_not_cleared(
    http: httpx.AsyncClient,
    application: Application,
    clock: StillClock,
    stored: dict[str, Any],
    patch: dict[str, Any],
) -> None:
    await publish(http, **stored)
    await register_default(application, clock)

    answer = await http.patch(NOTICE, json=patch)

    assert refusal(answer) == (422, "no_iban_registered")


async def test_an_iban_taken_back_is_refused_where_none_is_registered_whatever_is_known_of_the_notice(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await application.registry.save_institution(an_institution(ibans=()))
    clock.advance(MINUTE)

    answer = await http.patch(NOTICE, json={"iban": None})

    assert refusal(answer) == (422, "no_iban_registered")


async def test_an_iban_of_null_beside_transfers_needs_no_registered_one(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http, iban=IBAN)
    await register_institution(application)

    answer = await http.patch(NOTICE, json={"iban": None, "transfers": [A_TRANSFER]})

    assert (answer.status_code, answer.json()["iban"], len(answer.json()["transfers"])) == (200, None, 1)
