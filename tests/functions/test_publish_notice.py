"""What PUT makes of a notice."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.callers import EVERY
from shared.domain.identifiers import Iban
from shared.domain.institutions import DEFAULT_LABEL, RegisteredIban
from tests.functions.client import (
    A_STAMP,
    A_STAMP_TRANSFER,
    A_TRANSFER,
    COMUNE,
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
    register_caller,
    register_institution,
    settle,
    shown,
    types,
    violations,
)
from tests.functions.fields import REFUSED, REQUIRED, REQUIRED_OF_A_TRANSFER, RULES, TAKEN, found, whole
from tests.stores import both_stores
from tests.support import DAY, HOUR, IBAN, INSTITUTION, NOW, NUMBER, POSTAL_IBAN, StillClock, a_body, a_number

ACA = frozenset({DEFAULT_LABEL})
ANOTHER_IBAN = Iban("IT73J0615513000000000012345")


# Created, replaced, unchanged


async def test_a_new_notice_is_created(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.status_code == 201


async def test_a_created_notice_shows_what_was_declared_and_what_the_archive_adds(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.json() == {
        "creditorInstitution": INSTITUTION,
        "noticeNumber": NUMBER,
        "iuv": NUMBER[1:],
        "origin": "ec",
        "status": "ACTIVE",
        "version": 1,
        "publishedAt": "2026-11-23T10:00:00.000Z",
        "updatedAt": "2026-11-23T10:00:00.000Z",
        "ibanSource": "registered",
        "amount": 12050,
        "description": "TARI 2026 prima rata",
        "dueDate": "2026-12-16",
        "debtor": {"type": "F", "fiscalCode": "RSSMRA80A01H501U", "fullName": "Mario Rossi"},
        "iban": POSTAL_IBAN,
        "postalIban": POSTAL_IBAN,
        "validFrom": None,
        "switchToExpired": False,
        "payStandIn": True,
        "transfers": [],
        "iupd": None,
        "companyName": None,
        "officeName": None,
        "metadata": {},
    }


async def test_a_created_notice_has_a_tag_of_version_and_status(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body())

    assert answer.headers["etag"] == '"1-ACTIVE"'


async def test_a_created_notice_is_read_as_it_was_answered(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    assert await shown(http) == published


async def test_a_notice_published_again_is_the_same_version(http: httpx.AsyncClient, clock: StillClock) -> None:
    published = await publish(http)
    clock.advance(HOUR)

    again = await http.put(NOTICE, json=a_body())

    assert (again.status_code, again.json()) == (200, published)


async def test_a_notice_published_again_makes_no_event(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)

    await http.put(NOTICE, json=a_body())

    assert await types(http) == ["published"]


async def test_a_date_written_another_way_is_the_same_content(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-12-16T10:00:00+01:00")

    again = await publish(http, dueDate="2026-12-16T09:00:00.000Z")

    assert again["version"] == 1


async def test_a_day_and_the_instant_at_which_it_ends_are_different_content(http: httpx.AsyncClient) -> None:
    await publish(http, dueDate="2026-12-16")

    again = await publish(http, dueDate="2026-12-16T23:00:00Z")

    assert again["version"] == 2


async def test_a_known_notice_is_replaced(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    replaced = await http.put(NOTICE, json=a_body(amount=13000))

    assert replaced.status_code == 200
    assert replaced.json() == {**published, "amount": 13000, "version": 2}


async def test_a_replaced_notice_is_amended_in_the_fields_that_changed(http: httpx.AsyncClient) -> None:
    await publish(http)

    await publish(http, amount=13000)

    amended = (await history(http))[1]
    assert (amended["type"], amended["changed"]) == ("amended", {"amount": {"from": 12050, "to": 13000}})


async def test_a_replaced_notice_keeps_the_time_of_its_publication(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http)
    clock.advance(HOUR)

    replaced = await publish(http, amount=13000)

    assert (replaced["publishedAt"], replaced["updatedAt"]) == ("2026-11-23T10:00:00.000Z", "2026-11-23T11:00:00.000Z")


@pytest.mark.parametrize(
    ("field", "value", "default"),
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
@pytest.mark.parametrize("left_out", [..., None], ids=["left out", "null"])
async def test_a_field_that_a_replacement_does_not_give_has_its_default_again(
    http: httpx.AsyncClient, field: str, value: Any, default: Any, left_out: Any
) -> None:
    await publish(http, **{field: value})

    replaced = await publish(http, **{field: left_out})

    assert replaced[field] == default


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ACTIVE"),
        ({"validFrom": "2026-11-23"}, "ACTIVE"),
        ({"validFrom": "2026-11-23T10:00:00Z"}, "ACTIVE"),
        ({"validFrom": "2026-11-23T10:00:00.001Z"}, "SCHEDULED"),
        ({"validFrom": "2026-11-24"}, "SCHEDULED"),
        ({"dueDate": "2026-11-23", "switchToExpired": True}, "ACTIVE"),
        ({"dueDate": "2026-11-22"}, "ACTIVE"),
        ({"dueDate": "2000-01-01"}, "ACTIVE"),
    ],
)
async def test_a_new_notice_has_the_status_of_its_dates(
    http: httpx.AsyncClient, changes: dict[str, Any], status: str
) -> None:
    published = await publish(http, **changes)

    assert published["status"] == status


@pytest.mark.parametrize(
    ("first_from", "then_from", "status"), [(None, "2026-12-01", "SCHEDULED"), ("2026-12-01", None, "ACTIVE")]
)
async def test_a_replaced_notice_has_the_status_of_its_new_dates(
    http: httpx.AsyncClient, first_from: str | None, then_from: str | None, status: str
) -> None:
    await publish(http, validFrom=first_from)

    replaced = await publish(http, validFrom=then_from)

    assert replaced["status"] == status


# The fields, each by itself


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


# The fields together


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


# Where the money goes


async def test_a_postal_default_serves_as_postal_iban_too(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    assert _way(published) == (POSTAL_IBAN, POSTAL_IBAN, "registered")


async def test_a_default_that_is_not_postal_fills_no_postal_iban(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE)

    assert _way(published) == (IBAN, None, "registered")


async def test_a_given_iban_takes_no_postal_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, iban=IBAN)

    assert _way(published) == (IBAN, None, "given")


async def test_a_given_postal_iban_alone_does_not_suppress_the_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE, postalIban=POSTAL_IBAN)

    assert _way(published) == (IBAN, POSTAL_IBAN, "registered")


async def test_a_given_postal_iban_is_kept_beside_a_postal_default(
    http: httpx.AsyncClient, application: Application
) -> None:
    default = RegisteredIban(Iban("IT40S0760111100000000123456"), ACA, NOW, postal=True)
    await register_institution(application, ibans=(default,))

    published = await publish(http, postalIban=POSTAL_IBAN)

    assert _way(published) == (default.iban, POSTAL_IBAN, "registered")


async def test_transfers_take_no_default(http: httpx.AsyncClient) -> None:
    published = await publish(http, transfers=[A_TRANSFER])

    assert _way(published) == (None, None, None)


async def test_of_the_registered_ibans_the_newest_with_the_label_is_the_default(
    http: httpx.AsyncClient, application: Application
) -> None:
    ibans = (
        RegisteredIban(Iban(POSTAL_IBAN), ACA, NOW - 2 * DAY),
        RegisteredIban(IBAN, ACA | {"STANDIN"}, NOW - DAY),
        RegisteredIban(ANOTHER_IBAN, frozenset({"STANDIN"}), NOW),
    )
    await register_institution(application, ibans=ibans)

    published = await publish(http)

    assert published["iban"] == IBAN


@pytest.mark.parametrize("labels", [None, frozenset[str](), frozenset({"STANDIN"}), frozenset({"aca"})])
async def test_without_a_registered_default_an_iban_must_be_given(
    http: httpx.AsyncClient, application: Application, labels: frozenset[str] | None
) -> None:
    await register_institution(application, ibans=() if labels is None else (RegisteredIban(IBAN, labels, NOW),))

    answer = await http.put(NOTICE, json=a_body(postalIban=POSTAL_IBAN))

    assert refusal(answer) == (422, "no_iban_registered")


@pytest.mark.parametrize("way", [{"iban": IBAN}, {"transfers": [A_TRANSFER]}])
async def test_a_notice_that_says_where_the_money_goes_needs_no_default(
    http: httpx.AsyncClient, application: Application, way: dict[str, Any]
) -> None:
    await register_institution(application)

    answer = await http.put(NOTICE, json=a_body(**way))

    assert answer.status_code == 201


async def test_a_notice_published_again_takes_the_default_of_that_moment(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await publish(http)
    await register_institution(application, ibans=(RegisteredIban(ANOTHER_IBAN, ACA, NOW),))
    clock.advance(MINUTE)

    again = await publish(http)

    assert (again["version"], *_way(again)) == (2, ANOTHER_IBAN, None, "registered")


# What the archive adds is ignored


async def test_what_the_archive_adds_is_not_taken_from_a_client(http: httpx.AsyncClient) -> None:
    added: dict[str, Any] = {
        "creditorInstitution": "12345678903",
        "noticeNumber": "347000000000000225",
        "origin": "gpd",
        "status": "PAID",
        "version": 7,
        "publishedAt": "2020-01-01T00:00:00.000Z",
        "updatedAt": 7,
        "ibanSource": "given",
        "payments": [{"receiptId": "r"}],
        "settlements": "none",
        "endReason": {"not": "a reason"},
        "replacedBy": None,
        "anomalies": ["paid_twice"],
    }
    expected = await publish(http)

    again = await publish(http, **added)

    assert again == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"iban": IBAN, "postalIban": POSTAL_IBAN, "metadata": {"k": "v"}, "iupd": "1", "companyName": "C"},
        {"transfers": [{**A_TRANSFER, "postalIban": POSTAL_IBAN}], "validFrom": "2026-12-01"},
        {"transfers": [A_STAMP_TRANSFER], "dueDate": "2026-12-16T10:00:00+01:00"},
    ],
    ids=["given IBAN", "transfers", "stamp"],
)
async def test_a_notice_that_was_read_can_be_sent_back_and_nothing_changes(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    await publish(http, **changes)
    read = await shown(http)

    again = await http.put(NOTICE, json=read)

    assert (again.status_code, again.json()) == (200, read)


# Number and IUV


@pytest.mark.parametrize(
    "number",
    [
        "347000000000000125", "34700000000000012", "3470000000000001240", "34700000000000012X", "347A00000000000124",
        "847000000000000124", "212000000000004250", "001000000000000140", "%EF%BC%93" + NUMBER[1:], "x",
    ],
)  # fmt: skip
async def test_a_number_that_breaks_form_or_check_digits_is_refused(
    http: httpx.AsyncClient, application: Application, number: str
) -> None:
    key = await register_caller(application, "granted-all")

    answer = await http.put(path_of(number), json=a_body(), headers=key)

    assert refusal(answer) == (422, "notice_number")


@pytest.mark.parametrize(
    ("number", "iuv"),
    [
        ("001000000000000141", "000000000000141"),
        ("100000000000000102", "00000000000000102"),
        ("212000000000004259", "12000000000004259"),
        ("312000000000000725", "12000000000000725"),
    ],
)
async def test_the_iuv_follows_from_the_number(
    http: httpx.AsyncClient, application: Application, number: str, iuv: str
) -> None:
    key = await register_caller(application, "granted-all")

    answer = await http.put(path_of(number), json=a_body(), headers=key)

    assert (answer.status_code, answer.json()["iuv"]) == (201, iuv)


async def test_an_iuv_that_agrees_may_be_named(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(iuv=NUMBER[1:]))

    assert (answer.status_code, answer.json()["iuv"]) == (201, NUMBER[1:])


# Lenient institutions


@pytest.mark.parametrize("number", ["347000000000000125", "1", "a", "Z" * 35, "847000000000000124"])
async def test_a_lenient_institution_may_use_any_letters_and_digits_as_number(
    http: httpx.AsyncClient, number: str
) -> None:
    answer = await http.put(path_of(number, COMUNE), json=a_body())

    assert (answer.status_code, answer.json()["noticeNumber"]) == (201, number)


@pytest.mark.parametrize("number", ["Z" * 36, "a-b", "a%20b", "%C3%A9", "%EF%BC%93", "a%00", "%2F"])
async def test_a_number_of_a_lenient_institution_keeps_its_form(http: httpx.AsyncClient, number: str) -> None:
    answer = await http.put(path_of(number, COMUNE), json=a_body())

    assert refusal(answer) == (422, "notice_number")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("debtor.fiscalCode", "XY"),
        ("debtor.fiscalCode", "RSSMRA80A01H501X"),
        ("debtor.fiscalCode", "0000000000000000"),
        ("iban", "IT0000000000000"),
        ("iban", "DE89370400440532013000"),
        ("iban", "XX00" + "A" * 30),
        ("postalIban", "IT0000000000000000000000000"),
        ("transfers[0].iban", "IT0000000000000000000000000"),
    ],
)
async def test_a_lenient_institution_gets_checks_of_form_only(http: httpx.AsyncClient, where: str, value: str) -> None:
    answer = await http.put(LENIENT_NOTICE, json=whole(where, value))

    assert (answer.status_code, found(answer.json(), where)) == (201, value)


@pytest.mark.parametrize(
    ("where", "code", "value"),
    [
        ("debtor.fiscalCode", "debtor_code", "X"),
        ("debtor.fiscalCode", "debtor_code", "X" * 17),
        ("debtor.fiscalCode", "debtor_code", "x1"),
        ("debtor.fiscalCode", "debtor_code", "É1"),
        ("iban", "iban", "IT000000000000"),
        ("iban", "iban", "XX00" + "A" * 31),
        ("iban", "iban", "it60x0542811101000000123456"),
        ("iban", "iban", "IT60 X0542811101000000123456"),
        ("iuv", "iuv", "a-b"),
        ("iuv", "iuv", "a" * 36),
        ("amount", "out_of_range", 0),
    ],
)
async def test_a_lenient_institution_gets_checks_of_form(
    http: httpx.AsyncClient, where: str, code: str, value: object
) -> None:
    answer = await http.put(LENIENT_NOTICE, json=whole(where, value))

    assert violations(answer) == [(where, code)]


@both_stores
async def test_a_lenient_institution_may_pair_any_iuv_with_a_number(http: httpx.AsyncClient) -> None:
    answer = await http.put(LENIENT_NOTICE, json=a_body(iuv="RF18539007547034"))

    assert (answer.status_code, answer.json()["iuv"]) == (201, "RF18539007547034")


@both_stores
async def test_a_paired_iuv_stays_when_the_notice_is_published_again_without_it(http: httpx.AsyncClient) -> None:
    published = await publish(http, LENIENT_NOTICE, iuv="RF18539007547034")

    again = await publish(http, LENIENT_NOTICE)

    assert again == published


@both_stores
async def test_the_iuv_of_a_known_notice_is_fixed(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE, iuv="1234")

    answer = await http.put(LENIENT_NOTICE, json=a_body(iuv="1235"))

    assert refusal(answer) == (409, "iuv_is_fixed")


@both_stores
async def test_an_iuv_that_was_paired_names_no_other_number(http: httpx.AsyncClient) -> None:
    await publish(http, path_of("A1", COMUNE), iuv="1234")

    answer = await http.put(path_of("A2", COMUNE), json=a_body(iuv="1234"))

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_an_iuv_that_was_paired_is_not_the_one_of_its_own_number(http: httpx.AsyncClient) -> None:
    await publish(http, path_of("A1", COMUNE), iuv=NUMBER[1:])

    answer = await http.put(LENIENT_NOTICE, json=a_body())

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_the_iuv_of_a_published_number_is_paired_with_no_other(http: httpx.AsyncClient) -> None:
    await publish(http, LENIENT_NOTICE)

    answer = await http.put(path_of("A1", COMUNE), json=a_body(iuv=NUMBER[1:]))

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_the_iuv_of_a_number_published_while_strict_is_paired_with_no_other(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    key = await register_caller(application, "granted-all")
    await publish(http)
    await register_institution(application, lenient=True)
    clock.advance(MINUTE)

    answer = await http.put(path_of("A1"), json=a_body(iban=IBAN, iuv=NUMBER[1:]), headers=key)

    assert refusal(answer) == (409, "iuv_already_used")


@both_stores
async def test_a_refused_notice_claims_no_iuv(http: httpx.AsyncClient) -> None:
    past = a_body(iuv="1234", switchToExpired=True, dueDate="2026-11-01")
    await http.put(path_of("A1", COMUNE), json=past)

    answer = await http.put(path_of("A2", COMUNE), json=a_body(iuv="1234"))

    assert answer.status_code == 201


@both_stores
async def test_an_iuv_names_a_notice_within_its_institution_only(
    http: httpx.AsyncClient, application: Application
) -> None:
    other = "12345678903"
    key = await register_caller(
        application, "two", grants={COMUNE: frozenset({EVERY}), INSTITUTION: frozenset({EVERY})}
    )
    await register_institution(application, lenient=True)
    await publish(http, path_of("A1", COMUNE), iuv=other)

    answer = await http.put(path_of("A2"), json=a_body(iuv=other, iban=IBAN), headers=key)

    assert answer.status_code == 201


# When it was declared


async def test_the_time_of_the_declaration_is_kept_on_the_event(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T10:30:00+01:00")

    [published] = await history(http)
    assert (published["occurredAt"], published["recordedAt"]) == (
        "2026-11-23T09:30:00.000Z",
        "2026-11-23T10:00:00.000Z",
    )


async def test_the_time_of_the_declaration_is_not_content(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, occurredAt="2026-11-23T09:30:00Z")

    assert again["version"] == 1


async def test_a_declaration_older_than_the_known_one_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    answer = await http.put(NOTICE, json=a_body(amount=1, occurredAt="2026-11-23T08:59:59.999Z"))

    assert refusal(answer) == (409, "stale_declaration")


async def test_a_declaration_of_the_same_time_is_not_older(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, amount=1, occurredAt="2026-11-23T09:00:00Z")

    assert again["amount"] == 1


async def test_a_declaration_without_a_time_was_made_on_arrival(http: httpx.AsyncClient) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(amount=1, occurredAt="2026-11-23T09:59:59.999Z"))

    assert refusal(answer) == (409, "stale_declaration")


async def test_a_declaration_that_changed_nothing_does_not_count_as_the_latest(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T08:00:00Z")
    await publish(http, occurredAt="2026-11-23T09:00:00Z")

    again = await publish(http, amount=1, occurredAt="2026-11-23T08:30:00Z")

    assert again["amount"] == 1


async def test_a_time_more_than_five_minutes_ahead_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(occurredAt="2026-11-23T10:05:00.001Z"))

    assert violations(answer) == [("occurredAt", "occurred_at_ahead")]


async def test_a_time_up_to_five_minutes_ahead_is_the_time_of_arrival(http: httpx.AsyncClient) -> None:
    await publish(http, occurredAt="2026-11-23T10:05:00Z")

    [published] = await history(http)
    assert published["occurredAt"] == "2026-11-23T10:00:00.000Z"


# A binding due date


@pytest.mark.parametrize("due", ["2026-11-22", "2026-11-23T10:00:00Z", "2000-01-01"])
async def test_a_new_notice_with_a_binding_due_date_in_the_past_is_refused(http: httpx.AsyncClient, due: str) -> None:
    answer = await http.put(NOTICE, json=a_body(dueDate=due, switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_the_last_day_is_payable_through_its_end_in_rome(http: httpx.AsyncClient, clock: StillClock) -> None:
    clock.now = datetime(2026, 12, 16, 22, 59, 59, tzinfo=UTC)

    published = await publish(http, dueDate="2026-12-16", switchToExpired=True)

    assert published["status"] == "ACTIVE"


async def test_the_first_instant_after_the_last_day_is_too_late(http: httpx.AsyncClient, clock: StillClock) -> None:
    clock.now = datetime(2026, 12, 16, 23, 0, tzinfo=UTC)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-12-16", switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_a_due_date_is_not_moved_into_the_past(http: httpx.AsyncClient) -> None:
    await publish(http, switchToExpired=True)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-11-22", switchToExpired=True))

    assert refusal(answer) == (422, "due_date_in_past")


async def test_other_fields_of_an_expired_notice_may_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    answer = await http.put(NOTICE, json=a_body(switchToExpired=True, amount=1))

    assert (answer.status_code, answer.json()["status"]) == (200, "EXPIRED")


async def test_an_expired_notice_with_a_new_due_date_is_active_again(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    again = await publish(http, switchToExpired=True, dueDate="2027-01-31")

    assert again["status"] == "ACTIVE"


async def test_what_time_has_done_is_written_down_before_the_change(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, validFrom="2026-12-01", switchToExpired=True)
    clock.advance(30 * DAY)

    await publish(http, switchToExpired=True, dueDate="2027-01-31")

    assert [(item["version"], item["type"], item["actor"]["role"]) for item in await history(http)] == [
        (1, "published", "creditor_institution"),
        (2, "activated", "archive"),
        (3, "expired", "archive"),
        (4, "amended", "creditor_institution"),
    ]


async def test_a_request_that_changes_nothing_does_not_write_down_what_time_has_done(
    http: httpx.AsyncClient, clock: StillClock
) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    again = await publish(http, switchToExpired=True)

    assert (again["status"], again["version"]) == ("EXPIRED", 1)


# Preconditions


async def test_a_new_notice_may_be_supposed_to_be_new(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"})

    assert answer.status_code == 201


@pytest.mark.parametrize("changes", [{}, {"amount": 1}], ids=["same content", "other content"])
async def test_a_known_notice_is_not_new_whatever_the_content(http: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(**changes), headers={"If-None-Match": "*"})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "tag",
    [
        '"2-ACTIVE"', 'W/"2-ACTIVE"', '"2-EXPIRED"', '"1-ACTIVE", "2-ACTIVE"', '"2-ACTIVE","7-PAID"', ' "2-ACTIVE" ',
        '"foreign", W/"2-ACTIVE"', "*", " * ",
    ],
)  # fmt: skip
async def test_a_tag_of_the_known_version_lets_the_notice_be_replaced(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)
    await publish(http, amount=1)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": tag})

    assert (answer.status_code, answer.json()["amount"]) == (200, 2)


@pytest.mark.parametrize(
    "tag",
    [
        '"1-ACTIVE"', 'W/"1-ACTIVE"', '"3-ACTIVE"', '"1-ACTIVE", "3-ACTIVE"', '"foreign"', '"2"', '""', '"2-"',
        '"02-ACTIVE"', '"99999999999999999999-ACTIVE"', '"2-ACTIVE-x"', '"33a64df551425fcc55e4d42a148795d9f25f89d4"',
    ],
)  # fmt: skip
async def test_a_tag_of_no_known_version_is_a_failed_precondition(http: httpx.AsyncClient, tag: str) -> None:
    await publish(http)
    await publish(http, amount=1)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


async def test_a_failed_precondition_changes_nothing(http: httpx.AsyncClient) -> None:
    published = await publish(http)

    await http.put(NOTICE, json=a_body(amount=2), headers={"If-Match": '"7-ACTIVE"'})

    assert await shown(http) == published


@pytest.mark.parametrize("path", [NOTICE, LENIENT_NOTICE], ids=["strict", "lenient"])
@pytest.mark.parametrize("tag", ['"1-ACTIVE"', "*"])
async def test_a_notice_that_is_not_there_has_no_version(http: httpx.AsyncClient, path: str, tag: str) -> None:
    answer = await http.put(path, json=a_body(), headers={"If-Match": tag})

    assert refusal(answer) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "1-ACTIVE"},
        {"If-Match": '"1-ACTIVE'},
        {"If-Match": '1-ACTIVE"'},
        {"If-Match": '"1-ACTIVE" "2-ACTIVE"'},
        {"If-Match": '"1-ACTIVE"; "2-ACTIVE"'},
        {"If-Match": 'w/"1-ACTIVE"'},
        {"If-Match": ""},
        {"If-Match": '*, "1-ACTIVE"'},
        {"If-Match": "'1-ACTIVE'"},
        {"If-None-Match": '"1-ACTIVE"'},
        {"If-None-Match": '*, "1-ACTIVE"'},
        {"If-None-Match": ""},
        {"If-None-Match": "1"},
        {"If-None-Match": "*", "If-Match": '"1-ACTIVE"'},
        {"If-None-Match": "*", "If-Match": "*"},
        {"If-None-Match": '"7-ACTIVE"', "If-Match": '"1-ACTIVE"'},
    ],
    ids=str,
)
async def test_preconditions_that_cannot_be_read_are_refused(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await publish(http)

    answer = await http.put(NOTICE, json=a_body(amount=2), headers=headers)

    assert refusal(answer) == (400, "invalid_header")


# The life of the notice


@pytest.mark.parametrize(("status", "code"), FINAL.items())
@pytest.mark.parametrize("changes", [{}, {"amount": 1}], ids=["same content", "other content"])
async def test_a_notice_that_ended_is_not_published_again(
    http: httpx.AsyncClient, application: Application, status: str, code: str, changes: dict[str, Any]
) -> None:
    await bring_to(status, http, application)

    answer = await http.put(NOTICE, json=a_body(**changes))

    assert refusal(answer) == (409, code)


@pytest.mark.parametrize("status", FINAL)
async def test_of_a_notice_that_ended_the_precondition_is_checked_first(
    http: httpx.AsyncClient, application: Application, status: str
) -> None:
    await bring_to(status, http, application)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-Match": '"1-ACTIVE"'})

    assert refusal(answer) == (412, "precondition_failed")


async def test_of_a_notice_that_ended_the_order_of_declarations_is_checked_first(
    http: httpx.AsyncClient, application: Application
) -> None:
    await bring_to("PAID", http, application)

    answer = await http.put(NOTICE, json=a_body(occurredAt="2026-11-23T09:00:00Z"))

    assert refusal(answer) == (409, "stale_declaration")


async def test_a_restored_notice_is_published_again(http: httpx.AsyncClient, application: Application) -> None:
    await bring_to("CANCELLED", http, application)
    await declare(http, "restored")

    answer = await http.put(NOTICE, json=a_body(amount=1))

    assert answer.status_code == 200


@pytest.mark.parametrize("changes", [{"iban": IBAN}, {"amount": 1}], ids=["same content", "other content"])
async def test_a_notice_that_came_from_gpd_is_not_published_by_its_institution(
    http: httpx.AsyncClient, application: Application, changes: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.put(NOTICE, json=a_body(**changes))

    assert refusal(answer) == (409, "managed_by_gpd")


# Money came before the notice


async def test_a_notice_that_was_paid_before_is_created_paid(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body())

    assert (answer.status_code, answer.json()["status"]) == (201, "PAID")


async def test_a_notice_that_was_paid_before_is_published_and_paid_in_one_save(
    http: httpx.AsyncClient, application: Application
) -> None:
    await pay(application)

    await publish(http)

    assert [(item["version"], item["type"], item["statusAfter"]) for item in await history(http)] == [
        (1, "awaited", "AWAITED"),
        (2, "published", "ACTIVE"),
        (3, "paid", "PAID"),
    ]


async def test_a_notice_that_was_settled_before_is_created_reported(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)

    answer = await http.put(NOTICE, json=a_body())

    assert (answer.status_code, answer.json()["status"]) == (201, "REPORTED")


async def test_a_notice_that_was_settled_in_part_before_is_created_paid(
    http: httpx.AsyncClient, application: Application
) -> None:
    await settle(application)
    transfers = [{**A_TRANSFER, "amount": 12000}, {**A_TRANSFER, "id": 2, "amount": 50}]

    published = await publish(http, transfers=transfers)

    assert published["status"] == "PAID"


async def test_a_notice_that_was_only_paid_counts_as_new(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"})

    assert answer.status_code == 201


async def test_a_notice_that_was_only_paid_has_no_version(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(), headers={"If-Match": '"1-AWAITED"'})

    assert refusal(answer) == (412, "precondition_failed")


async def test_a_notice_that_was_only_paid_may_have_a_due_date_in_the_past(
    http: httpx.AsyncClient, application: Application
) -> None:
    await pay(application)

    answer = await http.put(NOTICE, json=a_body(dueDate="2026-11-22", switchToExpired=True))

    assert (answer.status_code, answer.json()["status"]) == (201, "PAID")


async def test_the_payment_that_came_before_is_shown(http: httpx.AsyncClient, application: Application) -> None:
    await pay(application)

    published = await publish(http)

    assert [payment["receiptId"] for payment in published["payments"]] == ["receipt-1"]


async def test_the_time_of_publication_is_the_one_of_the_put(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    await pay(application)
    clock.advance(HOUR)

    published = await publish(http)

    assert published["publishedAt"] == "2026-11-23T11:00:00.000Z"


def _way(notice: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    return notice["iban"], notice["postalIban"], notice["ibanSource"]
