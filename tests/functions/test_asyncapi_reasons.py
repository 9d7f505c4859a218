"""Each reason of a rejection that the AsyncAPI document names: a message causes it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from docs.asyncapi.inbound import REFUSALS
from shared.bootstrap import Application
from shared.domain.identifiers import InstitutionCode
from shared.domain.institutions import CreditorInstitution
from shared.errors import DueDateInPast, IuvAlreadyUsed, IuvIsFixed, ManagedByEc, NoIbanRegistered, NoticeNotFound
from shared.inbound import Outcome
from shared.messages import Message
from shared.wire.inbound import MAX_BODY, REASONS, InboundType
from tests.asyncapi_check import described
from tests.functions.lives import INSTITUTION, an_event
from tests.functions.queues import rejected, say
from tests.support import StillClock, a_body, a_number

REJECTED: dict[str, Callable[[StillClock], Any]] = {
    "malformed": lambda clock: b"{",
    "unknown_type": lambda clock: {**a_publication(clock), "type": "it.pagopa.notice.created.v1"},
    "unsupported_version": lambda clock: {**a_publication(clock), "type": "it.pagopa.notice.paid.v2"},
    "invalid_data": lambda clock: a_publication(clock, notice=a_body(amount=0)),
    "address_mismatch": lambda clock: {**a_publication(clock), "subject": f"{INSTITUTION}/{a_number(7)}"},
    "unknown_institution": lambda clock: of_nobody(a_publication(clock)),
    DueDateInPast.code: lambda clock: a_publication(
        clock, notice=a_body(dueDate="2026-01-31", switchToExpired=True), number=a_number(2)
    ),
    IuvIsFixed.code: lambda clock: a_publication(clock, notice=a_body(iuv="ANOTHER")),
    IuvAlreadyUsed.code: lambda clock: a_publication(clock, number="3ANOTHER", notice=a_body(iuv=a_number(1)[1:])),
}


def a_publication(clock: StillClock, number: str = a_number(1), **data: Any) -> dict[str, Any]:
    """Return a publication of GPD."""
    return an_event(InboundType.PUBLISH, number, clock, **data)


def of_nobody(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event for an institution that is not registered."""
    code = "00000000000"
    number = event["data"]["noticeNumber"]
    return {**event, "subject": f"{code}/{number}", "data": {**event["data"], "creditorInstitution": code}}


@pytest.mark.parametrize("reason", REJECTED)
async def test_each_reason_is_given(application: Application, clock: StillClock, reason: str) -> None:
    assert await say(a_publication(clock)) is Outcome.APPLIED
    event = REJECTED[reason](clock)
    event = event if isinstance(event, bytes) else {**event, "id": "another"}

    assert await say(event) is Outcome.REJECTED
    [message] = await rejected(application)

    assert message.properties["reason"] == reason
    assert is_described(message)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (InboundType.CANCEL, "notice_cancelled"),
        (InboundType.CLOSE, "notice_closed"),
        (InboundType.PAID, "notice_paid"),
        (InboundType.REPORTED, "notice_reported"),
    ],
)
async def test_a_notice_that_has_ended_refuses_another_declaration(
    application: Application, clock: StillClock, before: InboundType, reason: str
) -> None:
    for type_ in (InboundType.PUBLISH, before):
        assert await say(an_event(type_, a_number(1), clock)) is Outcome.APPLIED

    assert await say({**a_publication(clock, notice=a_body(amount=1)), "id": "another"}) is Outcome.REJECTED
    [message] = await rejected(application)

    assert message.properties["reason"] == reason
    assert is_described(message)


async def test_a_notice_of_an_institution_is_not_changed_by_gpd(
    http: httpx.AsyncClient, application: Application, clock: StillClock
) -> None:
    url = f"/creditor-institutions/{INSTITUTION}/notices/{a_number(1)}"
    assert (await http.put(url, json=a_body())).status_code == 201

    assert await say(an_event(InboundType.CANCEL, a_number(1), clock)) is Outcome.REJECTED
    [message] = await rejected(application)

    assert message.properties["reason"] == ManagedByEc.code
    assert is_described(message)


async def test_a_notice_needs_an_iban_if_none_is_registered(application: Application, clock: StillClock) -> None:
    without = CreditorInstitution(InstitutionCode("00000000000"), "Comune senza IBAN", ())
    await application.registry.save_institution(without, None)

    assert await say(of_nobody(a_publication(clock))) is Outcome.REJECTED
    [message] = await rejected(application)

    assert message.properties["reason"] == NoIbanRegistered.code
    assert is_described(message)


def test_every_reason_has_a_message_that_causes_it() -> None:
    ended = {"notice_cancelled", "notice_closed", "notice_paid", "notice_reported"}
    elsewhere = {ManagedByEc.code, NoIbanRegistered.code, NoticeNotFound.code}

    assert {*REJECTED} | ended | elsewhere == {*REASONS, *(error.code for error in REFUSALS)}


async def test_an_event_that_is_too_long_is_malformed(application: Application, clock: StillClock) -> None:
    event = a_publication(clock, more="x" * MAX_BODY)

    assert await say(event) is Outcome.REJECTED
    assert [message.properties["reason"] for message in await rejected(application)] == ["malformed"]


def is_described(message: Message) -> bool:
    """Return whether the reason is one of the described ones, and the properties are the described ones."""
    headers = described()["rejected"]["headers"]
    is_listed = message.properties["reason"] in headers["properties"]["reason"]["enum"]
    return is_listed and message.properties.keys() == headers["properties"].keys()
