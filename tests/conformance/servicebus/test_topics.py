"""Each subscription gets its own copy of what its filter admits."""

import asyncio
from typing import Any

import pytest

from tests.conformance.servicebus.support import DEAD_LETTERS, ENTITIES, Bus, a_message

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNCOMMUNICATED = "it.pagopa.notice.uncommunicated.v1"
LISTED = {"status": "PAID", "standIn": False, "amount": 1}


@pytest.mark.parametrize(
    ("properties", "admitted"),
    [
        ({}, {"all"}),
        ({"anomaly": "paid-twice"}, {"all", "customer-care"}),
        ({"type": UNCOMMUNICATED}, {"all", "customer-care"}),
        ({"type": UNCOMMUNICATED.upper()}, {"all"}),
        ({"replayFor": "all"}, {"all"}),
        ({"replayFor": "customer-care"}, set()),
        ({"replayFor": "customer-care", "anomaly": "x"}, {"customer-care"}),
        ({"REPLAYFOR": "customer-care", "Anomaly": "x"}, {"customer-care"}),
        ({"replayFor": "absent"}, set()),
    ],
)
async def test_the_filters_of_production_admit(bus: Bus, properties: dict[str, Any], admitted: set[str]) -> None:
    assert await _subscriptions_with(bus, application_properties=properties) == admitted


@pytest.mark.parametrize(
    ("properties", "is_admitted"),
    [
        (LISTED, True),
        (LISTED | {"status": "ACTIVE"}, True),
        (LISTED | {"status": "EXPIRED"}, False),
        (LISTED | {"standIn": True}, False),
        (LISTED | {"amount": 0}, False),
        # An absent property is neither true nor false, and NOT does not make it true.
        ({"status": "PAID", "amount": 1}, False),
        ({"standIn": False, "amount": 1}, False),
        ({"status": "PAID", "standIn": False}, False),
    ],
)
async def test_a_filter_of_lists_and_negations_admits(bus: Bus, properties: dict[str, Any], is_admitted: bool) -> None:
    found = await _subscriptions_with(bus, application_properties=properties, subject="notice")

    assert ("active-or-paid" in found) == is_admitted


async def test_a_system_property_is_compared(bus: Bus) -> None:
    assert "active-or-paid" not in await _subscriptions_with(bus, application_properties=LISTED, subject="receipt")


@pytest.mark.parametrize(
    ("subject", "status", "is_admitted"),
    [("urgent", "PAID", True), ("urgent", "ACTIVE", False), ("notice", "PAID", False), (None, "PAID", False)],
)
async def test_a_correlation_filter_admits_only_what_is_equal_in_all(
    bus: Bus, subject: str | None, status: str, is_admitted: bool
) -> None:
    found = await _subscriptions_with(bus, subject=subject, application_properties={"status": status})

    assert ("urgent" in found) == is_admitted


async def test_each_subscription_settles_its_own_copy(bus: Bus) -> None:
    sent = a_message(application_properties={"anomaly": "x"})
    await bus.send("events", sent)
    await bus.take_all("events/all", 1)

    copy = await bus.one("events/customer-care")

    assert (copy.message_id, copy.delivery_count) == (sent.message_id, 0)
    await bus.complete("events/customer-care", copy)


async def test_dead_letters_belong_to_a_subscription(bus: Bus) -> None:
    sent = a_message(application_properties={"anomaly": "x"})
    await bus.send("events", sent)
    await (await bus.receiver("events/all")).abandon_message(await bus.one("events/all"))
    await bus.take_all("events/customer-care", 1)

    dead = await bus.one(f"events/all{DEAD_LETTERS}")

    await bus.complete(f"events/all{DEAD_LETTERS}", dead)
    assert (dead.message_id, dead.dead_letter_reason) == (sent.message_id, "MaxDeliveryCountExceeded")
    assert await bus.peek(f"events/customer-care{DEAD_LETTERS}") == []


async def test_a_batch_is_filtered_message_by_message(bus: Bus) -> None:
    sent = [a_message(application_properties={"anomaly": "x"} if n % 2 else {}) for n in range(4)]

    await bus.sender("events").send_messages(sent)

    assert await bus.take_all("events/all", 4) == [str(message) for message in sent]
    assert await bus.take_all("events/customer-care", 2) == [str(sent[1]), str(sent[3])]


async def _subscriptions_with(bus: Bus, **options: Any) -> set[str]:
    """Send a message, and return the subscriptions that have it."""
    sent = a_message(**options)
    await bus.send("events", sent)
    names, found = ENTITIES["topics"]["events"]["subscriptions"], set()
    await asyncio.gather(*(bus.receiver(f"events/{name}") for name in names))
    for name in names:
        # What a topic accepts is in all its subscriptions at once, so nothing has to be waited for.
        if peeked := await bus.peek(f"events/{name}"):
            assert [message.message_id for message in peeked] == [sent.message_id]
            await bus.take_all(f"events/{name}", 1)
            found.add(name)
    return found
