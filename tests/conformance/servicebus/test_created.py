"""The entities of the tests are within the limits of Microsoft's emulator, and are written whole for each target."""

from typing import Any

import pytest

from emulators.servicebus.entities import Entities, QueueSettings, SubscriptionSettings
from tests.conformance.servicebus.created import emulator, namespace
from tests.conformance.servicebus.support import ENTITIES

MINUTE, HOUR = 60_000, 3_600_000
PARSED = Entities.parse(ENTITIES)
SUBSCRIPTIONS: list[SubscriptionSettings] = [
    subscription for topic in PARSED.topics.values() for subscription in topic.subscriptions.values()
]


@pytest.mark.parametrize("queue", [*PARSED.queues.values(), *(one.queue for one in SUBSCRIPTIONS)])
def test_a_queue_is_within_the_limits_of_the_emulator(queue: QueueSettings) -> None:
    assert 5000 <= queue.lock_duration <= 5 * MINUTE
    assert 1 <= queue.max_delivery_count <= 10
    assert queue.time_to_live
    assert 5 * MINUTE <= queue.time_to_live <= HOUR
    assert 20_000 <= (queue.duplicate_window or 20_000) <= 5 * MINUTE


def test_a_subscription_locks_for_a_minute_at_least() -> None:
    assert all(one.queue.lock_duration >= MINUTE for one in SUBSCRIPTIONS)


def test_the_emulator_gets_every_entity_with_the_names_of_its_properties() -> None:
    (found,) = emulator()["UserConfig"]["Namespaces"]

    assert [queue["Name"] for queue in found["Queues"]] == [*ENTITIES["queues"]]
    assert found["Queues"][0]["Properties"] == {
        "LockDuration": "PT1M",
        "MaxDeliveryCount": 10,
        "DefaultMessageTimeToLive": "PT1H",
    }
    (topic,) = found["Topics"]
    rules = {one["Name"]: one["Rules"][0]["Properties"] for one in topic["Subscriptions"]}
    assert rules["all"]["SqlFilter"] == {"SqlExpression": "replayFor IS NULL OR replayFor = 'all'"}
    assert rules["urgent"] == {
        "FilterType": "Correlation",
        "CorrelationFilter": {"Label": "urgent", "Properties": {"status": "PAID"}},
    }


def test_a_namespace_gets_every_entity_after_the_one_that_it_is_in() -> None:
    resources: list[dict[str, Any]] = namespace()["resources"]

    names = [one["name"].removeprefix("[concat(parameters('namespace'), '/").removesuffix("')]") for one in resources]
    assert names[:4] == [*ENTITIES["queues"]]
    assert names[4:7] == ["events", "events/all", "events/all/$Default"]
    assert resources[6]["dependsOn"] == [
        "[resourceId('Microsoft.ServiceBus/namespaces/topics/subscriptions', parameters('namespace'), 'events', 'all')]"
    ]
    assert not any("filter" in one["properties"] for one in resources)
