"""The description of the entities: the defaults of the service, and a sentence for what the double does not do."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulators.servicebus.entities import Entities, QueueSettings, duration
from emulators.servicebus.filters import Names

DAY = 86_400_000


def queue(**properties: object) -> QueueSettings:
    """Return the settings of a queue that is described so."""
    return Entities.parse({"queues": {"q": properties}}).queues["q"]


def test_a_property_that_is_left_out_is_as_in_the_service() -> None:
    assert queue() == QueueSettings(
        lock_duration=60_000,
        max_delivery_count=10,
        time_to_live=None,
        dead_letter_on_expiry=False,
        duplicate_window=None,
    )


def test_duplicates_are_remembered_for_ten_minutes_unless_the_description_says_otherwise() -> None:
    assert queue(requiresDuplicateDetection=True).duplicate_window == 600_000
    assert queue(requiresDuplicateDetection=False, duplicateDetectionHistoryTimeWindow="PT1H").duplicate_window is None


def test_the_entities_of_production_are_read() -> None:
    text = (Path(__file__).parents[2] / "infra" / "messaging.json").read_text(encoding="utf-8")

    entities = Entities.parse(json.loads(text))

    assert set(entities.queues) == {"inbound-events", "inbound-rejected"}
    topic = entities.topics["notice-events"]
    assert (topic.time_to_live, topic.duplicate_window) == (14 * DAY, 3_600_000)
    care = topic.subscriptions["customer-care"]
    assert care.queue.dead_letter_on_expiry
    assert care.filter(Names({}, {"anomaly": "x"}))
    assert not care.filter(Names({}, {}))


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("PT1M", 60_000), ("P14D", 14 * DAY), ("PT1H30M", 5_400_000), ("PT0.5S", 500), ("P1DT1S", DAY + 1000)],
)
def test_a_duration_is_milliseconds(text: str, milliseconds: int) -> None:
    assert duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "P1M", "PT1D", "P1Y", "PT-1S", "P1DT", 60, None, True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@pytest.mark.parametrize(
    ("described", "named"),
    [
        ({"queues": {"q": {"requiresSession": True}}}, "q has requiresSession"),
        ({"queues": {"q": {"forwardTo": "other"}}}, "forwardTo"),
        ({"queues": {"q": {"enablePartitioning": True, "autoDeleteOnIdle": "PT5M"}}}, "autoDeleteOnIdle, enable"),
        ({"queues": {"q": {"filter": "a = 1"}}}, "q has filter"),
        ({"queues": {"q": {"lockDuration": "PT6M"}}}, "lockDuration of q"),
        ({"queues": {"q": {"lockDuration": "PT0S"}}}, "lockDuration of q"),
        ({"queues": {"q": {"lockDuration": "a minute"}}}, "'a minute' is no duration"),
        ({"queues": {"q": {"maxDeliveryCount": 0}}}, "maxDeliveryCount of q"),
        ({"queues": {"q": {"maxDeliveryCount": True}}}, "maxDeliveryCount of q"),
        ({"queues": {"q": {"deadLetteringOnMessageExpiration": "yes"}}}, "true or false"),
        ({"queues": {"q": {"duplicateDetectionHistoryTimeWindow": "P8D"}}}, "at most P7D"),
        ({"queues": {"a/b": {}}}, "'a/b'"),
        ({"queues": {"$x": {}}}, "'\\$x'"),
        ({"queues": {"q": []}}, "'q'"),
        ({"queues": []}, "queues is an object"),
        ({"queues": {"x": {}}, "topics": {"X": {}}}, "x is a queue and a topic"),
        ({"topics": {"t": {"lockDuration": "PT1M"}}}, "t has lockDuration"),
        ({"topics": {"t": {"subscriptions": {"s": {"filter": "a LIKE 'b'"}}}}}, "LIKE"),
        ({"topics": {"t": {"subscriptions": {"s": {"filter": 1}}}}}, "filter of t/s"),
        ({"topics": {"t": {"subscriptions": {"s": {"filter": "a = 1", "correlationFilter": {}}}}}}, "two filters"),
        ({"topics": {"t": {"subscriptions": {"s": {"correlationFilter": {}}}}}}, "at least one property"),
        ({"rules": {}}, "The description has rules"),
    ],
)
def test_what_the_double_does_not_do_is_refused_in_a_sentence(described: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        Entities.parse(described)
    assert str(refused.value).endswith(".")


def test_a_property_that_is_switched_off_is_not_in_use() -> None:
    assert queue(requiresSession=False, enablePartitioning=False) == QueueSettings()
