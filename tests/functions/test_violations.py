"""What a violation says: the field, what was expected there, what was sent; at most a hundred of them."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from shared.errors import InvalidBody
from shared.wire.parsing import MANY, parse_amendment, parse_life_cycle_event, parse_notice
from shared.wire.texts import ParseContext
from tests.functions.client import A_STAMP_TRANSFER, A_TRANSFER, NOTICE, publish, refusal
from tests.functions.fields import naming, whole
from tests.support import ADDRESS, NOW, a_body

PARSE_CONTEXT = ParseContext(lenient=False, now=NOW)


READERS: Mapping[str, Callable[[Any], object]] = {
    "PUT": lambda body: parse_notice(body, ADDRESS, PARSE_CONTEXT),
    "PATCH": lambda body: parse_amendment(body, PARSE_CONTEXT),
    "POST": lambda body: parse_life_cycle_event(body, ADDRESS, PARSE_CONTEXT),
}


def refused(body: Any, method: str = "PUT") -> dict[str, str]:
    """The message of each violation of a body, by its field."""
    with pytest.raises(InvalidBody) as refusal:
        READERS[method](body)
    return {broken.field: broken.message for broken in refusal.value.violations}


# What was expected, and what was sent


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("amount", "12050", "An integer is expected, not a string"),
        ("amount", 120.5, "An integer is expected, not a number with a fraction or an exponent"),
        ("amount", True, "An integer is expected, not true or false"),
        ("description", 7, "A string is expected, not a number"),
        ("dueDate", 20261216, "A string is expected, not a number"),
        ("debtor", "Mario Rossi", "An object is expected, not a string"),
        ("debtor", [], "An object is expected, not a list"),
        ("iban", {}, "A string is expected, not an object"),
        ("transfers", {}, "A list is expected, not an object"),
        ("transfers[0]", "x", "An object is expected, not a string"),
        ("payStandIn", "true", "true or false is expected, not a string"),
        ("payStandIn", 1, "true or false is expected, not a number"),
        ("metadata", [], "An object is expected, not a list"),
        ("amount", None, "The field is required"),
        ("debtor", None, "The field is required"),
    ],
)
def test_a_wrong_type_is_told_with_the_type_that_was_sent(where: str, value: Any, message: str) -> None:
    assert refused(whole(where, value)) == {where: message}
    assert refused(naming(where, value), "PATCH") == {where: message}


@pytest.mark.parametrize(
    ("body", "sent"), [("x", "a string"), ([], "a list"), (7, "a number"), (True, "true or false")]
)
def test_a_body_that_is_no_object_is_told_so(body: Any, sent: str) -> None:
    for method in ("PUT", "PATCH", "POST"):
        assert refused(body, method) == {"body": f"An object is expected, not {sent}"}


def test_a_control_character_is_told_with_its_place() -> None:
    assert refused(a_body(companyName="Ordine\r\n")) == {
        "companyName": "must be one line without control characters: it has U+000D as character 7"
    }


# Fields that the contract does not have


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("amuont", "amount"),
        ("Amount", "amount"),
        ("due_date", "dueDate"),
        ("duedate", "dueDate"),
        ("dueDates", "dueDate"),
        ("postalIBAN", "postalIban"),
        ("switch_to_expired", "switchToExpired"),
        ("fiscalCode", "debtor.fiscalCode"),
        ("debtor.fiscal_code", "debtor.fiscalCode"),
        ("debtor.iban", "iban"),
        ("transfers[0].remitanceInformation", "transfers.remittanceInformation"),
        ("transfers[0].stamp.stampTipe", "transfers.stamp.stampType"),
    ],
)
def test_a_field_that_is_nearly_one_of_the_contract_is_told_that_name(where: str, meant: str) -> None:
    message = f"The contract has no such field here. Is {meant} meant?"

    assert [*refused(whole(where, 7)).values()] == [message]
    assert [*refused(naming(where, 7), "PATCH").values()] == [message]


@pytest.mark.parametrize("name", ["colour", "x", "scadenza", "RSSMRA80A01H501U", "dueDate" * 6, ""])
def test_a_field_that_is_like_none_of_the_contract_is_only_refused(name: str) -> None:
    assert [*refused(a_body(**{name: 7})).values()] == ["The contract has no such field"]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("status", "POST .../events cancels, closes or restores the notice"),
        ("endReason", "POST .../events cancels, closes or restores the notice"),
        ("replacedBy", "POST .../events cancels, closes or restores the notice, and names the notice that replaces it"),
        ("version", "each change raises it; If-Match names the one that you expect"),
        ("ibanSource", "it follows from iban, where null asks for the registered one"),
        ("updatedAt", "it is the time of the last change; occurredAt says when you decided it"),
        ("noticeNumber", "it stands in the address of the notice"),
        ("payments", "it says what came from the platform"),
    ],
)
async def test_a_patch_of_a_field_that_the_archive_sets_is_told_what_to_do_instead(
    http: httpx.AsyncClient, name: str, instead: str
) -> None:
    shown = await publish(http)

    answer = await http.patch(NOTICE, json={name: shown.get(name, "x")})

    assert refusal(answer) == (422, "invalid_body")
    assert answer.json()["violations"] == [
        {"field": name, "code": "unknown_field", "message": f"The archive sets this field: {instead}"}
    ]


def test_a_field_that_the_archive_sets_is_only_refused_within_a_part() -> None:
    assert refused({"debtor": {"status": "ACTIVE"}}, "PATCH") == {"debtor.status": "The contract has no such field"}


# Very many


def a_flood(count: int = 2 * MANY) -> dict[str, int]:
    """Return very many fields that are not of the contract."""
    return {f"x{n}": n for n in range(count)}


@pytest.mark.parametrize(
    "body",
    [
        a_body(**a_flood()),
        a_body(debtor={**a_body()["debtor"], **a_flood()}),
        a_body(transfers=[{**A_TRANSFER, **a_flood()}] * 5),
        a_body(transfers=[{**A_STAMP_TRANSFER, "stamp": a_flood()}]),
        {**a_flood(), "debtor": a_flood(), "transfers": [a_flood()] * 5},
        a_body(**a_flood(150)),
    ],
    ids=["notice", "debtor", "transfers", "stamp", "everywhere", "not so many"],
)
def test_of_very_many_violations_a_hundred_are_told(body: Any) -> None:
    for method in ("PUT", "PATCH"):
        with pytest.raises(InvalidBody) as refusal:
            READERS[method](body)
        assert len(refusal.value.violations) == 100


def test_the_fields_of_the_contract_are_told_before_very_many_others() -> None:
    told = refused({**a_flood(), **a_body(amount=0, description=..., debtor=7), **a_flood()})

    assert [*told][:3] == ["amount", "description", "debtor"]
    assert "dueDate" not in told


def test_very_many_keys_of_metadata_are_one_violation() -> None:
    flood = {f"\0{n}": 7 for n in range(1000)}

    assert refused(a_body(metadata=flood)) == {"metadata": "At most 10"}
    assert refused({"metadata": flood}, "PATCH") == {"metadata": "At most 10"}
    assert refused(a_body(transfers=[{**A_TRANSFER, "metadata": flood}])) == {"transfers[0].metadata": "At most 10"}
