"""Which apps the development host loads: those Microsoft's worker indexes, and no other."""

from pathlib import Path
from uuid import uuid4

import pytest

from local.functions import Function, NotLoadable, load

APP = """
import functools
from typing import List, Optional, TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from decimal import Decimal

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
    "a_text_as_a_result": "@http\nasync def f(req: func.HttpRequest) -> str: ...",
    "no_annotation": "@http\nasync def f(req): ...",
    "a_timer": "@timer\nasync def f(timer: func.TimerRequest) -> None: ...",
    "a_typing_list": "@queue\nasync def f(items: List[func.ServiceBusMessage]) -> None: ...",
    "an_async_wrapper": "@http\n@through\nasync def f(req: func.HttpRequest) -> func.HttpResponse: ...",
}

REFUSED = {
    "a_second_name_for_the_app": ("again = app", "exactly one FunctionApp, it has 2"),
    "no_app": ("del app", "exactly one FunctionApp, it has 0"),
    "two_functions_of_a_name": (
        "@http\nasync def f(req): ...\n@app.route(route='y')\nasync def f(req): ...",
        "does not have a unique",
    ),
    "a_parameter_more": ("@http\nasync def f(req, more=None): ...", "its parameters are ['more', 'req']"),
    "a_parameter_less": ("@http\nasync def f(): ...", "its parameters are []"),
    "a_name_only_a_type_checker_sees": ("@http\nasync def f(req: 'Decimal'): ...", "an annotation"),
    "a_builtin_list": ("@queue\nasync def f(items: list[func.ServiceBusMessage]) -> None: ...", "no type"),
    "an_optional_result": ("@http\nasync def f(req) -> Optional[func.HttpResponse]: ...", "no type"),
    "a_union_as_a_result": ("@http\nasync def f(req) -> func.HttpResponse | None: ...", "no type"),
    "a_number_as_a_result": ("@http\nasync def f(req) -> int: ...", "a binding http does not take"),
    "a_request_from_a_timer": (
        "@timer\nasync def f(timer: func.HttpRequest): ...",
        "a timerTrigger does not",
    ),
}

FAILING = {
    "a_result_of_a_timer": ("@timer\nasync def f(timer) -> str: ...", "it returns a value"),
    "a_wrapper_that_is_not_async": ("@http\n@blindly_through\nasync def f(req): ...", "is async in"),
}

NOT_SERVED = {
    "not_async": ("@http\ndef f(req): ...", "is async in this host"),
    "a_context": ("@http\nasync def f(req, context: func.Context): ...", "its parameters are"),
}


def loaded(directory: Path, functions: str) -> tuple[Function, ...]:
    """The functions of an app that is written down, and imported under a name of its own."""
    module = f"app_{uuid4().hex}"
    (directory / f"{module}.py").write_text(APP + functions)
    return load(directory, module)


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_worker_takes_is_loaded(name: str, tmp_path: Path) -> None:
    (function,) = loaded(tmp_path, TAKEN[name])

    assert function.name == "f"


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_worker_refuses_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    functions, reason = REFUSED[name]

    with pytest.raises(NotLoadable) as refusal:
        loaded(tmp_path, functions)

    assert reason in str(refusal.value)


@pytest.mark.parametrize("name", [*FAILING, *NOT_SERVED])
def test_functions_that_always_fail_or_that_this_host_does_not_serve_are_refused(name: str, tmp_path: Path) -> None:
    functions, reason = {**FAILING, **NOT_SERVED}[name]

    with pytest.raises(NotLoadable, match=f"f: .*{reason}"):
        loaded(tmp_path, functions)


def test_a_binding_this_host_does_not_serve_is_refused(tmp_path: Path) -> None:
    output = "@app.queue_output(arg_name='out', queue_name='q', connection='C')\n"

    with pytest.raises(NotLoadable, match=r"f: .*no other binding"):
        loaded(tmp_path, output + "@http\nasync def f(req, out: func.Out[str]): ...")


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
