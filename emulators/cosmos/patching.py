"""Patch a document: the operations of a patch, and its condition."""

from copy import deepcopy
from typing import Any

from emulators.cosmos.refusals import Refusal, bad_request
from emulators.cosmos.sql import condition

STEPS = 10
"""Steps of one patch, at most."""

Json = dict[str, Any]

_OPERATIONS = ("add", "set", "replace", "remove", "incr", "move")
_FIXED = frozenset({"id", "_rid", "_self", "_etag", "_ts"})


def check_condition(patch: Json, document: Json | None) -> None:
    """Refuse with 412 a patch whose `condition` does not hold."""
    text = patch.get("condition") or ""
    if not isinstance(text, str):
        raise bad_request("The condition of a patch is text.")
    if text and not condition(text)(document or {}):
        raise Refusal(412, "PreconditionFailed", "One of the specified pre-condition is not met.")


def patched(document: Json | None, patch: Json) -> tuple[int, Json]:
    """Return the number of the steps, and the document after them. Refuse a step that is not possible."""
    steps = patch.get("operations")
    if not isinstance(steps, list) or not 1 <= len(steps) <= STEPS:
        raise bad_request(f"A patch has a list of 1 to {STEPS} operations.")
    result = deepcopy(document or {})
    for step in steps:
        _check_step(step)
        _do(result, step)
    return len(steps), result


def _check_step(step: object) -> None:
    if not isinstance(step, dict) or step.get("op") not in _OPERATIONS:
        raise bad_request(f"An operation of a patch is one of {', '.join(_OPERATIONS)}.")
    needed = ("path", "from") if step["op"] == "move" else ("path",)
    if not all(isinstance(step.get(name), str) and step[name][:1] == "/" for name in needed):
        raise bad_request("The path of an operation of a patch begins with a slash.")
    if step["op"] not in ("remove", "move") and "value" not in step:
        raise bad_request("The operation of a patch has no value.")
    if step["op"] == "incr" and not _is_number(step["value"]):
        raise bad_request("The value of an increment is a number.")


def _do(document: Json, step: Json) -> None:
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


def _taken(document: Json, step: Json) -> Any:
    """Remove the value at `from` of a move, and return it."""
    *above, name = _path(step["from"])
    parent: Any = document
    for part in above:
        parent = _child(parent, part, step)
    value = _child(parent, name, step)
    _do(document, {"op": "remove", "path": step["from"]})
    return value


def _path(text: str) -> list[str]:
    return [name.replace("~1", "/").replace("~0", "~") for name in text.strip("/").split("/")]


def _do_in_object(parent: Json, name: str, step: Json) -> None:
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


def _do_in_list(parent: list[Any], name: str, step: Json) -> None:
    at = len(parent) if name == "-" else int(name) if name.isdecimal() else -1
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


def _child(parent: Any, name: str, step: Json) -> Any:
    if isinstance(parent, dict) and name in parent:
        return parent[name]
    if isinstance(parent, list) and name.isdecimal() and int(name) < len(parent):
        return parent[int(name)]
    raise _not_found(step)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_found(step: Json) -> Refusal:
    return bad_request(f"For Operation({step['op']}): the path {step['path']} is not there, or of another type.")
