"""Every message that the archive sends is as the AsyncAPI document says."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from shared.bootstrap import Application
from shared.cloudevents import GAP, event_type
from shared.dead_letters import DeadLetter
from shared.domain.lifecycle import Anomaly, EventType, Status
from shared.messages import Message, QueuedMessage, subscription, subscriptions
from shared.resend import Resend
from shared.settings import EmbeddedStore
from tests.asyncapi_check import faults_of, payload_faults
from tests.functions.lives import Lives
from tests.functions.queues import sent_to
from tests.support import NOW, StillClock


@pytest.fixture
async def messages(
    http: httpx.AsyncClient, application: Application, clock: StillClock, kept_in: EmbeddedStore
) -> list[Message]:
    """Return the messages of lives that have everything."""
    await Lives(http, application, clock).live(kept_in.path)
    return await sent_to(application)


async def test_every_message_has_the_fields_that_are_described_and_no_other(messages: list[Message]) -> None:
    assert [fault for message in messages for fault in faults_of(message)] == []

    events = [orjson.loads(message.body) for message in messages]
    seen: dict[str, set[Any]] = {
        name: {event["data"].get(name) for event in events} - {None} for name in ("statusAfter", "anomaly")
    }
    assert {event["type"] for event in events} == {*map(event_type, (*EventType, GAP))}
    assert seen == {"statusAfter": {*Status}, "anomaly": {*Anomaly}}
    assert any("traceparent" in event for event in events)


async def test_no_message_has_the_debtor_or_a_free_text(messages: list[Message]) -> None:
    for message in messages:
        for text in (b"RSSMRA80A01H501U", b"Mario", b"Rossi", b"Issued by mistake", b"TARI"):
            assert text not in message.body
            assert text.decode() not in str(message.properties)


async def test_a_message_that_differs_from_its_description_is_seen(messages: list[Message]) -> None:
    right = messages[0]
    event = orjson.loads(right.body)

    def changed(**changes: Any) -> Message:
        return replace(right, body=orjson.dumps({**event, **changes}))

    for wrong in (
        changed(more=1),
        changed(sequence="1"),
        changed(data={**event["data"], "debtor": {}}),
        changed(data={**event["data"], "payment": {**event["data"]["payment"], "payer": "a"}}),
        changed(data={name: value for name, value in event["data"].items() if name != "iuv"}),
        changed(type=event_type("created")),
        changed(data={**event["data"], "statusAfter": "LOST"}),
        changed(data={**event["data"], "statusBefore": "LOST"}),
        changed(data={**event["data"], "changed": ["debtors"]}),
        replace(right, properties={**right.properties, "status": "LOST"}),
        replace(right, properties={**right.properties, "replayFor": "nobody"}),
        replace(right, properties={**right.properties, "debtor": "a"}),
        replace(right, properties={}),
        replace(right, id="1"),
        replace(right, session_id=None),
        replace(right, content_type="application/json"),
    ):
        assert faults_of(wrong) != []


async def test_a_reader_takes_values_that_are_added_later(messages: list[Message]) -> None:
    contradicting = next(message for message in messages if "anomaly" in message.properties)
    event = orjson.loads(contradicting.body)
    added = {"statusAfter": "LOST", "changed": ["colour"], "anomaly": "paid_by_nobody"}
    later = {**event, "data": {**event["data"], **added}}

    name = f"event-{EventType.PAID}"
    assert event["type"] == event_type(EventType.PAID)
    assert payload_faults(name, later) == []
    assert len(faults_of(replace(contradicting, body=orjson.dumps(later)))) == len(added)


async def test_the_subscription_of_customer_care_has_only_what_it_asked_for(
    messages: list[Message], application: Application
) -> None:
    wanted = [
        message.id
        for message in messages
        if "anomaly" in message.properties or message.properties["type"] == event_type(EventType.UNCOMMUNICATED)
    ]

    assert [message.id for message in await sent_to(application, "customer-care")] == wanted
    assert 0 < len(wanted) < len(messages)


@pytest.mark.parametrize("name", subscriptions())
async def test_a_message_that_is_sent_again_is_as_described_too(messages: list[Message], name: str) -> None:
    again = Resend(NOW, NOW, 1_780_000_000, NOW, name)
    for message in messages:
        resent = again.message(message)
        dead = DeadLetter(name, QueuedMessage(subscription(name), 1, resent, NOW))
        replayed = dead.replayed()
        dead_again = DeadLetter(name, QueuedMessage(subscription(name), 1, replayed, NOW))

        assert [faults_of(each) for each in (resent, replayed, dead_again.replayed())] == [[], [], []]
