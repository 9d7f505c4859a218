"""The predicted resources of each environment: infra/snapshots, which `make check-infra` compares with the Bicep."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Resource = dict[str, Any]

OPERATORS = "00000000-0000-0000-0000-000000000003"
"""The group of the operators in the parameters files, where no variable names one."""
STAND_INS = {
    "environment().suffixes.keyvaultDns": "'.vault.azure.net'",
    "environment().suffixes.storage": "'core.windows.net'",
}
"""Values that only a deployment knows, as the public cloud has them."""

_REFERENCE = re.compile(r"reference\('([^']+)', '[^']+'\)((?:\.\w+)+)")
_INNERMOST = re.compile(r"(format|resourceId)\(((?:'[^']*'(?:, )?)+)\)")
_VALUE = re.compile(r"'([^']*)'")


@dataclass(frozen=True)
class Environment:
    """The resources of an environment. Each has a type, a name, an id and, mostly, properties."""

    name: str
    resources: tuple[Resource, ...]

    @property
    def is_private(self) -> bool:
        """Return whether its services have no public address. Only dev is for test data alone."""
        return self.name != "dev"

    def all_of(self, kind: str) -> list[Resource]:
        """Return the resources of a type, such as Web/sites."""
        return [each for each in self.resources if each["type"] == f"Microsoft.{kind}"]

    def one(self, kind: str) -> Resource:
        """Return the only resource of a type."""
        (found,) = self.all_of(kind)
        return found

    def by_name(self, kind: str) -> dict[str, Any]:
        """Return the properties of the resources of a type, by the last part of their names."""
        return {last_name(each): each["properties"] for each in self.all_of(kind)}


def last_name(resource: Resource) -> str:
    """Return the name of a resource inside its parent."""
    return str(resource["name"]).rpartition("/")[2]


def kind_of(resource: Resource) -> str:
    """Return the type of a resource without Microsoft."""
    return str(resource["type"]).removeprefix("Microsoft.")


def evaluated(value: Any) -> str:
    """Return a value with stand-ins for what only a deployment knows: `<property of name>` for a reference."""
    text = str(value)
    if not (text.startswith("[") and text.endswith("]")):
        return text
    text = text[1:-1]
    for expression, stand_in in STAND_INS.items():
        text = text.replace(expression, stand_in)
    text = _REFERENCE.sub(lambda found: f"'<{found[2][1:]} of {found[1].rpartition('/')[2]}>'", text)
    while (simpler := _INNERMOST.sub(lambda found: f"'{_called(found[1], _VALUE.findall(found[2]))}'", text)) != text:
        text = simpler
    return text[1:-1] if _VALUE.fullmatch(text) else f"[{text}]"


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a value with its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_in(inner, f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from texts_in(inner, f"{path}[{n}]")
    elif isinstance(value, str):
        yield path, value


@cache
def predicted(name: str) -> Environment:
    """Return an environment as it is committed."""
    text = (ROOT / "infra" / "snapshots" / f"{name}.json").read_text(encoding="utf-8")
    return Environment(name, tuple(json.loads(text)["predictedResources"]))


def _called(function: str, arguments: list[str]) -> str:
    if function == "format":
        return arguments[0].format(*arguments[1:])
    subscription, group, kind, name = arguments
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


ENVIRONMENTS = ("dev", "uat", "prod")
in_each_environment = pytest.mark.parametrize("environment", [*map(predicted, ENVIRONMENTS)], ids=ENVIRONMENTS)
