"""Bodies that are JSON, with odd numbers, keys, texts and depths."""

import json

import httpx
import pytest

from tests.functions.client import JSON, NOTICE, shown, violations
from tests.functions.fields import whole
from tests.support import POSTAL_IBAN, a_body


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" + "0" * 300, "1e400",
               "-1e400", "1e-400", "1.0000000000000000000000000000000001", "1e2", "-0.0"]
)  # fmt: skip
async def test_a_number_that_is_no_amount_is_refused(http: httpx.AsyncClient, number: str) -> None:
    body = json.dumps(a_body()).replace("12050", number)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert [field for field, _ in violations(answer)] == ["amount"]


async def test_a_number_of_ten_thousand_digits_is_refused(http: httpx.AsyncClient) -> None:
    body = json.dumps(a_body()).replace("12050", "9" * 10_000)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("first", "then", "where", "expected"),
    [
        (b'"amount": 0', b'"amount": 12050', "amount", 12050),
        (b'"description": "A"', b'"description": "B"', "description", "B"),
        (b'"metadata": {"k": "v"}', b'"metadata": {"l": "w"}', "metadata", {"l": "w"}),
        (b'"metadata": {}', b'"metadata": {"k": "v", "k": "w"}', "metadata", {"k": "w"}),
        (b'"iban": 7', b'"iban": null', "iban", POSTAL_IBAN),
    ],
)
async def test_of_a_key_given_twice_the_last_counts(
    http: httpx.AsyncClient, first: bytes, then: bytes, where: str, expected: object
) -> None:
    rest = json.dumps(a_body(**{json.loads(b"{" + first + b"}").popitem()[0]: ...})).encode()
    rest = rest.removeprefix(b"{").removesuffix(b"}")

    answer = await http.put(NOTICE, content=b"{" + first + b", " + rest + b", " + then + b"}", headers=JSON)

    assert (answer.status_code, answer.json()[where]) == (201, expected)


async def test_of_a_key_given_twice_the_last_is_checked(http: httpx.AsyncClient) -> None:
    body = json.dumps(a_body()).encode().removesuffix(b"}") + b', "amount": 0}'

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert violations(answer) == [("amount", "out_of_range")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"\\ud83c\\udfdb"', "\N{CLASSICAL BUILDING}"),
        ('"perch\\u00e9"', "perché"),
        ('"perché"', "perché"),
        ('"\\/\\"\\\\"', '/"\\'),
        ('"a\\u202e\\ufeff"', "a\u202e\ufeff"),
        ('"{amount}%s{0}$(x)"', "{amount}%s{0}$(x)"),
        ('"\'; DROP TABLE notices; --"', "'; DROP TABLE notices; --"),
    ],
)
async def test_a_text_is_kept_as_it_was_written(http: httpx.AsyncClient, written: str, read: str) -> None:
    body = json.dumps(a_body(description="@")).replace('"@"', written)
    await http.put(NOTICE, content=body.encode(), headers=JSON)

    assert (await shown(http))["description"] == read


@pytest.mark.parametrize("value", ["{amount}", "{0}", "{", "}", "%s", "{__class__}"])
@pytest.mark.parametrize("where", ["debtor.type", "debtor.fiscalCode", "dueDate", "iban", "amuont", "payStandIn"])
async def test_a_refused_value_that_looks_like_a_template_is_only_refused(
    http: httpx.AsyncClient, where: str, value: str
) -> None:
    answer = await http.put(NOTICE, json=whole(where, value))

    assert [field for field, _ in violations(answer)] == [where]


@pytest.mark.parametrize("depth", [1, 50, 150])
async def test_a_value_of_bearable_depth_is_of_the_wrong_type(http: httpx.AsyncClient, depth: int) -> None:
    body = json.dumps(a_body(description="@")).replace('"@"', "[" * depth + "]" * depth)

    answer = await http.put(NOTICE, content=body, headers=JSON)

    assert violations(answer) == [("description", "wrong_type")]


async def test_of_many_unknown_fields_a_hundred_are_named(http: httpx.AsyncClient) -> None:
    answer = await http.put(NOTICE, json=a_body(**{f"field{n}": n for n in range(5000)}))

    assert violations(answer) == [("*", "unknown_field")] * 100
