"""What PATCH and POST events make of a notice."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.identifiers import Iban
from shared.domain.institutions import DEFAULT_LABEL, RegisteredIban
from tests.functions.client import (
    A_TRANSFER,
    COMUNE,
    EVENTS,
    FINAL,
    JSON,
    LENIENT_NOTICE,
    MINUTE,
    NOTICE,
    bring_to,
    declare,
    history,
    path_of,
    pay,
    publish,
    publish_from_gpd,
    refusal,
    register_institution,
    shown,
    types,
    violations,
)
from tests.functions.fields import REFUSED, REQUIRED, RULES, TAKEN, found, naming
from tests.support import DAY, HOUR, IBAN, NOW, POSTAL_IBAN, StillClock, a_body, a_number, an_institution

ACA = frozenset({DEFAULT_LABEL})
ANOTHER_IBAN = Iban("IT73J0615513000000000012345")
STATES = ("cancelled", "closed", "restored")
TWO_TRANSFERS = [{**A_TRANSFER, "amount": 12000, "metadata": {}}, {**A_TRANSFER, "id": 2, "amount": 50, "metadata": {}}]


async def amend(http: httpx.AsyncClient, patch: dict[str, Any], path: str = NOTICE) -> dict[str, Any]:
    """Amend a notice and return what was answered."""
    answer = await http.patch(path, json=patch)
    assert answer.status_code == 200, answer.text
    amended: dict[str, Any] = answer.json()
    return amended


# PATCH: what is named changes, the rest stays


async def test_only_the_named_field_changes(http: httpx.AsyncClient) -> None:
    published = await publish(http, iban=IBAN, metadata={"k": "v"}, iupd="1", validFrom="2026-11-01")

    amended = await amend(http, {"amount": 13000})

    assert amended == {**published, "amount": 13000, "version": 2}


async def test_an_amended_notice_has_the_tag_of_its_new_version(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"amount": 13000})

    assert answer.headers["etag"] == '"2-ACTIVE"'


async def test_an_amended_notice_is_read_as_it_was_answered(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"amount": 13000})

    assert await shown(http) == amended


async def test_an_amendment_is_an_event_that_names_what_changed(http: httpx.AsyncClient) -> None:
    await publish(http)

    await amend(http, {"debtor": {"fullName": "Maria Rossi"}})

    debtor = a_body()["debtor"]
    item = (await history(http))[1]
    assert (item["type"], item["changed"]) == (
        "amended",
        {"debtor": {"from": debtor, "to": {**debtor, "fullName": "Maria Rossi"}}},
    )


@pytest.mark.parametrize("where", TAKEN)
async def test_every_value_that_a_field_takes_is_amended_to(http: httpx.AsyncClient, where: str) -> None:
    values = TAKEN[where]
    paths = [path_of(a_number(n)) for n in range(len(values))]
    for path in paths:
        await publish(http, path)

    amended = [await amend(http, naming(where, value), path) for path, value in zip(paths, values, strict=True)]

    assert [found(notice, where) for notice in amended] == values


@pytest.mark.parametrize(("where", "code"), RULES)
async def test_a_value_that_breaks_the_rule_of_a_field_is_refused(
    http: httpx.AsyncClient, where: str, code: str
) -> None:
    await publish(http)
    values = REFUSED[where][code]

    answers = [await http.patch(NOTICE, json=naming(where, value)) for value in values]

    assert {repr(value): violations(answer) for value, answer in zip(values, answers, strict=True)} == {
        repr(value): [(where, code)] for value in values
    }


@pytest.mark.parametrize(
    ("field", "given", "default"),
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
async def test_null_clears_a_field_or_means_its_default(
    http: httpx.AsyncClient, field: str, given: Any, default: Any
) -> None:
    await publish(http, **{field: given})

    amended = await amend(http, {field: None})

    assert amended[field] == default


async def test_null_clears_a_given_postal_iban(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    amended = await amend(http, {"postalIban": None})

    assert (amended["iban"], amended["postalIban"]) == (IBAN, None)


async def test_null_as_postal_iban_means_the_postal_default_where_there_is_one(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"postalIban": None, "amount": 1})

    assert amended["postalIban"] == POSTAL_IBAN


@pytest.mark.parametrize("where", REQUIRED)
async def test_a_required_field_is_not_cleared(http: httpx.AsyncClient, where: str) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json=naming(where, None))

    assert [field for field, _ in violations(answer)] == [where]


async def test_of_the_debtor_only_the_named_keys_change(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    amended = await amend(http, {"debtor": {"type": "G", "fiscalCode": "12345678903"}})

    assert amended["debtor"] == {**published["debtor"], "type": "G", "fiscalCode": "12345678903"}


async def test_of_the_metadata_only_the_named_keys_change(http: httpx.AsyncClient) -> None:
    await publish(http, metadata={"kept": "1", "changed": "2", "removed": "3"})

    amended = await amend(http, {"metadata": {"changed": "two", "removed": None, "added": "4", "unknown": None}})

    assert amended["metadata"] == {"kept": "1", "changed": "two", "added": "4"}


async def test_metadata_that_grow_too_many_are_refused(http: httpx.AsyncClient) -> None:
    await publish(http, metadata={f"key-{n}": "v" for n in range(10)})

    answer = await http.patch(NOTICE, json={"metadata": {"one-more": "v"}})

    assert violations(answer) == [("metadata", "too_many")]


async def test_metadata_may_all_be_exchanged_at_once(http: httpx.AsyncClient) -> None:
    await publish(http, metadata={f"old-{n}": "v" for n in range(10)})
    new = {f"new-{n}": "v" for n in range(10)}

    amended = await amend(http, {"metadata": {**{f"old-{n}": None for n in range(10)}, **new}})

    assert amended["metadata"] == new


async def test_a_list_is_replaced_whole(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=TWO_TRANSFERS)
    transfers = [{**A_TRANSFER, "id": 3, "metadata": {}}]

    amended = await amend(http, {"transfers": transfers})

    assert amended["transfers"] == transfers


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"amount": 12050},
        {"debtor": {}},
        {"debtor": {"fullName": "Mario Rossi"}},
        {"metadata": {}},
        {"metadata": {"k": "v"}},
        {"metadata": {"unknown": None}},
        {"transfers": None},
        {"transfers": []},
        {"iban": None},
        {"iban": None, "postalIban": None},
        {"dueDate": "2026-12-16", "switchToExpired": False, "payStandIn": None, "validFrom": None},
        {"iuv": None},
        {"iuv": "47000000000000124"},
        {"occurredAt": "2026-11-23T10:00:00Z"},
        {"occurredAt": None},
    ],
    ids=str,
)
async def test_a_patch_that_changes_nothing_makes_no_version(
    http: httpx.AsyncClient, clock: StillClock, patch: dict[str, Any]
) -> None:
    published = await publish(http, metadata={"k": "v"})
    clock.advance(HOUR)

    answer = await http.patch(NOTICE, json=patch)

    assert (answer.status_code, answer.json()) == (200, published)


async def test_a_patch_that_changes_nothing_makes_no_event(http: httpx.AsyncClient) -> None:
    await publish(http)

    await amend(http, {})

    assert await types(http) == ["published"]


@pytest.mark.parametrize("body", ["null", "true", "7", '"text"', "[]", '[{"amount": 1}]'])
async def test_a_patch_that_is_no_object_is_refused(http: httpx.AsyncClient, body: str) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, content=body, headers=JSON)

    assert [field for field, _ in violations(answer)] == ["body"]


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_a_patch_is_json_or_a_merge_patch(http: httpx.AsyncClient, media_type: str) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, content=b'{"amount": 1}', headers={"Content-Type": media_type})

    assert (answer.status_code, answer.json()["amount"]) == (200, 1)


@pytest.mark.parametrize(
    "field",
    [
        "creditorInstitution", "noticeNumber", "origin", "status", "version", "publishedAt", "updatedAt", "ibanSource",
        "payments", "settlements", "endReason", "replacedBy", "anomalies",
    ],
)  # fmt: skip
async def test_what_the_archive_adds_is_not_amended(http: httpx.AsyncClient, field: str) -> None:
    published = await publish(http)

    answer = await http.patch(NOTICE, json={field: published.get(field)})

    assert violations(answer) == [(field, "unknown_field")]


async def test_the_iuv_is_not_amended(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"iuv": "47000000000000125"})

    assert refusal(answer) == (409, "iuv_is_fixed")


async def test_the_iuv_of_a_lenient_institution_is_not_amended_either(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE, iuv="RF18539007547034")

    answer = await http.patch(LENIENT_NOTICE, json={"iuv": "47000000000000124"})

    assert refusal(answer) == (409, "iuv_is_fixed")


async def test_a_lenient_institution_gets_checks_of_form_only(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE)

    amended = await amend(http, {"debtor": {"fiscalCode": "XY"}}, LENIENT_NOTICE)

    assert amended["debtor"]["fiscalCode"] == "XY"


async def test_all_that_a_patch_breaks_is_told_at_once(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.patch(
        NOTICE,
        json={
            "amount": 0,
            "dueDate": None,
            "debtor": {"fullName": "", "age": 44},
            "transfers": [{**A_TRANSFER, "category": ""}],
            "status": "PAID",
        },
    )

    assert violations(answer) == [
        ("amount", "out_of_range"),
        ("debtor.age", "unknown_field"),
        ("debtor.fullName", "too_short"),
        ("dueDate", "required"),
        ("status", "unknown_field"),
        ("transfers[0].category", "too_short"),
    ]


async def test_a_refused_patch_changes_nothing(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    await http.patch(NOTICE, json={"amount": 1, "description": ""})

    assert await shown(http) == published


@pytest.mark.parametrize(
    ("stored", "patch", "expected"),
    [
        ({}, {"validFrom": "2026-12-17"}, [("validFrom", "not_before_due_date")]),
        ({"validFrom": "2026-12-01"}, {"dueDate": "2026-11-30"}, [("validFrom", "not_before_due_date")]),
        ({"transfers": TWO_TRANSFERS}, {"amount": 12051}, [("transfers", "sum_of_transfers")]),
        ({}, {"transfers": [{**A_TRANSFER, "amount": 12051}]}, [("transfers", "sum_of_transfers")]),
        ({"transfers": TWO_TRANSFERS}, {"postalIban": POSTAL_IBAN}, [("postalIban", "iban_and_transfers")]),
        (
            {"transfers": TWO_TRANSFERS},
            {"amount": 1, "validFrom": "2026-12-17"},
            [("transfers", "sum_of_transfers"), ("validFrom", "not_before_due_date")],
        ),
    ],
)
async def test_fields_that_no_longer_fit_each_other_are_refused(
    http: httpx.AsyncClient, stored: dict[str, Any], patch: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    await publish(http, **stored)

    answer = await http.patch(NOTICE, json=patch)

    assert violations(answer) == expected


@pytest.mark.parametrize(
    "patch",
    [
        {"transfers": [A_TRANSFER], "iban": IBAN},
        {"transfers": [A_TRANSFER], "postalIban": POSTAL_IBAN},
        {"transfers": [A_TRANSFER], "iban": IBAN, "postalIban": POSTAL_IBAN},
    ],
    ids=["iban", "postalIban", "both"],
)
async def test_a_patch_does_not_name_transfers_and_an_iban(http: httpx.AsyncClient, patch: dict[str, Any]) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json=patch)

    assert violations(answer) == [("transfers", "iban_and_transfers")]


# PATCH: where the money goes


async def test_transfers_drop_the_stored_iban(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    amended = await amend(http, {"transfers": [A_TRANSFER]})

    assert _way(amended) == (None, None, None)


async def test_transfers_drop_the_registered_iban(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"transfers": [A_TRANSFER], "iban": None, "postalIban": None})

    assert _way(amended) == (None, None, None)


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

    assert (amended["transfers"], *_way(amended)) == ([], IBAN, None, "given")


async def test_null_as_iban_drops_the_stored_transfers_for_the_default(http: httpx.AsyncClient) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"iban": None})

    assert (amended["transfers"], *_way(amended)) == ([], POSTAL_IBAN, POSTAL_IBAN, "registered")


@pytest.mark.parametrize("transfers", [None, []], ids=["null", "empty"])
async def test_a_notice_without_its_transfers_takes_the_default(
    http: httpx.AsyncClient, transfers: list[Any] | None
) -> None:
    await publish(http, transfers=TWO_TRANSFERS)

    amended = await amend(http, {"transfers": transfers})

    assert (amended["transfers"], *_way(amended)) == ([], POSTAL_IBAN, POSTAL_IBAN, "registered")


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

    assert _way(amended) == (ANOTHER_IBAN, None, "given")


async def test_null_as_iban_replaces_the_given_one_by_the_registered(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE, iban=ANOTHER_IBAN)

    amended = await amend(http, {"iban": None}, LENIENT_NOTICE)

    assert _way(amended) == (IBAN, None, "registered")


async def test_an_amendment_keeps_the_ibans_it_does_not_name(http: httpx.AsyncClient) -> None:
    await publish(http, iban=IBAN, postalIban=POSTAL_IBAN)

    amended = await amend(http, {"amount": 1})

    assert _way(amended) == (IBAN, POSTAL_IBAN, "given")


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

    assert _way(amended) == (IBAN, None, "registered")


async def test_null_as_iban_refreshes_a_registered_iban(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_default(application, clock, RegisteredIban(IBAN, ACA, NOW))

    amended = await amend(http, {"iban": None})

    assert _way(amended) == (IBAN, None, "registered")


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

    assert _way(amended) == (IBAN, None, "given")


async def test_a_refresh_that_finds_no_default_keeps_the_iban(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_default(application, clock)

    amended = await amend(http, {"amount": 1})

    assert _way(amended) == (POSTAL_IBAN, POSTAL_IBAN, "registered")


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


# PATCH: dates


async def test_a_notice_amended_to_begin_later_is_scheduled(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"validFrom": "2026-12-01"})

    assert amended["status"] == "SCHEDULED"


async def test_a_scheduled_notice_amended_to_begin_now_is_active(http: httpx.AsyncClient) -> None:
    await publish(http, validFrom="2026-12-01")

    amended = await amend(http, {"validFrom": None})

    assert amended["status"] == "ACTIVE"


async def test_a_notice_is_not_amended_to_be_due_in_the_past(http: httpx.AsyncClient) -> None:
    await publish(http, switchToExpired=True)

    answer = await http.patch(NOTICE, json={"dueDate": "2026-11-22"})

    assert refusal(answer) == (422, "due_date_in_past")


async def test_a_due_date_that_is_not_binding_may_be_amended_into_the_past(http: httpx.AsyncClient) -> None:
    await publish(http)

    amended = await amend(http, {"dueDate": "2026-11-22"})

    assert amended["status"] == "ACTIVE"


async def test_a_due_date_that_has_passed_and_becomes_binding_expires_the_notice(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-11-22")

    amended = await amend(http, {"switchToExpired": True})

    assert amended["status"] == "EXPIRED"


async def test_other_fields_of_an_expired_notice_may_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {"amount": 1})

    assert (amended["amount"], amended["status"]) == (1, "EXPIRED")


async def test_an_expired_notice_with_a_new_due_date_is_active_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {"dueDate": "2027-01-31"})

    assert amended["status"] == "ACTIVE"


async def test_what_time_has_done_is_written_down_before_the_amendment(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    await amend(http, {"dueDate": "2027-01-31"})

    assert [(item["version"], item["type"], item["statusAfter"]) for item in await history(http)] == [
        (1, "published", "ACTIVE"),
        (2, "expired", "EXPIRED"),
        (3, "amended", "ACTIVE"),
    ]


async def test_an_amendment_that_only_time_makes_necessary_writes_nothing(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    amended = await amend(http, {})

    assert (amended["status"], amended["version"]) == ("EXPIRED", 1)


# PATCH: the notice that is amended


async def test_a_notice_that_is_not_there_is_not_amended(http: httpx.AsyncClient) -> None:
    answer = await http.patch(NOTICE, json={"amount": 1})

    assert refusal(answer) == (404, "notice_not_found")


async def test_a_notice_that_was_only_paid_is_not_amended(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.patch(NOTICE, json={"amount": 1})

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize("number", ["347000000000000125", "1", "Z" * 36, "%00"])
async def test_a_number_that_breaks_its_form_names_no_notice(http: httpx.AsyncClient, number: str) -> None:
    answer = await http.patch(path_of(number, COMUNE), json={"amount": 1})

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize(("status", "code"), FINAL.items())
@pytest.mark.parametrize("patch", [{}, {"amount": 1}], ids=["no change", "a change"])
async def test_a_notice_that_ended_cannot_be_amended(
    http: httpx.AsyncClient, application: Application, status: str, code: str, patch: dict[str, Any]
) -> None:
    await bring_to(status, http, application)

    answer = await http.patch(NOTICE, json=patch)

    assert refusal(answer) == (409, code)


@pytest.mark.parametrize("patch", [{}, {"amount": 1}], ids=["no change", "a change"])
async def test_a_notice_that_came_from_gpd_is_not_amended_by_its_institution(
    http: httpx.AsyncClient, application: Application, patch: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.patch(NOTICE, json=patch)

    assert refusal(answer) == (409, "managed_by_gpd")


# POST: cancelled, closed, restored


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [("cancelled", "CANCELLED", "cancelled"), ("closed", "CLOSED", "paid_elsewhere")],
)
async def test_a_notice_that_ended_shows_how(http: httpx.AsyncClient, event: str, status: str, reason: str) -> None:
    published = await publish(http)

    answer = await declare(http, event)

    assert answer.status_code == 200
    assert answer.json() == {**published, "status": status, "version": 2, "endReason": reason}


async def test_a_declared_end_is_answered_with_its_tag(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled")

    assert answer.headers["etag"] == '"2-CANCELLED"'


async def test_a_declared_end_is_an_event_with_its_reason(http: httpx.AsyncClient) -> None:
    await publish(http)

    await declare(http, "cancelled", reason="Annullato in autotutela")

    item = (await history(http))[1]
    assert (item["type"], item["statusBefore"], item["statusAfter"], item["reason"]) == (
        "cancelled",
        "ACTIVE",
        "CANCELLED",
        "Annullato in autotutela",
    )


async def test_a_notice_that_another_replaces_names_it(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled", replacedBy=a_number(2))

    assert (answer.json()["endReason"], answer.json()["replacedBy"]) == ("replaced", a_number(2))


@pytest.mark.parametrize("event", ["cancelled", "closed"])
async def test_an_end_that_is_declared_again_changes_nothing(
    http: httpx.AsyncClient, clock: StillClock, event: str
) -> None:
    await publish(http)
    ended = await declare(http, event)
    clock.advance(HOUR)

    again = await declare(http, event, reason="Once more")

    assert (again.status_code, again.json()) == (200, ended.json())


async def test_an_end_that_is_declared_again_makes_no_event(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "closed")

    await declare(http, "closed")

    assert await types(http) == ["published", "closed"]


async def test_a_cancelled_notice_is_not_replaced_afterwards(http: httpx.AsyncClient) -> None:
    await publish(http)
    cancelled = await declare(http, "cancelled")

    again = await declare(http, "cancelled", replacedBy=a_number(2))

    assert (again.status_code, again.json()) == (200, cancelled.json())


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("cancelled", "closed", "notice_cancelled"), ("closed", "cancelled", "notice_closed")],
)
async def test_a_notice_does_not_end_in_two_ways(http: httpx.AsyncClient, first: str, second: str, code: str) -> None:
    await publish(http)
    await declare(http, first)

    answer = await declare(http, second)

    assert refusal(answer) == (409, code)


@pytest.mark.parametrize("event", ["cancelled", "closed"])
async def test_a_restored_notice_has_no_end_any_more(http: httpx.AsyncClient, event: str) -> None:
    published = await publish(http)
    await declare(http, event, **({"replacedBy": a_number(2)} if event == "cancelled" else {}))

    answer = await declare(http, "restored")

    assert answer.status_code == 200
    assert answer.json() == {**published, "version": 3}


@pytest.mark.parametrize(
    ("changes", "waited", "status"),
    [
        ({}, timedelta(0), "ACTIVE"),
        ({"validFrom": "2026-12-01"}, DAY, "SCHEDULED"),
        ({"validFrom": "2026-12-01"}, 10 * DAY, "ACTIVE"),
        ({"switchToExpired": True}, 10 * DAY, "ACTIVE"),
        ({"switchToExpired": True}, 30 * DAY, "EXPIRED"),
        ({"validFrom": "2026-12-01", "switchToExpired": True}, 30 * DAY, "EXPIRED"),
        ({}, 30 * DAY, "ACTIVE"),
    ],
)
async def test_a_restored_notice_has_the_status_of_its_dates(
    http: httpx.AsyncClient, clock: StillClock, changes: dict[str, Any], waited: timedelta, status: str
) -> None:
    await publish(http, **changes)
    await declare(http, "cancelled")
    clock.advance(waited)

    answer = await declare(http, "restored")

    assert answer.json()["status"] == status


@pytest.mark.parametrize("changes", [{}, {"validFrom": "2026-12-01"}], ids=["ACTIVE", "SCHEDULED"])
async def test_a_notice_that_did_not_end_is_restored_without_change(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    published = await publish(http, **changes)

    answer = await declare(http, "restored")

    assert (answer.status_code, answer.json()) == (200, published)


async def test_an_expired_notice_is_not_restored(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    answer = await declare(http, "restored")

    assert refusal(answer) == (422, "notice_expired")


@pytest.mark.parametrize("event", ["cancelled", "closed"])
@pytest.mark.parametrize(
    ("changes", "waited"),
    [({"validFrom": "2026-12-01"}, timedelta(0)), ({"switchToExpired": True}, 30 * DAY)],
    ids=["SCHEDULED", "EXPIRED"],
)
async def test_a_notice_that_is_not_payable_may_end_too(
    http: httpx.AsyncClient, clock: StillClock, event: str, changes: dict[str, Any], waited: timedelta
) -> None:
    await publish(http, **changes)
    clock.advance(waited)

    answer = await declare(http, event)

    assert (answer.status_code, answer.json()["status"]) == (200, event.upper())


@pytest.mark.parametrize("event", STATES)
@pytest.mark.parametrize("status", ["PAID", "REPORTED"])
async def test_a_paid_notice_neither_ends_nor_is_restored(
    http: httpx.AsyncClient, application: Application, status: str, event: str
) -> None:
    await bring_to(status, http, application)

    answer = await declare(http, event)

    assert refusal(answer) == (409, FINAL[status])


async def test_a_notice_that_was_paid_after_its_end_is_not_restored(
    http: httpx.AsyncClient, application: Application
) -> None:
    await bring_to("CANCELLED", http, application)
    await pay(application)

    answer = await declare(http, "restored")

    assert refusal(answer) == (409, "notice_paid")


@pytest.mark.parametrize("event", STATES)
async def test_nothing_happens_to_a_notice_that_is_not_there(http: httpx.AsyncClient, event: str) -> None:
    answer = await declare(http, event)

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize("event", STATES)
async def test_nothing_happens_to_a_notice_that_was_only_paid(
    http: httpx.AsyncClient, application: Application, event: str
) -> None:
    await pay(application)

    answer = await declare(http, event)

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize("event", STATES)
async def test_what_happens_to_a_notice_from_gpd_is_not_declared_by_its_institution(
    http: httpx.AsyncClient, application: Application, event: str
) -> None:
    await publish_from_gpd(application)

    answer = await declare(http, event)

    assert refusal(answer) == (409, "managed_by_gpd")


# POST: the body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("type", "required")]),
        ({"type": "paid"}, [("type", "not_allowed")]),
        ({"type": "published"}, [("type", "not_allowed")]),
        ({"type": "Cancelled"}, [("type", "not_allowed")]),
        ({"type": ""}, [("type", "not_allowed")]),
        ({"type": 7}, [("type", "not_allowed")]),
        ({"type": ["cancelled"]}, [("type", "not_allowed")]),
        ({"type": "cancelled", "reason": ""}, [("reason", "too_short")]),
        ({"type": "cancelled", "reason": "x" * 256}, [("reason", "too_long")]),
        ({"type": "cancelled", "reason": "a\0"}, [("reason", "control_character")]),
        ({"type": "cancelled", "reason": 7}, [("reason", "wrong_type")]),
        ({"type": "cancelled", "replacedBy": "347000000000000125"}, [("replacedBy", "notice_number")]),
        ({"type": "cancelled", "replacedBy": "x"}, [("replacedBy", "notice_number")]),
        ({"type": "cancelled", "replacedBy": 347000000000000124}, [("replacedBy", "wrong_type")]),
        ({"type": "cancelled", "replacedBy": "347000000000000124"}, [("replacedBy", "replaced_by_itself")]),
        ({"type": "closed", "replacedBy": a_number(2)}, [("replacedBy", "replaced_by_not_cancelled")]),
        ({"type": "restored", "replacedBy": a_number(2)}, [("replacedBy", "replaced_by_not_cancelled")]),
        ({"type": "cancelled", "occurredAt": "2026-11-23"}, [("occurredAt", "date_time")]),
        ({"type": "cancelled", "occurredAt": "2026-11-23T10:05:00.001Z"}, [("occurredAt", "occurred_at_ahead")]),
        ({"type": "cancelled", "endReason": "replaced"}, [("endReason", "unknown_field")]),
        (
            {"type": "paid", "reason": "", "x": 1},
            [("reason", "too_short"), ("type", "not_allowed"), ("x", "unknown_field")],
        ),
    ],
    ids=str,
)
async def test_a_declaration_that_breaks_rules_is_refused_with_all_of_them(
    http: httpx.AsyncClient, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    await publish(http)

    answer = await http.post(EVENTS, json=body)

    assert violations(answer) == expected


@pytest.mark.parametrize("body", ["null", "true", "7", '"cancelled"', "[]", '[{"type": "cancelled"}]'])
async def test_a_declaration_that_is_no_object_is_refused(http: httpx.AsyncClient, body: str) -> None:
    await publish(http)

    answer = await http.post(EVENTS, content=body, headers=JSON)

    assert [field for field, _ in violations(answer)] == ["body"]


async def test_a_refused_declaration_changes_nothing(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    await declare(http, "cancelled", reason="")

    assert await shown(http) == published


@pytest.mark.parametrize("reason", ["x", "x" * 255, None])
async def test_a_declaration_takes_a_reason_of_up_to_255_characters(
    http: httpx.AsyncClient, reason: str | None
) -> None:
    await publish(http)

    await declare(http, "closed", reason=reason)

    assert (await history(http))[1].get("reason") == reason


async def test_the_number_that_replaces_one_of_a_lenient_institution_is_checked_for_form_only(
    http: httpx.AsyncClient,
) -> None:
    await publish(http, LENIENT_NOTICE)

    answer = await declare(http, "cancelled", LENIENT_NOTICE, replacedBy="A1")

    assert answer.json()["replacedBy"] == "A1"


# Preconditions of PATCH and POST


REQUESTS = [("PATCH", NOTICE, {"amount": 1}), ("POST", EVENTS, {"type": "cancelled"})]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', 'W/"1-ACTIVE"', '"1-SCHEDULED"', '"foreign", "1-ACTIVE"', "*"])
async def test_a_tag_of_the_known_version_lets_the_notice_change(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert (answer.status_code, answer.json()["version"]) == (200, 2)


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"2-ACTIVE"', '"0-ACTIVE"', '"foreign"', '"1"'])
async def test_a_tag_of_no_known_version_is_a_failed_precondition(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize("event", ["cancelled", "closed", "restored"])
async def test_no_event_is_declared_of_another_version_than_the_expected_one(
    http: httpx.AsyncClient, event: str
) -> None:
    await publish(http)

    answer = await http.post(EVENTS, json={"type": event}, headers={"If-Match": '"2-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")
    assert await types(http) == ["published"]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', "*"])
async def test_a_precondition_on_a_notice_that_is_not_there_is_404(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (404, "notice_not_found")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("tag", ["1-ACTIVE", '"1-ACTIVE', "", '"1-ACTIVE" "2-ACTIVE"'])
async def test_a_precondition_that_cannot_be_read_is_refused(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], tag: str
) -> None:
    await publish(http)

    answer = await http.request(method, path, json=body, headers={"If-Match": tag})

    assert refusal(answer) == (400, "invalid_header")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("status", FINAL)
async def test_the_precondition_is_checked_before_the_status(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any], status: str
) -> None:
    await bring_to(status, http, application)

    answer = await http.request(method, path, json=body, headers={"If-Match": '"1-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_the_precondition_is_checked_before_the_origin(
    http: httpx.AsyncClient, application: Application, method: str, path: str, body: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.request(method, path, json=body, headers={"If-Match": '"7-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")


# The order of declarations


async def test_an_amendment_older_than_the_publication_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    answer = await http.patch(NOTICE, json={"amount": 1, "occurredAt": "2026-11-23T08:59:59Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_amendment_older_than_another_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T07:00:00Z")
    await amend(http, {"amount": 1, "occurredAt": "2026-11-23T09:00:00Z"})

    answer = await http.patch(NOTICE, json={"amount": 2, "occurredAt": "2026-11-23T08:00:00Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_older_amendment_that_would_change_nothing_is_refused_too(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.patch(NOTICE, json={"occurredAt": "2026-11-23T09:00:00Z"})

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_amendment_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    amended = await amend(http, {"amount": 1, "occurredAt": "2026-11-23T09:00:00Z"})

    assert amended["amount"] == 1


async def test_an_amendment_up_to_five_minutes_ahead_was_made_on_arrival(http: httpx.AsyncClient) -> None:
    await publish(http)

    await amend(http, {"amount": 1, "occurredAt": "2026-11-23T10:05:00Z"})

    assert (await history(http))[1]["occurredAt"] == "2026-11-23T10:00:00.000Z"


async def test_an_end_is_not_ordered_with_the_content(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    assert answer.json()["status"] == "CANCELLED"


async def test_content_is_not_ordered_with_an_end(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T07:00:00Z")
    await declare(http, "cancelled", occurredAt="2026-11-23T08:00:00Z")
    await declare(http, "restored", occurredAt="2026-11-23T09:00:00Z")

    amended = await amend(http, {"amount": 1, "occurredAt": "2026-11-23T07:30:00Z"})

    assert amended["amount"] == 1


@pytest.mark.parametrize("event", STATES)
async def test_an_end_older_than_the_known_one_is_refused(http: httpx.AsyncClient, event: str) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, event, occurredAt="2026-11-23T08:00:00Z")

    assert refusal(answer) == (409, "stale_declaration")


async def test_an_end_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, "restored", occurredAt="2026-11-23T09:00:00Z")

    assert answer.json()["status"] == "ACTIVE"


async def test_an_end_that_changed_nothing_does_not_count_as_the_latest(http: httpx.AsyncClient) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T07:00:00Z")
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")

    answer = await declare(http, "restored", occurredAt="2026-11-23T08:00:00Z")

    assert answer.json()["status"] == "ACTIVE"


async def test_the_order_of_declarations_is_checked_before_the_status(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http)
    await declare(http, "cancelled", occurredAt="2026-11-23T09:00:00Z")
    await pay(application)

    answer = await declare(http, "restored", occurredAt="2026-11-23T08:00:00Z")

    assert refusal(answer) == (409, "stale_declaration")


async def test_the_time_of_a_declared_end_is_kept_on_the_event(http: httpx.AsyncClient) -> None:
    await publish(http)

    await declare(http, "closed", occurredAt="2026-11-23T08:00:00+01:00")

    item = (await history(http))[1]
    assert (item["occurredAt"], item["recordedAt"]) == ("2026-11-23T07:00:00.000Z", "2026-11-23T10:00:00.000Z")


def _way(notice: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    return notice["iban"], notice["postalIban"], notice["ibanSource"]


async def test_an_iban_taken_back_is_refused_where_none_is_registered_whatever_is_known_of_the_notice(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await application.registry.save_institution(an_institution(ibans=()))
    clock.advance(MINUTE)

    answer = await http.patch(NOTICE, json={"iban": None})

    assert refusal(answer) == (422, "no_iban_registered")


async def test_a_notice_that_was_read_can_be_sent_back(http: httpx.AsyncClient) -> None:
    read = await publish(http)

    answer = await http.put(NOTICE, json=read)

    assert (answer.status_code, answer.json()) == (200, read)


async def test_a_name_that_may_be_somebodys_code_is_not_repeated(http: httpx.AsyncClient) -> None:
    answer = await http.patch(NOTICE, json={"RSSMRA80A01H501U": 1})

    assert "RSSMRA80A01H501U" not in answer.text


async def test_an_iban_of_null_beside_transfers_needs_no_registered_one(
    http: httpx.AsyncClient, application: Application
) -> None:
    await publish(http, iban=IBAN)
    await register_institution(application)

    answer = await http.patch(NOTICE, json={"iban": None, "transfers": [A_TRANSFER]})

    assert (answer.status_code, answer.json()["iban"], len(answer.json()["transfers"])) == (200, None, 1)


async def test_two_requests_with_one_request_id_are_two_writes(http: httpx.AsyncClient) -> None:
    await publish(http)
    for amount in (1, 2):
        answer = await http.patch(NOTICE, json={"amount": amount}, headers={"X-Request-Id": "the same"})
        assert (answer.status_code, answer.json()["amount"]) == (200, amount)

    assert [item["version"] for item in await history(http)] == [1, 2, 3]
