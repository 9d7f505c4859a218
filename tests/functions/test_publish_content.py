"""The fields that PUT takes and refuses, each by itself and all together."""

from typing import Any

import httpx
import pytest

from tests.functions.client import (
    A_STAMP,
    A_STAMP_TRANSFER,
    A_TRANSFER,
    JSON,
    NOTICE,
    path_of,
    publish,
    refusal,
    violations,
)
from tests.functions.fields import REFUSED, REQUIRED, REQUIRED_OF_A_TRANSFER, RULES, TAKEN, found, whole
from tests.support import IBAN, POSTAL_IBAN, a_body, a_number

# Each by itself


@pytest.mark.parametrize("where", TAKEN)
async def test_every_value_that_a_field_takes_is_shown_as_it_was_given(http: httpx.AsyncClient, where: str) -> None:
    values = TAKEN[where]

    published = [await publish(http, path_of(a_number(n)), **whole(where, value)) for n, value in enumerate(values)]

    assert [found(notice, where) for notice in published] == values


@pytest.mark.parametrize(("where", "code"), RULES)
async def test_a_value_that_breaks_the_rule_of_a_field_is_refused(
    http: httpx.AsyncClient, where: str, code: str
) -> None:
    values = REFUSED[where][code]

    answers = [await http.put(NOTICE, json=whole(where, value)) for value in values]

    assert {repr(value): violations(answer) for value, answer in zip(values, answers, strict=True)} == {
        repr(value): [(where, code)] for value in values
    }


@pytest.mark.parametrize("where", [*REQUIRED, *REQUIRED_OF_A_TRANSFER])
async def test_a_required_field_that_is_left_out_is_refused(http: httpx.AsyncClient, where: str) -> None:
    answer = await http.put(NOTICE, json=whole(where, ...))

    assert violations(answer) == [(where, "required")]


@pytest.mark.parametrize("where", [*REQUIRED, *REQUIRED_OF_A_TRANSFER])
async def test_a_required_field_that_is_null_is_refused(http: httpx.AsyncClient, where: str) -> None:
    answer = await http.put(NOTICE, json=whole(where, None))

    assert [field for field, _ in violations(answer)] == [where]


@pytest.mark.parametrize("body", ["null", "true", "7", '"text"', "[]", "[{}]"])
async def test_a_body_that_is_no_object_is_refused(http: httpx.AsyncClient, body: str) -> None:
    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert [field for field, _ in violations(answer)] == ["body"]


