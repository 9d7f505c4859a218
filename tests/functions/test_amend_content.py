"""PATCH changes the fields that it names, and keeps the others."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import (
    A_TRANSFER,
    COMUNE,
    JSON,
    LENIENT_NOTICE,
    NOTICE,
    TWO_TRANSFERS,
    amend,
    history,
    path_of,
    pay,
    publish,
    refusal,
    shown,
    types,
    violations,
)
from tests.functions.fields import REFUSED, REQUIRED, RULES, TAKEN, found, naming
from tests.support import HOUR, IBAN, POSTAL_IBAN, StillClock, a_body, a_number


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


# The notice that is amended


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
