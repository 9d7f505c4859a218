"""Changes of a copy of the resources, or of what the code says: the mistakes that test_mistakes.py makes."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.infra.code import Code
from tests.infra.predicted import OPERATORS, Environment, Resource, last_name

State = tuple[Environment, Code]
Change = Callable[[Environment, Code], State]
Chosen = str | Callable[[Resource], bool]
"""Resources of a type: by the last part of their name, or its end, or by what they have. Empty: all."""

GONE = object()
"""The value of what is removed."""
CRITERION = "properties/criteria/allOf/0"
"""Where an alert says what it looks at."""


def put(kind: str, chosen: Chosen, path: str, value: object) -> Change:
    """Set a value, or remove it: `GONE`. A function gets the value that is there."""

    def change(environment: Environment, code: Code) -> State:
        made = [_with(each, path, value) if _is(each, kind, chosen) else each for each in environment.resources]
        assert made != [*environment.resources], "the mistake changes something"
        return replace(environment, resources=tuple(made)), code

    return change


def drop(kind: str, chosen: Chosen) -> Change:
    """Remove resources."""

    def change(environment: Environment, code: Code) -> State:
        left = tuple(each for each in environment.resources if not _is(each, kind, chosen))
        assert len(left) < len(environment.resources), "the mistake removes something"
        return replace(environment, resources=left), code

    return change


def add(kind: str, like: Chosen, **values: object) -> Change:
    """Add a resource that is like another, with other values."""

    def change(environment: Environment, code: Code) -> State:
        found = next(each for each in environment.resources if _is(each, kind, like))
        copied = deepcopy(found) | values
        return replace(environment, resources=(*environment.resources, copied)), code

    return change


def in_code(**values: Any) -> Change:
    """Let the code say something else."""
    return lambda environment, code: (environment, replace(code, **values))


def both(first: Change, second: Change) -> Change:
    """Make one change after another."""
    return lambda environment, code: second(*first(environment, code))


def app_setting(name: str, value: object) -> Change:
    """Set an app setting, or remove it."""
    return put("Web/sites/config", "appsettings", f"properties/{name}", value)


def policy(before: str, after: str) -> Change:
    """Change the text of the policy of the gateway."""
    return put(
        "ApiManagement/service/apis/policies", "policy", "properties/value", lambda text: text.replace(before, after)
    )


def query(alert: str, before: str, after: str) -> Change:
    """Change the query of an alert."""
    path = f"{CRITERION}/query"
    return put("Insights/scheduledQueryRules", alert, path, lambda text: text.replace(before, after))


def role_of(who: str, scope: str) -> Callable[[Resource], bool]:
    """Choose a role assignment by its principal and the end of its scope."""

    def fits(resource: Resource) -> bool:
        is_operators = resource["properties"]["principalId"] == OPERATORS
        at = str(resource["id"]).partition("/providers/Microsoft.Authorization/")[0]
        return is_operators is (who == "operators") and at.endswith(scope)

    return fits


def named(role: str) -> Callable[[Resource], bool]:
    """Choose a role of Cosmos DB by its name."""
    return lambda resource: resource["properties"]["roleName"] == role


def trigger(function: str, **values: str) -> Change:
    """Let a trigger of the code have other values."""

    def change(environment: Environment, code: Code) -> State:
        changed = {**code.triggers[function], **values}
        return environment, replace(code, triggers={**code.triggers, function: changed})

    return change


def adapter(file: str, before: str, after: str) -> Change:
    """Change the text of an adapter."""

    def change(environment: Environment, code: Code) -> State:
        assert before in code.adapters[file], "the mistake changes something"
        return environment, replace(
            code, adapters={**code.adapters, file: code.adapters[file].replace(before, after, 1)}
        )

    return change


def api(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change the contract in the API."""

    def changed(text: str) -> str:
        contract = json.loads(text)
        change(contract)
        return json.dumps(contract)

    return put("ApiManagement/service/apis", "archive", "properties/value", changed)


def _is(resource: Resource, kind: str, chosen: Chosen) -> bool:
    if resource["type"] != f"Microsoft.{kind}":
        return False
    name = last_name(resource)
    return chosen(resource) if callable(chosen) else not chosen or name == chosen or name.endswith(f"-{chosen}")


def _with(resource: Resource, path: str, value: object) -> Resource:
    changed = deepcopy(resource)
    *parents, last = path.split("/")
    place: Any = changed
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is GONE:
        del place[last]
    else:
        key: Any = int(last) if isinstance(place, list) else last
        place[key] = value(place[key]) if callable(value) else value
    return changed
