"""The status that is answered is the one true when the answer is made, though time went on since the request came."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import httpx
import pytest

from shared.bootstrap import Application
from shared.domain.dates import format_instant
from shared.domain.identifiers import NoticeNumber
from shared.domain.notice import Address
from tests.functions.client import declare, path_of, publish
from tests.functions.positions import CALL, a_position
from tests.support import HOUR, INSTITUTION, NOW, SECOND, StillClock, a_body, a_number

MOMENT = NOW + 2 * HOUR
AT_THE_MOMENT = format_instant(MOMENT)

Ask = Callable[[httpx.AsyncClient, NoticeNumber], Awaitable[httpx.Response]]


async def create(http: httpx.AsyncClient, number: NoticeNumber) -> httpx.Response:
    return await http.put(path_of(number), json=a_body(validFrom=AT_THE_MOMENT))


async def amend(http: httpx.AsyncClient, number: NoticeNumber) -> httpx.Response:
    await publish(http, path_of(number))
    return await http.patch(path_of(number), json={"validFrom": AT_THE_MOMENT})


async def restore(http: httpx.AsyncClient, number: NoticeNumber) -> httpx.Response:
    await create(http, number)
    await declare(http, "cancelled", path_of(number))
    return await declare(http, "restored", path_of(number))


async def create_position(http: httpx.AsyncClient, number: NoticeNumber) -> httpx.Response:
    binding = {"expirationDate": AT_THE_MOMENT, "switchToExpired": True}
    return await http.post(CALL, json=a_position(iuv=number[1:], **binding))


@pytest.mark.parametrize(
    ("ask", "stored", "answered"),
    [
        (create, "SCHEDULED", "ACTIVE"),
        (amend, "SCHEDULED", "ACTIVE"),
        (restore, "SCHEDULED", "ACTIVE"),
        (create_position, "ACTIVE", "EXPIRED"),
    ],
)
async def test_a_status_that_changes_while_a_request_is_served_is_answered_as_it_is_then(
    http: httpx.AsyncClient, application: Application, clock: StillClock, ask: Ask, stored: str, answered: str
) -> None:
    clock.step = SECOND  # whenever it is read
    rehearsed, number = a_number(1), a_number(2)
    begun = clock.now
    await ask(http, rehearsed)
    saved_after = (await updated_at(application, rehearsed)) - begun

    clock.now = MOMENT - saved_after - SECOND / 2
    answer = await ask(http, number)

    assert await updated_at(application, number) == MOMENT - SECOND / 2
    notice = await application.archive.get(Address(INSTITUTION, number))
    assert (notice.status, answer.json()["status"]) == (stored, answered)


async def updated_at(application: Application, number: NoticeNumber) -> datetime:
    """Return when the notice was last saved."""
    return (await application.archive.get(Address(INSTITUTION, number))).updated_at
