"""Random bodies and queries: each answer is one of the contract, and the next request is served."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings, strategies as st

from shared.errors import catalogue
from shared.wire.violations import VIOLATIONS
from tests.functions.bad_input import MAX_BODY, MISENCODED, NOT_JSON, NOT_UTF_8, ODD_NUMBERS, padded, send_all
from tests.functions.client import (
    A_STAMP_TRANSFER,
    A_TRANSFER,
    COMUNE,
    EVENTS,
    JSON,
    NOTICE,
    notices_of,
    path_of,
    publish,
    refusal,
)
from tests.support import IBAN, NUMBER, POSTAL_IBAN, a_body, a_number

TEXTS = st.text(st.characters(exclude_categories=()), max_size=300) | st.sampled_from(
    [
        "",
        "\0",
        "ANONIMO",
        "2026-12-16",
        "2026-12-16T10:00:00Z",
        IBAN,
        POSTAL_IBAN,
        NUMBER,
        "cancelled",
        "F",
        "47",
        "null",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda values: st.lists(values, max_size=7) | st.dictionaries(TEXTS, values, max_size=12),
    max_leaves=12,
)
WHOLE = a_body(
    iban=None, postalIban=None, validFrom="2026-12-01", switchToExpired=True, payStandIn=False, iupd="1",
    companyName="C", officeName="O", metadata={"k": "v"}, iuv=None, occurredAt=None, transfers=[A_STAMP_TRANSFER],
    status="ACTIVE",
)  # fmt: skip
STARTING_POINTS: dict[str, list[Any]] = {
    "PUT": [WHOLE, a_body(), a_body(transfers=[A_TRANSFER], iban=IBAN)],
    "PATCH": [WHOLE, {"debtor": {"fullName": "x"}}, {"metadata": {"k": None}}, {}],
    "POST": [{"type": "cancelled", "reason": "x", "replacedBy": a_number(2), "occurredAt": None}, {"type": "restored"}],
}


@st.composite
def bodies(draw: st.DrawFn, method: str) -> Any:
    """Draw any JSON, or a valid body with some of its parts replaced by any JSON."""
    if draw(st.integers(0, 4)) == 0:
        return draw(VALUES)
    body = json.loads(json.dumps(draw(st.sampled_from(STARTING_POINTS[method]))))
    for _ in range(draw(st.integers(1, 3))):
        part = body
        while isinstance(part, dict | list) and part:
            step = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
            if not isinstance(part[step], dict | list) or draw(st.booleans()):
                part[step] = draw(VALUES)
                break
            part = part[step]
    return body


ANSWERS = {"PUT": {200, 201, 400, 409, 422}, "PATCH": {200, 400, 409, 422}, "POST": {200, 400, 409, 422}}
CODES = {error.code for error in catalogue()}
ANY_INPUT = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def is_documented(method: str, answer: httpx.Response) -> bool:
    """Tell whether the answer is one that the contract has for the method."""
    if answer.is_success:
        return answer.status_code in ANSWERS[method] and answer.json()["noticeNumber"] == NUMBER
    problem = answer.json()
    return (
        answer.status_code in ANSWERS[method]
        and answer.headers["content-type"] == "application/problem+json"
        and problem["code"] in CODES
        and all(broken["code"] in VIOLATIONS for broken in problem.get("violations", []))
    )


@ANY_INPUT
@given(body=bodies("PUT"))
async def test_whatever_is_published_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    answer = await http.put(NOTICE, content=json.dumps(body), headers=JSON)

    assert is_documented("PUT", answer), answer.text


@ANY_INPUT
@given(body=bodies("PATCH"))
async def test_whatever_is_amended_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    await publish(http, metadata={"k": "v"})

    answer = await http.patch(NOTICE, content=json.dumps(body), headers=JSON)

    assert is_documented("PATCH", answer), answer.text


@ANY_INPUT
@given(body=bodies("POST"))
async def test_whatever_is_declared_the_answer_is_a_documented_one(http: httpx.AsyncClient, body: Any) -> None:
    await http.put(NOTICE, json=a_body())

    answer = await http.post(EVENTS, content=json.dumps(body), headers=JSON)

    assert is_documented("POST", answer), answer.text


@ANY_INPUT
@given(content=st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_whatever_bytes_come_the_answer_is_a_documented_one(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.put(NOTICE, content=content, headers=JSON)

    assert is_documented("PUT", answer), answer.text


@ANY_INPUT
@given(query=st.dictionaries(
    st.sampled_from(["status", "anomaly", "dueFrom", "dueTo", "updatedFrom", "updatedTo", "limit", "cursor"]),
    st.text(max_size=40) | st.sampled_from(["ACTIVE", "true", "2026-12-16", "2026-12-16T10:00:00Z", "7", "W10"]),
    max_size=3,
))  # fmt: skip
async def test_whatever_is_searched_for_the_answer_is_a_documented_one(
    http: httpx.AsyncClient, query: dict[str, str]
) -> None:
    answer = await http.get(notices_of(), params=query)

    assert answer.status_code == 200 or refusal(answer) in ((400, "invalid_parameter"), (400, "invalid_cursor"))


async def test_after_all_of_it_the_next_request_is_served(http: httpx.AsyncClient) -> None:
    for content in (*NOT_JSON.values(), *NOT_UTF_8.values(), *MISENCODED.values(), padded(MAX_BODY + 1)):
        await send_all(http, content)
    for number in ODD_NUMBERS.values():
        await http.put(path_of(number, COMUNE), json=a_body())

    answer = await http.put(NOTICE, json=a_body())

    assert answer.status_code == 201
