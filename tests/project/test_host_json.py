"""host.json is one that the platform takes: with a mistake in it, the platform starts no function and answers 503."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from local.functions import load
from local.queues import QueueTrigger

ROOT = Path(__file__).parents[2]
HOST = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))

TIME_SPAN = re.compile(r"(?:[0-9]+\.)?[0-2][0-9]:[0-5][0-9]:[0-5][0-9]")
LEVEL = re.compile("Trace|Debug|Information|Warning|Error|Critical|None")
ANY = re.compile(r"[\x20-\x7e]+")
SCHEMA: dict[str, Any] = {
    "version": re.compile(r"2\.0"),
    "telemetryMode": re.compile("OpenTelemetry|ApplicationInsights"),
    "functionTimeout": TIME_SPAN,
    "extensionBundle": {
        "id": re.compile(r"Microsoft\.Azure\.Functions\.ExtensionBundle"),
        "version": re.compile(r"\[4\.[0-9*.]+, 5\.0\.0\)"),
    },
    "logging": {"logLevel": {"*": LEVEL}},
    "extensions": {
        "http": {
            "routePrefix": re.compile("[a-z0-9/]*"),
            "hsts": {"isEnabled": bool, "maxAge": TIME_SPAN},
            "customHeaders": {"*": ANY},
        },
        "serviceBus": {"maxConcurrentCalls": int, "maxAutoLockRenewalDuration": TIME_SPAN},
    },
}
"""The properties that the archive may use. A name `*` stands for every name. The platform ignores unknown ones."""
BUILT_IN = {"httpTrigger", "timerTrigger"}
"""The triggers that the host has without an extension bundle (Microsoft, "Register Azure Functions extensions")."""


def faults(value: object, schema: Any, path: str = "host.json") -> Iterator[str]:
    """Yield the path of each value that is not as the schema says."""
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            yield path
            return
        for name, inner in value.items():
            known = schema.get(name, schema.get("*"))
            if known is None:
                yield f"{path}.{name}"
            else:
                yield from faults(inner, known, f"{path}.{name}")
    elif isinstance(schema, re.Pattern):
        if not isinstance(value, str) or not schema.fullmatch(value):
            yield path
    elif not isinstance(value, schema):
        yield path


def test_every_property_is_known_and_has_a_value_that_the_platform_reads() -> None:
    assert list(faults(HOST, SCHEMA)) == []
    assert HOST["version"] == "2.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", "1.0"),
        ("functionTimeout", "abc"),
        ("functionTimeout", 300),
        ("functionTimeout", "10"),
        ("functionTimout", "00:05:00"),
        ("logging.logLevel.Function", "Loud"),
        ("extensions", []),
        ("extensions.http.hsts.maxAge", "365"),
        ("extensions.http.hsts.isEnabled", "true"),
        ("extensions.http.maxConcurrentRequests", "many"),
        ("extensions.http.customHeaders.X-Name", "perché"),
    ],
)
def test_a_mistake_is_found(path: str, value: object) -> None:
    broken = deepcopy(HOST)
    *parents, last = path.split(".")
    place = broken
    for name in parents:
        place = place[name]
    place[last] = value

    assert list(faults(broken, SCHEMA)) == [f"host.json.{path}"]


def test_a_function_has_time_to_run() -> None:
    assert HOST["functionTimeout"] > "00:00:00"


def test_there_is_an_extension_bundle_only_if_a_trigger_needs_it() -> None:
    triggers = {function.trigger["type"] for function in load(ROOT)}

    assert ("extensionBundle" in HOST) == bool(triggers - BUILT_IN)


def test_the_development_host_has_as_many_messages_in_work_as_the_platform() -> None:
    service_bus = HOST["extensions"]["serviceBus"]

    assert service_bus == {"maxConcurrentCalls": 16, "maxAutoLockRenewalDuration": "00:05:00"}
    assert signature(QueueTrigger).parameters["at_once"].default == service_bus["maxConcurrentCalls"]
