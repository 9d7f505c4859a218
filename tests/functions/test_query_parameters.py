"""How the parameters of an address are read, and which are refused."""

from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given, strategies as st

from docs.openapi.examples import POSITION
from shared.errors import InvalidParameter
from shared.wire.addresses import parameters_of
from shared.wire.violations import VIOLATIONS
from tests.functions.client import EVENTS, NOTICE, notices_of, publish, refusal
from tests.support import a_body

URL = "http://localhost:7071/api/v1/creditor-institutions/77777777777/notices"
NAMES = ("status", "updatedFrom", "limit")


def refused(query: str, names: tuple[str, ...] = NAMES) -> InvalidParameter:
    """The refusal of a query."""
    with pytest.raises(InvalidParameter) as refusal:
        parameters_of(f"{URL}?{query}", names)
    assert {broken.code for broken in refusal.value.violations} <= VIOLATIONS.keys()
    return refusal.value


def broken(query: str) -> list[tuple[str, str]]:
    """Field and code of each rule that a query breaks."""
    return [(one.field, one.code) for one in refused(query).violations]


@pytest.mark.parametrize("url", [URL, f"{URL}?", f"{URL}?&", f"{URL}?&&&", ""])
def test_an_address_without_a_query_has_no_parameters(url: str) -> None:
    assert parameters_of(url, NAMES) == {}
    assert parameters_of(url, ()) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=ACTIVE", {"status": "ACTIVE"}),
        ("limit=7&status=ACTIVE", {"status": "ACTIVE", "limit": "7"}),
        ("&status=ACTIVE&&limit=7&", {"status": "ACTIVE", "limit": "7"}),
        ("%73tatus=%41CTIVE", {"status": "ACTIVE"}),
        ("status=a%26b%3Dc", {"status": "a&b=c"}),
        ("status=a=b", {"status": "a=b"}),
        ("status=?a/b#c", {"status": "?a/b#c"}),
        ("status=a;limit=7", {"status": "a;limit=7"}),
        ("status=perch%C3%A9", {"status": "perché"}),
        ("status=perché", {"status": "perché"}),
        ("status=%F0%9F%8F%9B", {"status": "\N{CLASSICAL BUILDING}"}),
        ("status=+", {"status": " "}),
        ("status=a+b%20c%2Bd", {"status": "a b c+d"}),
        ("updatedFrom=2026-11-24T15:42:49+01:00", {"updatedFrom": "2026-11-24T15:42:49 01:00"}),
        ("updatedFrom=2026-11-24T15:42:49%2B01:00", {"updatedFrom": "2026-11-24T15:42:49+01:00"}),
    ],
)
def test_parameters_are_decoded_as_those_of_a_form_are(query: str, expected: dict[str, str]) -> None:
    assert parameters_of(f"{URL}?{query}", NAMES) == expected


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_whatever_was_encoded_is_read_back(parameters: dict[str, str]) -> None:
    for encode in (quote, quote_plus):
        query = "&".join(f"{name}={encode(value, safe='')}" for name, value in parameters.items())
        assert parameters_of(f"{URL}?{query}", NAMES) == parameters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("page=2", [("page", "unknown_field")]),
        ("Status=ACTIVE", [("Status", "unknown_field")]),
        ("STATUS=ACTIVE", [("STATUS", "unknown_field")]),
        ("page", [("page", "unknown_field")]),
        ("=ACTIVE", [("*", "unknown_field")]),
        ("status%20=ACTIVE", [("*", "unknown_field")]),
        ("status%FF=ACTIVE", [("*", "unknown_field")]),
        ("RSSMRA80A01H501U=1", [("*", "unknown_field")]),
        ("Mario%20Rossi=1", [("*", "unknown_field")]),
        (f"{'p' * 41}=1", [("*", "unknown_field")]),
        ("status=ACTIVE&status=CANCELLED", [("status", "repeated")]),
        ("status=ACTIVE&status=ACTIVE", [("status", "repeated")]),
        ("status=ACTIVE&%73tatus=", [("status", "repeated")]),
        ("status=ACTIVE&status=%FF", [("status", "repeated")]),
        ("status=", [("status", "no_value")]),
        ("status", [("status", "no_value")]),
        ("status=%FF", [("status", "not_decodable")]),
        ("status=%ED%A0%80", [("status", "not_decodable")]),
        ("status=%C3", [("status", "not_decodable")]),
        ("status=%", [("status", "not_decodable")]),
        ("status=%zz", [("status", "not_decodable")]),
        ("status=100%25%2", [("status", "not_decodable")]),
        ("page=1&limit&status=%FF", [("page", "unknown_field"), ("limit", "no_value"), ("status", "not_decodable")]),
    ],
)
def test_a_parameter_that_is_unknown_repeated_empty_or_undecodable_is_refused(
    query: str, expected: list[tuple[str, str]]
) -> None:
    assert broken(query) == expected


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (
            "page=2",
            "The parameter page is not known here: the parameters are status, updatedFrom, limit, written exactly so",
        ),
        (
            "due_from=1",
            "A parameter is not known here: the parameters are status, updatedFrom, limit, written exactly so",
        ),
        ("status=A&status=B", "The parameter status must be given once"),
        ("limit=", "The parameter limit must have a value, or be left out"),
        ("limit=%FF", "The parameter limit must be percent-encoded UTF-8"),
    ],
)
def test_the_detail_names_the_parameter_and_what_to_do(query: str, detail: str) -> None:
    assert refused(query).detail == detail


