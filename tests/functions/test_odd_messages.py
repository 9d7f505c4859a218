"""Clocks that are set back, numbers in another form, sources with control characters."""

import httpx
import pytest

from shared.adapters.sqlite_bus import SqliteBus
from shared.bootstrap import Application
from shared.inbound import Outcome
from shared.messages import INBOUND_EVENTS, Message
from tests.functions.client import COMUNE, path_of
from tests.functions.inbound import an_event, deliver, rejections
from tests.support import DAY, SECOND, StillClock, a_body


async def test_a_message_whose_host_was_killed_comes_again_though_the_clock_was_set_back(
    application: Application, clock: StillClock
) -> None:
    bus = application.bus
    assert isinstance(bus, SqliteBus)
    await bus.send(Message("a", b""))
    await bus.receive(INBOUND_EVENTS, 1)
    clock.advance(-DAY)
    for _ in range(3):
        clock.advance(30 * SECOND)

    assert len(await bus.receive(INBOUND_EVENTS, 1)) == 1


@pytest.mark.parametrize("number", ["any1", "ANY1", "000000000000000001"])
async def test_the_number_may_have_any_form(http: httpx.AsyncClient, application: Application, number: str) -> None:
    event = an_event("paid", {"creditorInstitution": COMUNE, "noticeNumber": number}, subject=f"{COMUNE}/{number}")

    assert await deliver(event) is Outcome.APPLIED, await rejections(application)
    body = a_body()
    answer = await http.put(path_of(number, COMUNE), json=body)
    assert answer.json()["status"] == "PAID"


@pytest.mark.parametrize("source", ["/a\x1b[2Jb", "/a\x00b", "/a\u009bb", "/a\u202eb", "/a\u2028b"])
async def test_a_source_has_no_control_characters(http: httpx.AsyncClient, source: str) -> None:
    assert await deliver(an_event("paid", source=source)) is Outcome.REJECTED
