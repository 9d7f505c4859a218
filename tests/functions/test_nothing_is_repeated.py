"""No refusal repeats what was sent or what is stored."""

import json
from typing import Any

import httpx
import pytest

from tests.functions.client import EVENTS, JSON, KEY, NOTICE, notices_of, path_of, publish
from tests.functions.fields import REFUSED, naming, whole
from tests.support import IBAN, NUMBER, a_body, a_number

MARK = "Zqx7RSSMRA80A01H501U"
"""What no error may repeat, in whatever place it was sent."""


MARKED: list[Any] = [MARK, [MARK], {f"{MARK} ": MARK}, {"k": [MARK]}, f"{MARK}\0", f"{{{MARK}}}"]


@pytest.mark.parametrize("where", [where for where in REFUSED if where != "metadata"])
async def test_no_refusal_repeats_a_value(http: httpx.AsyncClient, where: str) -> None:
    await publish(http, path_of(a_number(2)))

    refusals = [
        answer
        for value in MARKED
        for answer in (
            await http.put(NOTICE, json=whole(where, value)),
            await http.patch(path_of(a_number(2)), json=naming(where, value)),
        )
        if answer.is_error
    ]

    assert (len(refusals) > 0, [answer.text for answer in refusals if MARK in answer.text]) == (True, [])


async def test_no_refusal_repeats_what_happened(http: httpx.AsyncClient) -> None:
    await publish(http)

    answers = [
        await http.post(EVENTS, json={"type": value, "reason": [value], "replacedBy": value, "occurredAt": value})
        for value in MARKED
    ]

    assert [answer.text for answer in answers if answer.is_success or MARK in answer.text] == []


@pytest.mark.parametrize(
    "metadata", [{MARK: 7}, {MARK: ""}, {MARK * 9: "v"}, {MARK: MARK * 9}, {f"{MARK}\0": MARK}, [MARK]], ids=repr
)
async def test_no_refusal_repeats_metadata(http: httpx.AsyncClient, metadata: Any) -> None:
    answer = await http.put(NOTICE, json=a_body(metadata=metadata))

    assert (answer.status_code, MARK in answer.text) == (422, False)


@pytest.mark.parametrize(
    "content",
    [
        f'{{"description": "{MARK}"',
        f'"{MARK}',
        MARK,
        f'{{"description": NaN, "{MARK}": 1}}',
        f'{{"a": "{MARK}\\ud800"}}',
    ],
)
async def test_no_refusal_repeats_what_cannot_be_read(http: httpx.AsyncClient, content: str) -> None:
    answer = await http.put(NOTICE, content=content, headers=JSON)

    assert (answer.status_code, MARK in answer.text) == (400, False)


@pytest.mark.parametrize(
    "query",
    [
        f"{name}={MARK}"
        for name in (
            "status",
            "anomaly",
            "dueFrom",
            "dueTo",
            "updatedFrom",
            "updatedTo",
            "limit",
            "cursor",
            "page",
            "tax-code",
        )
    ],
)
async def test_no_refusal_repeats_a_parameter(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"{notices_of()}?{query}")

    assert (answer.status_code, MARK in answer.text) == (400, False)


@pytest.mark.parametrize("name", [KEY, "If-Match", "If-None-Match", "Content-Type", "Content-Encoding"])
async def test_no_refusal_repeats_a_header(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.put(NOTICE, content=json.dumps(a_body()), headers={**JSON, name: MARK})

    assert (answer.is_client_error, MARK in answer.text) == (True, False)


async def test_no_refusal_repeats_what_is_stored(http: httpx.AsyncClient) -> None:
    await publish(http, debtor={**a_body()["debtor"], "fullName": MARK}, description=MARK, iban=IBAN)

    answers = [
        await http.put(NOTICE, json=a_body(), headers={"If-None-Match": "*"}),
        await http.patch(NOTICE, json={"validFrom": "2027-01-01"}),
        await http.post(EVENTS, json={"type": "closed", "replacedBy": NUMBER}),
    ]

    assert ([answer.is_client_error for answer in answers], [MARK in answer.text for answer in answers]) == (
        [True] * 3,
        [False] * 3,
    )


async def test_a_name_that_may_be_somebodys_code_is_not_repeated(http: httpx.AsyncClient) -> None:
    answer = await http.patch(NOTICE, json={"RSSMRA80A01H501U": 1})

    assert "RSSMRA80A01H501U" not in answer.text
