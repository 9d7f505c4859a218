"""The event restored makes a notice that ended valid again."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.bootstrap import Application
from tests.functions.client import bring_to, declare, pay, publish, refusal
from tests.support import DAY, StillClock, a_number


@pytest.mark.parametrize("event", ["cancelled", "closed"])
async def test_a_restored_notice_has_no_end_any_more(http: httpx.AsyncClient, event: str) -> None:
    published = await publish(http)
    await declare(http, event, **({"replacedBy": a_number(2)} if event == "cancelled" else {}))

    answer = await declare(http, "restored")

    assert answer.status_code == 200
    assert answer.json() == {**published, "version": 3}


@pytest.mark.parametrize(
    ("changes", "waited", "status"),
    [
        ({}, timedelta(0), "ACTIVE"),
        ({"validFrom": "2026-12-01"}, DAY, "SCHEDULED"),
        ({"validFrom": "2026-12-01"}, 10 * DAY, "ACTIVE"),
        ({"switchToExpired": True}, 10 * DAY, "ACTIVE"),
        ({"switchToExpired": True}, 30 * DAY, "EXPIRED"),
        ({"validFrom": "2026-12-01", "switchToExpired": True}, 30 * DAY, "EXPIRED"),
        ({}, 30 * DAY, "ACTIVE"),
    ],
)
async def test_a_restored_notice_has_the_status_of_its_dates(
    http: httpx.AsyncClient, clock: StillClock, changes: dict[str, Any], waited: timedelta, status: str
) -> None:
    await publish(http, **changes)
    await declare(http, "cancelled")
    clock.advance(waited)

    answer = await declare(http, "restored")

    assert answer.json()["status"] == status


@pytest.mark.parametrize("changes", [{}, {"validFrom": "2026-12-01"}], ids=["ACTIVE", "SCHEDULED"])
async def test_a_notice_that_did_not_end_is_restored_without_change(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    published = await publish(http, **changes)

    answer = await declare(http, "restored")

    assert (answer.status_code, answer.json()) == (200, published)


async def test_an_expired_notice_is_not_restored(http: httpx.AsyncClient, clock: StillClock) -> None:
    await publish(http, switchToExpired=True)
    clock.advance(30 * DAY)

    answer = await declare(http, "restored")

    assert refusal(answer) == (422, "notice_expired")


async def test_a_notice_that_was_paid_after_its_end_is_not_restored(
    http: httpx.AsyncClient, application: Application
) -> None:
    await bring_to("CANCELLED", http, application)
    await pay(application)

    answer = await declare(http, "restored")

    assert refusal(answer) == (409, "notice_paid")
