"""A message that was applied and comes again is a repetition, whatever happened to its notice since.

The host was killed after the save and before the message was completed, or its lock was over.
"""

import httpx
import pytest

from shared.bootstrap import Application
from shared.inbound import Outcome
from tests.functions.inbound import an_event, deliver, rejections


@pytest.mark.parametrize("later", ["paid", "reported", "cancel", "close"])
async def test_a_publication_that_comes_again_after_its_notice_ended_is_no_rejection(
    http: httpx.AsyncClient, application: Application, later: str
) -> None:
    position = an_event("publish", id="position-1")
    assert await deliver(position) is Outcome.APPLIED
    assert await deliver(an_event(later)) is Outcome.APPLIED

    assert await deliver(position, count=2) is Outcome.REPEATED
    assert await rejections(application) == []


@pytest.mark.parametrize("later", ["paid", "reported"])
@pytest.mark.parametrize("first", ["cancel", "close"])
async def test_an_end_that_comes_again_after_its_notice_was_paid_is_no_rejection(
    http: httpx.AsyncClient, application: Application, first: str, later: str
) -> None:
    await deliver(an_event("publish"))
    end = an_event(first, id="end-1")
    assert await deliver(end) is Outcome.APPLIED
    assert await deliver(an_event(later)) is Outcome.APPLIED

    assert await deliver(end, count=2) is Outcome.REPEATED
    assert await rejections(application) == []


async def test_the_event_of_another_producer_with_the_same_id_is_no_repetition(
    http: httpx.AsyncClient, application: Application
) -> None:
    await deliver(an_event("publish", id="1", source="/gpd"))
    await deliver(an_event("paid"))

    assert await deliver(an_event("publish", id="1", source="/another")) is Outcome.REJECTED
    assert [reason for reason, _ in await rejections(application)] == ["notice_paid"]
