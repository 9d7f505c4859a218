"""Which apps the development host loads: those whose functions it can run."""

from pathlib import Path
from uuid import uuid4

import pytest

from local.functions import Function, NotLoadable, load

APP = """
import functools

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
http = app.route(route="x")
timer = app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
queue = app.service_bus_queue_trigger(arg_name="items", queue_name="q", connection="BUS", cardinality="many")


def through(handler):
    @functools.wraps(handler)
    async def wrapper(**arguments):
        return await handler(**arguments)
    return wrapper


def blindly_through(handler):
    @functools.wraps(handler)
    def wrapper(**arguments):
        return handler(**arguments)
    return wrapper

"""

TAKEN = {
    "a_response": "@http\nasync def f(req: func.HttpRequest) -> func.HttpResponse: ...",
    "no_annotation": "@http\nasync def f(req): ...",
    "a_timer": "@timer\nasync def f(timer: func.TimerRequest) -> None: ...",
    "an_async_wrapper": "@http\n@through\nasync def f(req: func.HttpRequest) -> func.HttpResponse: ...",
}

REFUSED = {
    "a_second_name_for_the_app": ("again = app", "exactly one FunctionApp, it has 2"),
    "no_app": ("del app", "exactly one FunctionApp, it has 0"),
    "two_functions_of_a_name": (
        "@http\nasync def f(req): ...\n@app.route(route='y')\nasync def f(req): ...",
        "does not have a unique",
    ),
    "a_parameter_more": ("@http\nasync def f(req, more=None): ...", "f: its parameters are ['more', 'req']"),
    "a_parameter_less": ("@http\nasync def f(): ...", "f: its parameters are []"),
    "a_context": ("@http\nasync def f(req, context: func.Context): ...", "f: its parameters are"),
    "not_async": ("@http\ndef f(req): ...", "f: a function and its decorators must be async"),
    "a_wrapper_that_is_not_async": (
        "@http\n@blindly_through\nasync def f(req): ...",
        "f: a function and its decorators must be async",
    ),
    "a_queue": ("@queue\nasync def f(items): ...", "f: this host does not run a serviceBusTrigger"),
    "a_second_binding": (
        "@app.queue_output(arg_name='out', queue_name='q', connection='C')\n"
        "@http\nasync def f(req, out: func.Out[str]): ...",
        "no other binding",
    ),
}


def loaded(directory: Path, functions: str) -> tuple[Function, ...]:
    """The functions of an app that is written down, and imported under a name of its own."""
    module = f"app_{uuid4().hex}"
    (directory / f"{module}.py").write_text(APP + functions)
    return load(directory, module)


@pytest.mark.parametrize("name", TAKEN)
def test_a_function_that_this_host_can_run_is_loaded(name: str, tmp_path: Path) -> None:
    (function,) = loaded(tmp_path, TAKEN[name])

    assert function.name == "f"


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_function_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    functions, reason = REFUSED[name]

    with pytest.raises(NotLoadable) as refusal:
        loaded(tmp_path, functions)

    assert reason in str(refusal.value)


def test_a_function_has_its_trigger(tmp_path: Path) -> None:
    request, tick = loaded(tmp_path, "@http\nasync def f(req): ...\n@timer\nasync def g(timer): ...")

    assert (request.trigger["type"], request.trigger["route"]) == ("httpTrigger", "x")
    assert (tick.trigger["type"], tick.trigger["schedule"]) == ("timerTrigger", "0 * * * * *")


def test_an_app_that_was_loaded_can_be_loaded_again(tmp_path: Path) -> None:
    (tmp_path / "app_of_two_hosts.py").write_text(APP + "@http\nasync def f(req): ...")

    assert load(tmp_path, "app_of_two_hosts") == load(tmp_path, "app_of_two_hosts")


def test_an_app_of_another_directory_is_not_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "app_elsewhere.py").write_text(APP)
    load(tmp_path, "app_elsewhere")
    (tmp_path / "here").mkdir()

    with pytest.raises(NotLoadable, match="was imported from"):
        load(tmp_path / "here", "app_elsewhere")
