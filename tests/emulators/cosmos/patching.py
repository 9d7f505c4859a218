"""Partial updates: the steps of a patch, and the condition under which it is done."""

from copy import deepcopy
from typing import Any

from tests.emulators.cosmos.refusals import Refusal, bad_request
from tests.emulators.cosmos.sql import condition

STEPS = 10
"""Steps of one patch, at most."""

_FIXED = frozenset({"id", "_rid", "_self", "_etag", "_ts"})


def check_condition(patch: dict[str, Any], document: dict[str, Any] | None) -> None:
    """Refuse with 412 a patch whose `condition` does not hold."""
    if (text := patch.get("condition")) and not condition(text)(document or {}):
        raise Refusal(412, "PreconditionFailed", "One of the specified pre-condition is not met.")


def patched(document: dict[str, Any] | None, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the document after the steps; refuse what cannot be done to it."""
    if len(steps) > STEPS:
        raise bad_request(f"The number of patch operations can't exceed '{STEPS}'.")
    result = deepcopy(document or {})
    for step in steps:
        _do(result, step)
    return result


def _do(document: dict[str, Any], step: dict[str, Any]) -> None:
    if step["op"] == "move":
        moved = _taken(document, step)
        step = {"op": "set", "path": step["path"], "value": moved}
    path = _path(step["path"])
    if path[0] in _FIXED:
        raise bad_request(f"The path {step['path']} cannot be patched.")
    parent: Any = document
    for name in path[:-1]:
        parent = _child(parent, name, step)
    if isinstance(parent, list):
        _do_in_list(parent, path[-1], step)
    elif isinstance(parent, dict):
        _do_in_object(parent, path[-1], step)
    else:
        raise _not_found(step)


def _taken(document: dict[str, Any], step: dict[str, Any]) -> Any:
    """Return what a move takes away from its `from`."""
    *above, name = _path(step["from"])
    parent: Any = document
    for part in above:
        parent = _child(parent, part, step)
    value = _child(parent, name, step)
    _do(document, {"op": "remove", "path": step["from"]})
    return value


def _path(text: str) -> list[str]:
    return [name.replace("~1", "/").replace("~0", "~") for name in text.strip("/").split("/")]


def _do_in_object(parent: dict[str, Any], name: str, step: dict[str, Any]) -> None:
    match step["op"]:
        case "add" | "set":
            parent[name] = step["value"]
        case "replace" if name in parent:
            parent[name] = step["value"]
        case "remove" if name in parent:
            del parent[name]
        case "incr" if _is_number(parent.get(name, 0)):
            parent[name] = parent.get(name, 0) + step["value"]
        case _:
            raise _not_found(step)


def _do_in_list(parent: list[Any], name: str, step: dict[str, Any]) -> None:
    at = len(parent) if name == "-" else int(name) if name.isdigit() else -1
    match step["op"]:
        case "add" if 0 <= at <= len(parent):
            parent.insert(at, step["value"])
        case "set" | "replace" if 0 <= at < len(parent):
            parent[at] = step["value"]
        case "remove" if 0 <= at < len(parent):
            del parent[at]
        case "incr" if 0 <= at < len(parent) and _is_number(parent[at]):
            parent[at] += step["value"]
        case _:
            raise _not_found(step)


def _child(parent: Any, name: str, step: dict[str, Any]) -> Any:
    if isinstance(parent, dict) and name in parent:
        return parent[name]
    if isinstance(parent, list) and name.isdigit() and int(name) < len(parent):
        return parent[int(name)]
    raise _not_found(step)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_found(step: dict[str, Any]) -> Refusal:
    return bad_request(f"For Operation({step['op']}): the path {step['path']} is not there, or of another type.")
