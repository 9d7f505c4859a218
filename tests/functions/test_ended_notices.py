"""A notice that was cancelled, closed, paid or reported is neither published nor amended."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import FINAL, NOTICE, bring_to, declare, refusal
from tests.support import a_body


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


@pytest.mark.parametrize(("status", "code"), FINAL.items())
@pytest.mark.parametrize("patch", [{}, {"amount": 1}], ids=["no change", "a change"])
async def test_a_notice_that_ended_cannot_be_amended(
    http: httpx.AsyncClient, application: Application, status: str, code: str, patch: dict[str, Any]
) -> None:
    await bring_to(status, http, application)

    answer = await http.patch(NOTICE, json=patch)

    assert refusal(answer) == (409, code)
