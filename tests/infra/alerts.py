"""Checks: each alert looks at something that exists, has a runbook, and reads what the code logs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.code import Code
from tests.infra.predicted import Environment, Resource, last_name

RUNBOOKS = "https://github.com/pagopa/archivio-centralizzato-avvisi/blob/main/docs/runbooks/"
METRICS = {
    "Microsoft.DocumentDB/databaseAccounts": {
        "TotalRequests": {"StatusCode", "CollectionName"},
        "NormalizedRUConsumption": {"CollectionName"},
    },
    "Microsoft.ServiceBus/namespaces": {
        "ActiveMessages": {"EntityName"},
        "DeadletteredMessages": {"EntityName"},
    },
}
"""The metrics of Azure Monitor that are used, with their dimensions: Microsoft, "Supported metrics"."""
TABLES = {
    "AppRequests": {"Url", "Name", "ItemCount", "ResultCode", "DurationMs"},
    "AppTraces": {"Message", "TimeGenerated"},
}
"""The tables of Application Insights that are used, with their columns."""
OF_SERVERLESS = {"cosmos-ru"}
"""Alerts that an account without RU/s cannot have."""
WATCHED = {
    "cosmos-throttled": "containers",
    "cosmos-ru": "containers",
    "dead-letters": "entities",
}
"""Alerts that look at every container, or at every queue and topic."""


def descriptions(environment: Environment, _: Code) -> Iterator[str]:
    """Each alert has a severity, a description that ends with the address of its runbook, and notifies somebody."""
    groups = {each["id"] for each in environment.all_of("Insights/actionGroups")}
    for name, alert in _alerts(environment):
        text, _, runbook = alert["description"].partition(" " + RUNBOOKS)
        if runbook != f"{name}.md" or not text.endswith("."):
            yield f"{name}: its description does not lead to its runbook"
        if alert["severity"] not in range(5):
            yield f"{name}: its severity is {alert['severity']}"
        actions = alert["actions"]
        notified = actions["actionGroups"] if isinstance(actions, dict) else [each["actionGroupId"] for each in actions]
        if not notified or not groups.issuperset(notified):
            yield f"{name}: it notifies no action group that is there"


ONLY_WITH_TRAFFIC = {"no-traffic"}
"""Alerts that are off where an hour without a request is no fault."""


def active(environment: Environment, _: Code) -> Iterator[str]:
    """Each alert is on, and its e-mails go to somebody."""
    for name, alert in _alerts(environment):
        if not alert["enabled"] and (environment.name == "prod" or name not in ONLY_WITH_TRAFFIC):
            yield f"{name} is off"
    for group in environment.all_of("Insights/actionGroups"):
        if not group["properties"]["enabled"] or not group["properties"]["emailReceivers"]:
            yield f"{last_name(group)} notifies nobody"


def runbooks(environment: Environment, code: Code) -> Iterator[str]:
    """Each alert has a runbook, and each runbook an alert."""
    found = {name for name, _ in _alerts(environment)}
    needed = code.runbooks - (set() if environment.is_private else OF_SERVERLESS)
    yield from (f"{name} has no runbook" for name in sorted(found - code.runbooks))
    yield from (f"the runbook {name} has no alert" for name in sorted(needed - found))


def metrics(environment: Environment, code: Code) -> Iterator[str]:
    """The resource, the metric, its dimensions, and the entities or containers in them exist."""
    kinds = {each["id"]: each["type"] for each in environment.resources}
    known = {
        "CollectionName": environment.by_name("DocumentDB/databaseAccounts/sqlDatabases/containers").keys(),
        "EntityName": environment.by_name("ServiceBus/namespaces/queues").keys()
        | environment.by_name("ServiceBus/namespaces/topics").keys(),
    }
    for name, alert in _of_kind(environment, "Insights/metricAlerts"):
        yield from (f"{name}: there is no {scope}" for scope in alert["scopes"] if scope not in kinds)
        for criterion in alert["criteria"].get("allOf", []):
            namespace, metric = criterion["metricNamespace"], criterion["metricName"]
            if {namespace} != {kinds.get(scope) for scope in alert["scopes"]}:
                yield f"{name}: {namespace} is not the type of its resource"
            if metric not in METRICS.get(namespace, {}):
                yield f"{name}: {namespace} has no metric {metric}"
                continue
            for dimension in criterion["dimensions"]:
                if dimension["name"] not in METRICS[namespace][metric]:
                    yield f"{name}: {metric} has no dimension {dimension['name']}"
                for value in sorted(set(dimension["values"]) - known.get(dimension["name"], {*dimension["values"]})):
                    yield f"{name}: there is no {dimension['name']} {value}"


def coverage(environment: Environment, code: Code) -> Iterator[str]:
    """The alerts on containers and entities look at each of them."""
    every = {"containers": {*code.data}, "entities": {*code.messaging["queues"], *code.messaging["topics"]}}
    for name, alert in _of_kind(environment, "Insights/metricAlerts"):
        if name in WATCHED:
            (criterion,) = alert["criteria"]["allOf"]
            watched = {value for dimension in criterion["dimensions"] for value in dimension["values"]}
            yield from (f"{name} does not look at {each}" for each in sorted(every[WATCHED[name]] - watched))


def queries(environment: Environment, code: Code) -> Iterator[str]:
    """A query reads events that the code logs, their keys, columns of its table, and functions that exist."""
    for name, alert in _of_kind(environment, "Insights/scheduledQueryRules"):
        for criterion in alert["criteria"]["allOf"]:
            text = re.sub(r"//.*", "", criterion["query"])
            yield from (f"{name}: {fault}" for fault in _faults(text, code))
            if not re.search(rf"\b{criterion['metricMeasureColumn']} = [^|]*$", text):
                yield f"{name}: its query ends without the column {criterion['metricMeasureColumn']}"


def lags(environment: Environment, _: Code) -> Iterator[str]:
    """A reader that fails in each turn raises its alert. A failed turn may report 0 seconds, so it does not count."""
    for name, alert in _of_kind(environment, "Insights/scheduledQueryRules"):
        for criterion in alert["criteria"]["allOf"]:
            text = criterion["query"]
            if "record.oldest_waiting_seconds" in text and "and isempty(tostring(record.error))" not in text:
                yield f"{name}: a turn with an error counts"


def web_tests(environment: Environment, code: Code) -> Iterator[str]:
    """The health address is asked from outside, it is one of the contract, and its alert looks at this test."""
    tests = {each["id"]: each["properties"] for each in environment.all_of("Insights/webtests")}
    if not tests:
        yield "the health address is not asked from outside"
    for each in tests.values():
        path = each["Request"]["RequestUrl"]
        if not each["Enabled"] or not any("/api" + known in path for _, known in code.operations if "health" in known):
            yield f"no health address is asked: {path}"
    watched = {alert["criteria"].get("webTestId") for _, alert in _of_kind(environment, "Insights/metricAlerts")}
    yield from (f"the test {test.rpartition('/')[2]} has no alert" for test in tests.keys() - watched)


def _faults(text: str, code: Code) -> Iterator[str]:
    table = text.split()[0]
    if table not in TABLES:
        yield f"there is no table {table}"
        return
    words = set(re.findall(r"\b[A-Z][a-z]\w+\b", re.sub(r'"[^"]*"', "", text))) - {table}
    yield from (f"{table} has no column {word}" for word in sorted(words - TABLES[table]))
    events = _texts_after(text, r"record\.event\) (?:==|in) ")
    yield from (f"no code logs {event}" for event in sorted(events - code.logged.keys()))
    # The first line only makes the query fast. An event that it lacks would never be found.
    yield from (
        f"{event} is not in `Message has`" for event in sorted(events ^ _texts_after(text, "Message has(?:_any)? "))
    )
    logged = [code.logged.get(event, frozenset()) for event in events]
    for key in sorted(set(re.findall(r"\brecord\.(\w+)", text)) - {"event"}):
        if not all(key in keys for keys in logged):
            yield f"no code logs the key {key} with {', '.join(sorted(events))}"
    functions = _texts_after(text, r"Name !?startswith ") - {"GET", "POST"}
    yield from (f"there is no function {each}" for each in sorted(functions - code.triggers.keys()))


def _texts_after(text: str, pattern: str) -> set[str]:
    found = re.findall(rf'{pattern}(\([^)]*\)|"[^"]*")', text)
    return {each for part in found for each in re.findall(r'"([^"]*)"', part)}


def _alerts(environment: Environment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from _of_kind(environment, "Insights/metricAlerts")
    yield from _of_kind(environment, "Insights/scheduledQueryRules")


def _of_kind(environment: Environment, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in environment.all_of(kind):
        yield _short_name(environment, each), each["properties"]


def _short_name(environment: Environment, alert: Resource) -> str:
    """Return the name without its beginning, which is that of the resource group."""
    return last_name(alert).removeprefix(last_name(environment.one("Resources/resourceGroups")).removesuffix("rg"))
