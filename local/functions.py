"""Which functions an app has: imports it, indexes it once, and refuses what Microsoft's worker would refuse.

The worker indexes all or nothing: one function it cannot take, and the whole app is gone once it is deployed.
So its rules are applied here, before, and the function at fault is named. Functions that are not async, that ask for
a context, or that have other bindings than a trigger and a result run there, and not here: the archive has none.
"""

import functools
import importlib
import inspect
import json
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions import meta


class NotLoadable(Exception):
    """Why the worker, or this host, could not run the app; names the function."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app, ready to be called with what its trigger brings."""

    name: str
    user_function: Callable[..., Awaitable[object]]
    trigger: Mapping[str, Any]
    """The trigger's binding, as it would stand in a function.json: `type`, `name` and what its kind adds."""

    def call(self, value: object) -> Awaitable[object]:
        """Call the function with its trigger's value."""
        return self.user_function(**{self.trigger["name"]: value})


def load(app_dir: Path, module: str = "function_app") -> tuple[Function, ...]:
    """Return the functions of the app in a directory, the same each time; raises NotLoadable."""
    return tuple(_checked(indexed) for indexed in _indexed(app_dir.resolve(), module))


@functools.cache
def _indexed(app_dir: Path, name: str) -> list[Any]:
    # Cached, because the library lets an app be indexed once in the life of a process.
    if str(app_dir) not in sys.path:
        sys.path.insert(0, str(app_dir))
    module = importlib.import_module(name)
    if module.__file__ is None or Path(module.__file__).resolve().parent != app_dir:
        raise NotLoadable(f"{name} was imported from {module.__file__}, not from {app_dir}")
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise NotLoadable(f"{name} needs exactly one name for exactly one FunctionApp, it has {len(apps)}")
    try:
        return apps[0].get_functions()
    except ValueError as error:
        raise NotLoadable(str(error)) from error


def _checked(indexed: Any) -> Function:
    name, user_function = indexed.get_function_name(), indexed.get_user_function()

    def demand(holds: bool, rule: str) -> None:
        if not holds:
            raise NotLoadable(f"{name}: {rule}")

    demand(inspect.isfunction(user_function), "a handler is a plain function, not another callable object")
    # The worker would run it in a thread. The archive has none, and a wrapper that is not async is one by mistake.
    demand(inspect.iscoroutinefunction(user_function), "a handler, and what wraps it, is async in this host")

    bindings = {binding["name"]: binding for binding in map(json.loads, indexed.get_raw_bindings())}
    result = bindings.pop("$return", None)
    trigger = next(binding for binding in bindings.values() if binding["type"].endswith("Trigger"))
    demand(len(bindings) == 1, "this host serves a trigger and a return value, no other binding")

    declared = set(inspect.signature(user_function).parameters)
    demand(declared == set(bindings), f"its parameters are {sorted(declared)}, its bindings {sorted(bindings)}")

    try:
        hints = typing.get_type_hints(user_function)
    except NameError as error:
        raise NotLoadable(f"{name}: an annotation cannot be resolved when the app runs: {error}") from error
    if (hint := hints.get(trigger["name"])) is not None:
        demand(_is_type(hint), f"the annotation {hint!r} of {trigger['name']} is no type to the worker")
        demand(_takes(trigger["type"], hint), f"a {trigger['type']} does not bring {hint!r}")
    returned = hints.get("return")
    if result is None:
        demand(returned in (None, types.NoneType), "it returns a value, and has no binding that takes one")
    elif returned is not None:
        demand(isinstance(returned, type), f"the return annotation {returned!r} is no type to the worker")
        demand(_gives(result["type"], returned), f"a binding {result['type']} does not take {returned!r}")
    return Function(name, user_function, trigger)


def _is_type(hint: object) -> bool:
    # typing.List[X] is a type to the worker; list[X], X | None and Optional[X] are not.
    builtin = isinstance(hint, types.GenericAlias | types.UnionType)
    return not builtin and (isinstance(hint, type) or isinstance(typing.get_origin(hint), type))


def _takes(binding: str, hint: object) -> bool:
    converter = _converter(binding)
    return converter is None or hint in (str, bytes) or bool(converter.check_input_type_annotation(hint))


def _gives(binding: str, hint: type) -> bool:
    converter = _converter(binding)
    return converter is None or bool(converter.check_output_type_annotation(hint))


def _converter(binding: str) -> Any:
    registry: Any = meta
    return registry.get_binding_registry().get(binding)
