"""The body of POST events."""

from typing import Any

import httpx
import pytest

from tests.functions.client import EVENTS, JSON, LENIENT_NOTICE, declare, history, publish, shown, violations
from tests.support import a_number


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