@pytest.mark.parametrize(
    ("given", "as_shown"),
    [
        ("2026-12-16T10:00:00+01:00", "2026-12-16T09:00:00.000Z"),
        ("2026-12-16T10:00:00", "2026-12-16T09:00:00.000Z"),
        ("2026-07-16T10:00:00", "2026-07-16T08:00:00.000Z"),
        ("2026-12-16t10:00:00z", "2026-12-16T10:00:00.000Z"),
        ("2026-12-16T10:00:00.1239Z", "2026-12-16T10:00:00.123Z"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z"),
    ],
)
async def test_a_date_time_is_shown_in_utc(http: httpx.AsyncClient, given: str, as_shown: str) -> None:
    published = await publish(http, dueDate=given)

    assert published["dueDate"] == as_shown


async def test_a_notice_takes_five_transfers(http: httpx.AsyncClient) -> None:
    transfers = [{**A_TRANSFER, "id": n, "amount": 2410, "metadata": {}} for n in (5, 4, 3, 2, 1)]

    published = await publish(http, transfers=transfers)

    assert published["transfers"] == transfers


# All together


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validFrom": "2026-12-17"}, ("validFrom", "not_before_due_date")),
        ({"validFrom": "2026-12-16T23:00:00Z"}, ("validFrom", "not_before_due_date")),
        (
            {"validFrom": "2026-12-16T10:00:00Z", "dueDate": "2026-12-16T10:00:00Z"},
            ("validFrom", "not_before_due_date"),
        ),
        ({"transfers": [{**A_TRANSFER, "amount": 12049}]}, ("transfers", "sum_of_transfers")),
        (
            {"transfers": [{**A_TRANSFER, "amount": 12050}, {**A_TRANSFER, "id": 2, "amount": 1}]},
            ("transfers", "sum_of_transfers"),
        ),
        (
            {"transfers": [{**A_TRANSFER, "amount": 12000}, {**A_TRANSFER, "amount": 50}]},
            ("transfers", "transfer_id_repeated"),
        ),
        ({"transfers": [A_TRANSFER], "iban": IBAN}, ("transfers", "iban_and_transfers")),
        ({"transfers": [A_TRANSFER], "postalIban": POSTAL_IBAN}, ("transfers", "iban_and_transfers")),
        ({"transfers": [{**A_TRANSFER, "stamp": A_STAMP}]}, ("transfers[0].stamp", "iban_or_stamp")),
        ({"transfers": [{**A_STAMP_TRANSFER, "stamp": None}]}, ("transfers[0].stamp", "iban_or_stamp")),
        (
            {"transfers": [{**A_STAMP_TRANSFER, "postalIban": POSTAL_IBAN}]},
            ("transfers[0].postalIban", "postal_iban_with_stamp"),
        ),
        ({"iuv": "47000000000000125"}, ("iuv", "iuv")),
    ],
)
async def test_fields_that_do_not_fit_each_other_are_refused(
    http: httpx.AsyncClient, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    answer = await http.put(NOTICE, json=a_body(**changes))

    assert violations(answer) == [expected]


async def test_everything_that_a_body_breaks_is_told_at_once(http: httpx.AsyncClient) -> None:
    transfers = [{**A_TRANSFER, "iban": "IT00"}, {**A_TRANSFER, "id": 2, "category": ..., "stamp": {"stampType": "1"}}]
    del transfers[1]["category"]

    answer = await http.put(
        NOTICE,
        json=a_body(
            amount=0,
            description=...,
            debtor={"type": "X", "fiscalCode": "x", "nickname": "Mario"},
            validFrom="tomorrow",
            transfers=transfers,
            metadata={"": "x", "k": "\0"},
            occurredAt="2026-11-23T10:05:01Z",
            colour="red",
        ),
    )

    assert violations(answer) == [
        ("amount", "out_of_range"),
        ("colour", "unknown_field"),
        ("debtor.fiscalCode", "debtor_code"),
        ("debtor.fullName", "required"),
        ("debtor.nickname", "unknown_field"),
        ("debtor.type", "not_allowed"),
        ("description", "required"),
        ("metadata", "control_character"),
        ("metadata", "too_short"),
        ("occurredAt", "occurred_at_ahead"),
        ("transfers[0].iban", "iban"),
        ("transfers[1].category", "required"),
        ("transfers[1].stamp.hashDocument", "required"),
        ("transfers[1].stamp.provincialResidence", "required"),
        ("transfers[1].stamp.stampType", "wrong_form"),
        ("validFrom", "date_time"),
    ]


async def test_rules_between_fields_are_told_with_those_of_single_fields(http: httpx.AsyncClient) -> None:
    answer = await http.put(
        NOTICE,
        json=a_body(description="", validFrom="2026-12-17", transfers=[{**A_TRANSFER, "amount": 1}], officeName=""),
    )

    assert violations(answer) == [
        ("description", "too_short"),
        ("officeName", "too_short"),
        ("transfers", "sum_of_transfers"),
        ("validFrom", "not_before_due_date"),
    ]


async def test_an_iuv_that_disagrees_is_told_with_the_other_violations(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(amount=0, iuv="47000000000000125"))

    assert violations(answer) == [("amount", "out_of_range"), ("iuv", "iuv")]


async def test_all_that_transfers_break_together_is_told_at_once(http: httpx.AsyncClient) -> None:
    transfers = [{**A_TRANSFER, "amount": 1}, {**A_TRANSFER, "amount": 2}]

    answer = await http.put(NOTICE, json=a_body(transfers=transfers, iban=IBAN))

    assert violations(answer) == [
        ("transfers", "iban_and_transfers"),
        ("transfers", "sum_of_transfers"),
        ("transfers", "transfer_id_repeated"),
    ]


async def test_a_refused_body_publishes_nothing(http: httpx.AsyncClient) -> None:
    await http.put(NOTICE, json=a_body(amount=0))

    assert refusal(await http.get(NOTICE)) == (404, "notice_not_found")