def test_where_there_are_no_parameters_the_detail_says_so() -> None:
    detail = refused("toPublish=false", names=()).detail

    assert detail == "The parameter toPublish is not known here: the address takes no parameters"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", NOTICE, a_body()),
        ("PATCH", NOTICE, {"amount": 1}),
        ("POST", EVENTS, {"type": "closed"}),
        ("GET", NOTICE, None),
        ("GET", EVENTS, None),
        ("GET", notices_of(), None),
        ("GET", "/health", None),
        ("GET", "/../openapi.json", None),
    ],
)
async def test_every_operation_refuses_what_it_does_not_know(
    http: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    await publish(http)

    answer = await http.request(method, f"{path}?toPublish=false", json=body)

    assert refusal(answer) == (400, "invalid_parameter")
    assert answer.json()["detail"].startswith("The parameter toPublish is not known here: ")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("segregationCodes=47&segregationCodes=48", "must be given once"),
        ("segregationCodes=", "must have a value, or be left out"),
        ("segregationcodes=47", "is not known here: the parameters are segregationCodes, written exactly so"),
    ],
)
async def test_a_position_is_narrowed_by_one_parameter(http: httpx.AsyncClient, query: str, named: str) -> None:
    answer = await http.post(f"/../aca/v1/paCreatePosition?{query}", json=POSITION)

    assert (answer.status_code, named in answer.json()["detail"]) == (400, True)


async def test_a_moment_without_a_value_is_refused(http: httpx.AsyncClient) -> None:
    await publish(http)

    for query in ("at=", "at", "at=2026-11-23T10:00:00Z&at=2026-11-23T10:00:00Z", "At=2026-11-23T10:00:00Z"):
        assert refusal(await http.get(f"{NOTICE}?{query}")) == (400, "invalid_parameter")
    assert (await http.get(f"{NOTICE}?&at=2026-11-23T11:00:00+01:00&")).status_code == 200


@given(st.from_regex(r"[a-z0-9%&=;+.]{1,60}", fullmatch=True))
def test_a_query_is_read_or_refused_and_no_value_is_repeated(query: str) -> None:
    value = "RSSMRA80A01H501U"
    try:
        parameters_of(f"{URL}?{query}&status={value}&{value}=1&limit={value}%FF", NAMES)
    except InvalidParameter as refusal:
        assert value not in refusal.detail + repr(refusal.violations)  # noqa: PT017  both kinds of answer are right


def test_of_very_many_parameters_a_hundred_are_named() -> None:
    assert len(refused("&".join(["page=1"] * 3000)).violations) == 100
