"""Which actions of Cosmos DB the adapters need, on which container: from the source of shared/adapters.

An adapter gives the SDK's calls to `Cosmos.call` as functions with a parameter `container`. So each attribute of
`container` is a call, on the container that `Cosmos.call` is given.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ACTIONS = {
    "create_item": "items/create",
    "read_item": "items/read",
    "replace_item": "items/replace",
    "upsert_item": "items/upsert",
    "delete_item": "items/delete",
    "query_items": "executeQuery",
    "query_items_change_feed": "readChangeFeed",
}
"""Microsoft, "Use data plane role-based access control with Azure Cosmos DB for NoSQL"."""
OF_METADATA = {"read", "read_feed_ranges", "feed_range_from_partition_key", "is_feed_range_subset"}
"""Calls for which the role on the metadata is enough."""
BATCH = "execute_item_batch"
"""Each of its operations needs the action of its own call."""
OPERATIONS = ("create", "read", "replace", "upsert", "delete")

_BY_VERSION = ("Documents", "write")
"""The method that makes another call for each kind of version: None for any, NOTHING for none."""
_OF_VERSIONS = {"upsert_item", "create_item", "replace_item"}
"""Those calls."""


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """An action on the documents of a container. `because` is the method of the SDK."""

    container: str
    name: str
    because: str


class Adapters:
    """The classes of the adapters, by their names."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """`sources` has the text of each file, by its name."""
        self._trees = [ast.parse(text) for text in sources.values()]
        classes = [each for tree in self._trees for each in tree.body if isinstance(each, ast.ClassDef)]
        # Cosmos makes the calls that it is given. It adds one for metadata.
        self._classes = {each.name: each for each in classes if each.name != "Cosmos"}
        self._constants = dict(_constants(self._trees))

    @property
    def hidden_calls(self) -> set[str]:
        """Return what this program does not see: a container of another name, and calls of Cosmos for itself."""
        parameters = (node for tree in self._trees for node in ast.walk(tree) if isinstance(node, ast.arg))
        others = {
            each.arg for each in parameters if each.annotation and "ContainerProxy" in ast.unparse(each.annotation)
        }
        every = (each for tree in self._trees for each in ast.walk(tree) if isinstance(each, ast.ClassDef))
        own = {
            node.attr
            for each in every
            if each.name == "Cosmos"
            for node in ast.walk(each)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "container"
        }
        return others - {"container"} | own - OF_METADATA

    def methods(self, adapter: str) -> set[str]:
        """Return the public methods of a class."""
        return {name for name in _methods(self._classes[adapter]) if not name.startswith("_")}

    def actions(self, adapter: str, method: str, container: str = "") -> set[Action]:
        """Return what a method needs. `container` is the one that the class is opened with."""
        return set(self._needed(adapter, method, container, set()))

    def _needed(self, adapter: str, method: str, container: str, seen: set[tuple[str, str, str]]) -> Iterator[Action]:
        if (place := (adapter, method, container)) in seen or method not in _methods(self._classes[adapter]):
            return
        seen.add(place)
        body = _methods(self._classes[adapter])[method]
        parts = self._parts(adapter)
        for node in ast.walk(body):
            match node:
                case ast.Call(ast.Attribute(ast.Attribute(ast.Name("self"), part), method), arguments) if (
                    part in parts and (parts[part][0], method) == _BY_VERSION
                ):
                    other, its_container = parts[part]
                    every = self._needed(other, method, its_container, set())
                    calls = _calls_by_version(arguments[1]) | {each.because for each in every} - _OF_VERSIONS
                    yield from (Action(its_container, _action_of(each), each) for each in calls)
                # Also methods that are handed on: `partial(self._each)`.
                case ast.Attribute(ast.Attribute(ast.Name("self"), part), inner) if part in parts:
                    other, its_container = parts[part]
                    if (other, inner) != _BY_VERSION:
                        yield from self._needed(other, inner, its_container, seen)
                case ast.Attribute(ast.Name("self"), inner):
                    yield from self._needed(adapter, inner, container, seen)
                case ast.Attribute(ast.Name("container"), call):
                    yield from self._of_sdk(body, call, self._container_in(body, container))

    def _of_sdk(self, body: ast.AST, call: str, container: str) -> Iterator[Action]:
        if call == BATCH:
            written = {each.value for each in ast.walk(body) if isinstance(each, ast.Constant)}
            for operation in OPERATIONS:
                if operation in written:
                    yield Action(container, ACTIONS[f"{operation}_item"], f"{BATCH}({operation})")
        elif call not in OF_METADATA:
            yield Action(container, _action_of(call), call)

    def _parts(self, adapter: str) -> dict[str, tuple[str, str]]:
        """Return the attributes that hold another adapter: its class, and the container that it is opened with."""
        found: dict[str, tuple[str, str]] = {}
        init = _methods(self._classes[adapter]).get("__init__")
        if init is None:
            return found
        annotated = {each.arg: each.annotation.id for each in init.args.args if isinstance(each.annotation, ast.Name)}
        for node in ast.walk(init):
            match node:
                case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Call(ast.Name(other), keywords=words)):
                    if other in self._classes:
                        named = {word.arg: word.value for word in words}
                        found[name] = (other, self._container(named.get("container")) or self._default(other))
                case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Name(parameter)):
                    if (other := annotated.get(parameter, "")) in self._classes:
                        found[name] = (other, self._default(other))
        return found

    def _default(self, adapter: str) -> str:
        init = _methods(self._classes[adapter]).get("__init__")
        if init is None:
            return ""
        names = [each.arg for each in init.args.args][-len(init.args.defaults) :] if init.args.defaults else []
        return self._container(dict(zip(names, init.args.defaults, strict=True)).get("container"))

    def _container_in(self, body: ast.AST, own: str) -> str:
        """Return the container that `Cosmos.call` is given. A method asks one only."""
        found = {
            self._container(node.args[1]) or own
            for node in ast.walk(body)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call"
        }
        (container,) = found
        return container

    def _container(self, node: ast.AST | None) -> str:
        return self._constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def sources(folder: Path) -> dict[str, str]:
    """Return the text of each adapter for Cosmos DB."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("cosmos*.py"))}


def _methods(adapter: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {each.name: each for each in adapter.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def _action_of(call: str) -> str:
    return ACTIONS.get(call, f"unknown action of {call}")


def _calls_by_version(version: ast.expr) -> set[str]:
    match version:
        case ast.Constant(None):
            return {"upsert_item"}
        case ast.Name("NOTHING"):
            return {"create_item"}
        case _:
            return {"create_item", "replace_item"}


def _constants(trees: Iterable[ast.Module]) -> Iterator[tuple[str, str]]:
    for tree in trees:
        for node in tree.body:
            match node:
                case ast.Assign([ast.Name(name)], ast.Constant(str() as value)):
                    yield name, value
