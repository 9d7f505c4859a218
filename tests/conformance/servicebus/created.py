"""Write what makes the entities of the tests elsewhere: a file for Microsoft's emulator, or a template for a namespace.

`python -m tests.conformance.servicebus.created emulator` prints the Config.json of the emulator, and with `namespace`
a template of ARM with the parameter `namespace`. Both come from entities.json.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.conformance.servicebus.support import ENTITIES

Entity = dict[str, Any]

_API = "2021-11-01"
_TYPE = "Microsoft.ServiceBus/namespaces"


def emulator() -> Entity:
    """Return the configuration of Microsoft's emulator. It has one namespace with a fixed name."""
    queues = [_in_emulator(name, queue) for name, queue in ENTITIES["queues"].items()]
    topics = [_topic_in_emulator(name, topic) for name, topic in ENTITIES["topics"].items()]
    namespace = {"Name": "sbemulatorns", "Queues": queues, "Topics": topics}
    return {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "File"}}}


def namespace() -> Entity:
    """Return a template of ARM that adds the entities to a namespace."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"namespace": {"type": "string"}},
        "resources": [*_resources()],
    }


def _topic_in_emulator(name: str, topic: Entity) -> Entity:
    subscriptions = [
        {**_in_emulator(subscription, properties), "Rules": [_rule_in_emulator(properties)]}
        for subscription, properties in topic["subscriptions"].items()
    ]
    return {**_in_emulator(name, topic), "Subscriptions": subscriptions}


def _rule_in_emulator(subscription: Entity) -> Entity:
    wanted = subscription.get("correlationFilter")
    if wanted is None:
        rule = {"FilterType": "Sql", "SqlFilter": {"SqlExpression": subscription["filter"]}}
    else:
        rule = {"FilterType": "Correlation", "CorrelationFilter": _capitalised(wanted)}
    return {"Name": "rule", "Properties": rule}


def _in_emulator(name: str, entity: Entity) -> Entity:
    return {"Name": name, "Properties": _capitalised(_properties(entity))}


def _capitalised(given: Entity) -> Entity:
    return {name[0].upper() + name[1:]: value for name, value in given.items()}


def _resources() -> Iterator[Entity]:
    for name, queue in ENTITIES["queues"].items():
        yield _resource("queues", [name], queue)
    for name, topic in ENTITIES["topics"].items():
        yield _resource("topics", [name], topic)
        for subscription, properties in topic["subscriptions"].items():
            yield _resource("topics/subscriptions", [name, subscription], properties)
            # A subscription gets everything until its first rule has another filter.
            yield _resource("topics/subscriptions/rules", [name, subscription, "$Default"], _rule(properties))


def _rule(subscription: Entity) -> Entity:
    if wanted := subscription.get("correlationFilter"):
        return {"filterType": "CorrelationFilter", "correlationFilter": wanted}
    return {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": subscription["filter"]}}


def _resource(kind: str, names: list[str], properties: Entity) -> Entity:
    return {
        "type": f"{_TYPE}/{kind}",
        "apiVersion": _API,
        "name": f"[concat(parameters('namespace'), '/{'/'.join(names)}')]",
        "properties": _properties(properties) if "rules" not in kind else properties,
        "dependsOn": [_id(names[:-1])] if names[:-1] else [],
    }


def _id(names: list[str]) -> str:
    kind = "/".join(["topics", "subscriptions"][: len(names)])
    return f"[resourceId('{_TYPE}/{kind}', parameters('namespace'), {', '.join(repr(name) for name in names)})]"


def _properties(entity: Entity) -> Entity:
    """Return the properties of an entity itself, without its filter and its subscriptions."""
    return {
        name: value for name, value in entity.items() if name not in ("filter", "correlationFilter", "subscriptions")
    }


if __name__ == "__main__":
    print(json.dumps({"emulator": emulator, "namespace": namespace}[sys.argv[1]](), indent=2))
