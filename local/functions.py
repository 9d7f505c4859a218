"""Load the functions of a Function App.

In Azure, one function that cannot be indexed removes the whole app. Here it is an error that names the function. This
host runs HTTP and timer functions that are async and have no other bindings. `tests/functions/test_worker.py` indexes
the app with Microsoft's worker, which has more rules.
"""

import functools
import importlib
import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func


class NotLoadable(Exception):
    """The app cannot be loaded. The message names the function."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    name: str
    user_function: Callable[..., Awaitable[object]]
    trigger: Mapping[str, Any]
    """The binding of the trigger, as in function.json: `type`, `name` and the keys of that type."""

    def call(self, value: object) -> Awaitable[object]:
        """Call the function with the value of its trigger."""
        return self.user_function(**{self.trigger["name"]: value})


def load(app_dir: Path, module: str = "function_app") -> tuple[Function, ...]:
    """Return the functions of the app in a directory. Raises NotLoadable."""
    return tuple(_checked(indexed) for indexed in _indexed(app_dir.resolve(), module))


@functools.cache
def _indexed(app_dir: Path, name: str) -> list[Any]:
    # Cached, because the library can index an app only once in a process.
    if str(app_dir) not in sys.path:
        sys.path.insert(0, str(app_dir))
    module = importlib.import_module(name)
    if module.__file__ is None or Path(module.__file__).resolve().parent != app_dir:
        raise NotLoadable(f"{name} was imported from {module.__file__}, not from {app_dir}")
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise NotLoadable(f"{name} must have exactly one name for exactly one FunctionApp, it has {len(apps)}")
    try:
        return apps[0].get_functions()
    except ValueError as error:
        raise NotLoadable(str(error)) from error


def _checked(indexed: Any) -> Function:
    name, user_function = indexed.get_function_name(), indexed.get_user_function()
    bindings = {binding["name"]: binding for binding in map(json.loads, indexed.get_raw_bindings())}
    bindings.pop("$return", None)
    trigger = next(binding for binding in bindings.values() if binding["type"].endswith("Trigger"))
    parameters = set(inspect.signature(user_function).parameters)

    def check(holds: bool, rule: str) -> None:
        if not holds:
            raise NotLoadable(f"{name}: {rule}")

    check(trigger["type"] in ("httpTrigger", "timerTrigger"), f"this host does not run a {trigger['type']}")
    check(len(bindings) == 1, "this host supports one trigger and the return value, no other binding")
    check(parameters == set(bindings), f"its parameters are {sorted(parameters)}, its bindings {sorted(bindings)}")
    # The archive has no sync functions. A sync function here is usually a decorator that lacks `async`.
    check(inspect.iscoroutinefunction(user_function), "a function and its decorators must be async in this host")
    return Function(name, user_function, trigger)
