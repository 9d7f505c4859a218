"""A notice that came from GPD is not changed by its institution."""

from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import EVENT_TYPES, NOTICE, declare, publish_from_gpd, refusal
from tests.support import IBAN, a_body


@pytest.mark.parametrize("changes", [{"iban": IBAN}, {"amount": 1}], ids=["same content", "other content"])
async def test_a_notice_that_came_from_gpd_is_not_published_by_its_institution(
    http: httpx.AsyncClient, application: Application, changes: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.put(NOTICE, json=a_body(**changes))

    assert refusal(answer) == (409, "managed_by_gpd")


@pytest.mark.parametrize("patch", [{}, {"amount": 1}], ids=["no change", "a change"])
async def test_a_notice_that_came_from_gpd_is_not_amended_by_its_institution(
    http: httpx.AsyncClient, application: Application, patch: dict[str, Any]
) -> None:
    await publish_from_gpd(application)

    answer = await http.patch(NOTICE, json=patch)

    assert refusal(answer) == (409, "managed_by_gpd")


@pytest.mark.parametrize("event", EVENT_TYPES)
async def test_what_happens_to_a_notice_from_gpd_is_not_declared_by_its_institution(
    http: httpx.AsyncClient, application: Application, event: str
) -> None:
    await publish_from_gpd(application)

    answer = await declare(http, event)

    assert refusal(answer) == (409, "managed_by_gpd")
