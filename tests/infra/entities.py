"""Checks: queues, topic, subscriptions and filters are those of infra/messaging.json, and those that the code names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.cloudevents import FILTERED, GAP, PREFIX, event_type
from shared.domain.lifecycle import EventType
from tests.infra.code import ENTITIES, Code
from tests.infra.predicted import Environment

NAMESPACE = "ServiceBus/namespaces"
SIZE = "maxSizeInMegabytes"
"""The only property that a parameter chooses."""


def queues(environment: Environment, code: Code) -> Iterator[str]:
    """The queues and their properties are those of the file."""
    yield from differences("queue", code.messaging["queues"], _chosen(environment.by_name(f"{NAMESPACE}/queues")))


def topics(environment: Environment, code: Code) -> Iterator[str]:
    """The topics, their subscriptions and their properties are those of the file."""
    truth = code.messaging["topics"]
    yield from differences(
        "topic",
        {name: _without(topic, "subscriptions") for name, topic in truth.items()},
        _chosen(environment.by_name(f"{NAMESPACE}/topics")),
    )
    yield from differences(
        "subscription",
        {name: _without(each, "filter") for name, each in _subscriptions(code).items()},
        {_below(each): each["properties"] for each in environment.all_of(f"{NAMESPACE}/topics/subscriptions")},
    )


def filters(environment: Environment, code: Code) -> Iterator[str]:
    """Each subscription has one rule, which takes the place of Azure's own, and its filter is that of the file."""
    truth = {f"{name}/$Default": _rule(each["filter"]) for name, each in _subscriptions(code).items()}
    found = {_below(each): each["properties"] for each in environment.all_of(f"{NAMESPACE}/topics/subscriptions/rules")}
    yield from differences("rule", truth, found)


def terms(environment: Environment, _: Code) -> Iterator[str]:
    """A filter names properties and types that the code sends, and lets in what is sent again to its subscription."""
    types = {event_type(each) for each in (*EventType, GAP)}
    for each in environment.all_of(f"{NAMESPACE}/topics/subscriptions/rules"):
        expression, name = each["properties"]["sqlFilter"]["sqlExpression"], _below(each).split("/")[1]
        texts = set(re.findall(r"'([^']*)'", expression))
        properties = set(re.findall(r"\b[a-z]\w*\b", re.sub(r"'[^']*'", "", expression)))
        yield from (f"{name}: no message has a property {one}" for one in sorted(properties - {*FILTERED}))
        yield from (f"{name}: no event has the type {one}" for one in sorted(texts - types) if one.startswith(PREFIX))
        if f"replayFor IS NULL OR replayFor = '{name}'" not in expression:
            yield f"{name}: its filter does not let in what is sent again to it"


def names(environment: Environment, code: Code) -> Iterator[str]:
    """The entities that the code names exist, and no others do."""
    used = {*ENTITIES.values(), *(each["queueName"] for each in code.triggers.values() if "queueName" in each)}
    found = environment.by_name(f"{NAMESPACE}/queues").keys() | environment.by_name(f"{NAMESPACE}/topics").keys()
    yield from (f"the code uses {name}, and it is not there" for name in sorted(used - found))
    yield from (f"{name} is there, and the code does not use it" for name in sorted(found - used))


def differences(kind: str, truth: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is missing, what is too much, and each property that is another."""
    yield from (f"{kind} {name} is missing" for name in sorted(truth.keys() - found.keys()))
    yield from (f"{kind} {name} is in no file that the code reads" for name in sorted(found.keys() - truth.keys()))
    for name in sorted(truth.keys() & found.keys()):
        for key in sorted(truth[name].keys() | found[name].keys()):
            should, has = truth[name].get(key), found[name].get(key)
            if should != has:
                yield f"{kind} {name}: {key} is {has!r}, and should be {should!r}"


def _subscriptions(code: Code) -> dict[str, Any]:
    every = code.messaging["topics"].items()
    return {f"{topic}/{name}": each for topic, value in every for name, each in value["subscriptions"].items()}


def _below(resource: Mapping[str, Any]) -> str:
    """Return the name below the namespace."""
    return str(resource["name"]).partition("/")[2]


def _rule(expression: str) -> dict[str, Any]:
    return {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": expression}}


def _chosen(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _without(each, SIZE) for name, each in found.items()}


def _without(properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != name}
