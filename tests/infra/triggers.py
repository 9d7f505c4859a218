"""Checks: the platform can run each function. Its connection, its queue and the storage of the host are there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from tests.infra.code import Code
from tests.infra.predicted import Environment, evaluated, last_name
from tests.infra.settings import settings_of

CONNECTION = ("fullyQualifiedNamespace", "credential", "clientId")
"""The settings of a connection with an identity."""
HOST_CONTAINERS = ("azure-webjobs-hosts", "azure-webjobs-secrets")
"""Where the host keeps the locks of the timers, and its keys."""
LONGEST_LOCK = timedelta(minutes=5)
"""Service Bus gives no longer one."""
ALWAYS_READY_IN_PROD = {"http", "function:relay_events", "function:project_debtors"}

_duration = TypeAdapter(timedelta).validate_python


def connections(environment: Environment, code: Code) -> Iterator[str]:
    """Each Service Bus trigger has the settings of its connection, and its entity exists."""
    found, queues = settings_of(environment), environment.by_name("ServiceBus/namespaces/queues")
    for function, trigger in code.triggers.items():
        if trigger["type"] != "serviceBusTrigger":
            continue
        for part in CONNECTION:
            if f"{trigger['connection']}__{part}" not in found:
                yield f"{function}: {trigger['connection']}__{part} is not set"
        if trigger.get("queueName") not in queues:
            yield f"{function}: there is no queue {trigger.get('queueName')}"


def host_storage(environment: Environment, _: Code) -> Iterator[str]:
    """The account of the host, its containers and that of the package are there."""
    account = last_name(environment.one("Storage/storageAccounts"))
    if settings_of(environment).get("AzureWebJobsStorage__accountName") != account:
        yield "AzureWebJobsStorage__accountName does not name the storage account"
    containers = environment.by_name("Storage/storageAccounts/blobServices/containers")
    yield from (f"there is no container {name} for the host" for name in HOST_CONTAINERS if name not in containers)
    package = evaluated(
        environment.one("Web/sites")["properties"]["functionAppConfig"]["deployment"]["storage"]["value"]
    )
    if package.rpartition(">")[2] not in containers:
        yield f"there is no container for the package at {package}"


def always_ready(environment: Environment, code: Code) -> Iterator[str]:
    """Instances that are always ready are for functions that exist. In prod, for requests and the readers."""
    groups = {each["name"] for each in _scale(environment)["alwaysReady"]}
    known = {f"function:{name}" for name, each in code.triggers.items() if each["type"] != "httpTrigger"} | {"http"}
    yield from (f"alwaysReady names {group}, and there is no such group" for group in sorted(groups - known))
    if environment.name == "prod":
        yield from (f"{group} is not always ready" for group in sorted(ALWAYS_READY_IN_PROD - groups))


def concurrency(environment: Environment, _: Code) -> Iterator[str]:
    """How much one instance does at once, and how many there are, is chosen, not left to the platform."""
    scale = _scale(environment)
    if not scale.get("triggers", {}).get("http", {}).get("perInstanceConcurrency"):
        yield "no concurrency of an instance is chosen"
    yield from (f"no {name} is chosen" for name in ("instanceMemoryMB", "maximumInstanceCount") if not scale.get(name))


def locks_of_messages(environment: Environment, code: Code) -> Iterator[str]:
    """A message stays locked for as long as its function may run."""
    service_bus = code.host["extensions"]["serviceBus"]
    renewed, runs = _duration(service_bus["maxAutoLockRenewalDuration"]), _duration(code.host["functionTimeout"])
    if renewed < runs:
        yield f"host.json renews a lock for {renewed}, and a function may run for {runs}"
    if service_bus.get("prefetchCount"):
        yield "host.json fetches messages before, and their locks end while they wait"
    queues = environment.by_name("ServiceBus/namespaces/queues")
    for name in {each["queueName"] for each in code.triggers.values() if each["type"] == "serviceBusTrigger"}:
        lock = _duration(queues[name]["lockDuration"]) if name in queues else timedelta(0)
        if name in queues and not timedelta(seconds=30) <= lock <= LONGEST_LOCK:
            yield f"a lock of {name} lasts {lock}: the host cannot renew it in time, or Service Bus refuses it"


def python(environment: Environment, code: Code) -> Iterator[str]:
    """The app runs on a Python that pyproject.toml admits and CI tests."""
    runtime = environment.one("Web/sites")["properties"]["functionAppConfig"]["runtime"]
    if runtime["name"] != "python" or runtime["version"] not in code.pythons:
        yield f"the app runs on {runtime['name']} {runtime['version']}, and CI tests {', '.join(sorted(code.pythons))}"


def _scale(environment: Environment) -> dict[str, Any]:
    found: dict[str, Any] = environment.one("Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    return found
