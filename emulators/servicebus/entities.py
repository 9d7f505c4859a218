"""Read the description of the entities: queues, topics and subscriptions with the property names of ARM.

`infra/messaging.json` has the form. A property that the double does not know is refused, so that no test relies on it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulators.servicebus.filters import Filter, correlation, every_message, sql

_QUEUE = {
    *("lockDuration", "maxDeliveryCount", "defaultMessageTimeToLive", "deadLetteringOnMessageExpiration"),
    *("requiresDuplicateDetection", "duplicateDetectionHistoryTimeWindow"),
}
_TOPIC = {
    *("defaultMessageTimeToLive", "requiresDuplicateDetection", "duplicateDetectionHistoryTimeWindow"),
    "subscriptions",
}
_SUBSCRIPTION = {
    *("lockDuration", "maxDeliveryCount", "defaultMessageTimeToLive", "deadLetteringOnMessageExpiration"),
    *("filter", "correlationFilter"),
}
_DURATION = re.compile(r"P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_LONGEST_LOCK = 300_000
_LONGEST_WINDOW = 7 * 24 * 3_600_000

Properties = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How a queue treats its messages. Times are milliseconds. The defaults are those of the service."""

    lock_duration: int = 60_000
    max_delivery_count: int = 10
    time_to_live: int | None = None
    dead_letter_on_expiry: bool = False
    duplicate_window: int | None = None
    """How long a message id is remembered. None: duplicates are not detected."""


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """Which messages of its topic a subscription gets, and how its queue treats them."""

    queue: QueueSettings = field(default_factory=QueueSettings)
    filter: Filter = every_message


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How a topic treats its messages, and its subscriptions by their names."""

    time_to_live: int | None
    duplicate_window: int | None
    subscriptions: dict[str, SubscriptionSettings]


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of a namespace, by their names."""

    queues: dict[str, QueueSettings]
    topics: dict[str, TopicSettings]

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> "Entities":
        """Read a description. Raises ValueError with a sentence for a property that it cannot serve."""
        _check("The description", given, {"queues", "topics"})
        queues, topics = (_named(given.get(kind, {}), kind) for kind in ("queues", "topics"))
        both = {name.lower() for name in queues} & {name.lower() for name in topics}
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is a queue and a topic.")
        return cls(
            {name: _queue(name, properties, _QUEUE) for name, properties in queues.items()},
            {name: _topic(name, properties) for name, properties in topics.items()},
        )


def duration(text: object) -> int:
    """Return the milliseconds of an ISO 8601 duration of days, hours, minutes and seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{text!r} is no duration such as P14D or PT1H30M.")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


def _queue(name: str, given: Properties, known: set[str]) -> QueueSettings:
    _check(name, given, known)
    lock = duration(given.get("lockDuration", "PT1M"))
    if not 0 < lock <= _LONGEST_LOCK:
        raise ValueError(f"The lockDuration of {name} is more than 0 and at most PT5M.")
    return QueueSettings(
        lock,
        _number(name, given, "maxDeliveryCount", 10),
        _time_to_live(given),
        _switch(name, given, "deadLetteringOnMessageExpiration"),
        _window(name, given),
    )


def _topic(name: str, given: Properties) -> TopicSettings:
    _check(name, given, _TOPIC)
    subscriptions = _named(given.get("subscriptions", {}), f"{name}.subscriptions")
    settings = {
        subscription: SubscriptionSettings(
            _queue(f"{name}/{subscription}", properties, _SUBSCRIPTION), _filter(f"{name}/{subscription}", properties)
        )
        for subscription, properties in subscriptions.items()
    }
    return TopicSettings(_time_to_live(given), _window(name, given), settings)


def _filter(name: str, given: Properties) -> Filter:
    text, wanted = given.get("filter"), given.get("correlationFilter")
    if text is not None and wanted is not None:
        raise ValueError(f"{name} has two filters: the double gives a subscription one.")
    if isinstance(wanted, Mapping):
        return correlation(wanted)
    if wanted is not None or not isinstance(text, (str, type(None))):
        raise ValueError(f"The filter of {name} is a text, and its correlationFilter an object.")
    return every_message if text is None else sql(text)


def _time_to_live(given: Properties) -> int | None:
    text = given.get("defaultMessageTimeToLive")
    return None if text is None else duration(text)


def _window(name: str, given: Properties) -> int | None:
    window = duration(given.get("duplicateDetectionHistoryTimeWindow", "PT10M"))
    if not 0 < window <= _LONGEST_WINDOW:
        raise ValueError(f"The duplicateDetectionHistoryTimeWindow of {name} is more than 0 and at most P7D.")
    return window if _switch(name, given, "requiresDuplicateDetection") else None


def _number(name: str, given: Properties, key: str, default: int) -> int:
    value = given.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} of {name} is a number from 1 on, not {value!r}.")
    return value


def _switch(name: str, given: Properties, key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} of {name} is true or false, not {value!r}.")
    return value


def _named(given: object, where: str) -> dict[str, Properties]:
    """Return the members of an object, each an object with a name that the service takes."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is an object.")
    for name, properties in given.items():
        if not _NAME.fullmatch(name) or not isinstance(properties, Mapping):
            raise ValueError(f"{where} has names with an object each, not {name!r}.")
    return dict(given)


def _check(name: str, given: Properties, known: set[str]) -> None:
    """Refuse properties that the double does not have. One that is false is not in use."""
    unknown = sorted(key for key, value in given.items() if key not in known and value is not False)
    if unknown:
        raise ValueError(f"{name} has {', '.join(unknown)}: the double of Service Bus does not implement that.")
