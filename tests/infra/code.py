"""What the code says about the infrastructure. The checks compare it with the predicted resources."""

import ast
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet

from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, NOTICE_EVENTS
from shared.settings import VARIABLES, Variable
from tests.infra.calls_of_cosmos import Adapters, sources
from tests.infra.predicted import ROOT
from tests.infra.uses import all_uses, files_of

ENTITIES = {
    "INBOUND_EVENTS": INBOUND_EVENTS,
    "INBOUND_REJECTED": INBOUND_REJECTED,
    "NOTICE_EVENTS": NOTICE_EVENTS,
}
"""The constants of shared/messages.py, as the adapter names them."""
METHODS = ("get", "put", "post", "patch", "delete")

LogKeys = Mapping[str, frozenset[str]]
"""The keys of each event of the log."""


@dataclass(frozen=True)
class Code:
    """The truth of the code. A test of a mistake replaces a part of it."""

    variables: tuple[Variable, ...]
    triggers: Mapping[str, Mapping[str, Any]]
    """The trigger of each function, as Microsoft's worker indexes it."""
    host: Mapping[str, Any]
    pythons: frozenset[str]
    """The versions that pyproject.toml admits and CI tests."""
    data: Mapping[str, Any]
    messaging: Mapping[str, Any]
    adapters: Mapping[str, str]
    """The text of each adapter for Cosmos DB."""
    bus: str
    """The text of the adapter for Service Bus."""
    contract: Mapping[str, Any]
    logged: LogKeys
    runbooks: frozenset[str]

    @cached_property
    def needs(self) -> Mapping[tuple[str, str, str], str]:
        """Return who needs which action on which container, and the code that needs it."""
        adapters, needed = Adapters(self.adapters), dict[tuple[str, str, str], str]()
        for use in sorted(all_uses()):
            if use.adapter.startswith("Cosmos") and use.method in adapters.methods(use.adapter):
                for action in sorted(adapters.actions(use.adapter, use.method)):
                    reason = f"{use.adapter}.{use.method} calls {action.because}, and {use.file} calls it"
                    needed.setdefault((use.who, action.container, action.name), reason)
        return needed

    @property
    def containers(self) -> set[str]:
        """Return the containers that the adapters ask."""
        return {container for _, container, _ in self.needs}

    @cached_property
    def sends(self) -> Mapping[tuple[str, str], str]:
        """Return who sends to which entity, and the code that does."""
        sent: dict[str, set[str]] = defaultdict(set)
        for function in (node for node in ast.walk(ast.parse(self.bus)) if isinstance(node, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                match node:
                    case ast.Call(ast.Attribute(_, "send"), [ast.Name(constant), *_]):
                        sent[function.name].add(ENTITIES[constant])
        return {
            (use.who, entity): f"{use.file} calls {use.method}"
            for use in sorted(all_uses())
            if use.adapter == "ServiceBus"
            for entity in sent[use.method]
        }

    @property
    def operations(self) -> set[tuple[str, str]]:
        """Return the method and path of each operation of the contract."""
        return operations_of(self.contract)


def operations_of(contract: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the method and path of each operation."""
    return {(method, path) for path, item in contract["paths"].items() for method in METHODS if method in item}


@cache
def the_code() -> Code:
    """Return the code as it is."""
    return Code(
        variables=VARIABLES,
        triggers=dict(_triggers()),
        host=_json("host.json"),
        pythons=_pythons(),
        data=_json("infra/data.json")["containers"],
        messaging=_json("infra/messaging.json"),
        adapters=sources(ROOT / "shared" / "adapters"),
        bus=(ROOT / "shared" / "adapters" / "service_bus.py").read_text(encoding="utf-8"),
        contract=_json("contract/openapi.json"),
        logged=_logged(),
        runbooks=frozenset(path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")) - {"README"},
    )


def _json(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def _triggers() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for function in _json("tests/functions/indexed.json"):
        (trigger,) = [each for each in function["bindings"] if each["type"].endswith("Trigger")]
        yield function["name"], trigger


def _pythons() -> frozenset[str]:
    admitted = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    tested = [
        version
        for job in workflow["jobs"].values()
        for version in job.get("strategy", {}).get("matrix", {}).get("python", [])
    ]
    return frozenset(version for version in tested if version in admitted)


def _logged() -> LogKeys:
    """Return each event that the app logs, with its keys."""
    found: dict[str, set[str]] = defaultdict(set)
    adapters = (str(path.relative_to(ROOT)) for path in (ROOT / "shared" / "adapters").glob("*.py"))
    trees = [ast.parse((ROOT / file).read_text(encoding="utf-8")) for file in (*files_of("function_app.py"), *adapters)]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    readers = {_text(call.args[0]) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "run_turn"}
    for call in calls:
        match call:
            # `log` is a choice between log_failure and log_bug.
            case ast.Call(
                ast.Name("log" | "log_event" | "log_failure" | "log_bug" | "log_critical" as kind), [event, *_]
            ):
                keys = {each.arg for each in call.keywords if each.arg}
                keys |= {"error"} if kind in ("log", "log_failure", "log_bug") else set()
                for name in _events(event, readers):
                    found[name] |= keys
    return {name: frozenset(keys) for name, keys in found.items()}


def _events(event: ast.expr, readers: set[str]) -> Iterator[str]:
    match event:
        case ast.Constant(str() as name):
            yield name
        case ast.JoinedStr([ast.FormattedValue(), ast.Constant(str() as end)]):
            yield from (f"{reader}{end}" for reader in readers)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""
