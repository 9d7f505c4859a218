"""The app in the hands of Microsoft's worker library: what it indexes, what it refuses, a call end to end."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from shared.messages import entities
from tests.functions.worker import ROOT, worker_python

INDEXED = Path(__file__).with_name("indexed.json")

SOUND = """
from typing import List

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("greet")
@app.route(route="greetings/{name}", methods=["GET"])
async def greet(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=200 if req.route_params["name"] == "anna" else 404)


@app.function_name("count")
@app.service_bus_queue_trigger(arg_name="messages", queue_name="q", connection="BUS", cardinality="many")
async def count(messages: List[func.ServiceBusMessage]) -> None:
    pass
"""


def ask_worker(app: Path, *asked: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs worker_check.py on an app, in a process apart: the worker carries a `tests` package of its own."""
    check = Path(__file__).with_name("worker_check.py")
    command = [str(worker_python()), "-I", str(check), str(app), *asked]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)


def written(app: Path, source: str) -> Path:
    (app / "function_app.py").write_text(source)
    (app / "host.json").write_text('{"version": "2.0"}')
    return app


def test_the_worker_indexes_what_is_written_down_and_nothing_else() -> None:
    answer = ask_worker(ROOT)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == json.loads(INDEXED.read_text()), "`make indexed` writes it anew."


def test_the_queues_that_functions_are_called_for_are_queues_of_the_bus() -> None:
    triggers = [each["bindings"][0] for each in json.loads(INDEXED.read_text())]

    queues = {trigger["queueName"] for trigger in triggers if trigger["type"] == "serviceBusTrigger"}

    assert queues
    assert queues <= entities()["queues"].keys()


def test_health_answers_a_call_through_the_worker(tmp_path: Path) -> None:
    url = "http://localhost/api/v1/health"

    answer = ask_worker(ROOT, "--invoke", "health", "GET", url, ARCHIVE_STORE=f"sqlite:{tmp_path}/archive.db")

    assert (answer.stdout, answer.returncode) == ("200\n", 0), answer.stderr


def test_a_file_of_the_contracts_page_answers_a_call_through_the_worker() -> None:
    name, url = "swagger-ui-bundle.js", "http://localhost/api/docs/swagger-ui-bundle.js"

    answer = ask_worker(ROOT, "--invoke", "get_contract_page_file", "GET", url, "--param", f"file={name}")

    assert (answer.stdout, answer.returncode) == ("200\n", 0), answer.stderr


def test_a_sound_app_is_indexed(tmp_path: Path) -> None:
    answer = ask_worker(written(tmp_path, SOUND))

    assert [function["name"] for function in json.loads(answer.stdout)] == ["count", "greet"]


def test_the_app_of_the_host_conformance_is_indexed() -> None:
    answer = ask_worker(ROOT / "tests" / "host_conformance" / "app")

    assert [function["name"] for function in json.loads(answer.stdout)][-1] == "zz_rest"


def test_a_call_carries_what_its_route_holds(tmp_path: Path) -> None:
    app = written(tmp_path, SOUND)

    answer = ask_worker(app, "--invoke", "greet", "GET", "http://localhost/api", "--param", "name=anna")

    assert answer.stdout == "200\n"


def test_a_call_that_raises_fails(tmp_path: Path) -> None:
    app = written(tmp_path, SOUND)

    answer = ask_worker(app, "--invoke", "greet", "GET", "http://localhost/api")

    assert answer.returncode == 1
    assert "KeyError" in answer.stderr


@pytest.mark.parametrize(
    ("sound", "broken", "says"),
    [
        ("-> func.HttpResponse:", "-> func.HttpResponse | None:", "invalid non-type return annotation"),
        ("List[func.ServiceBusMessage]", "list[func.ServiceBusMessage]", "invalid non-type annotation"),
        ("(req: func.HttpRequest)", "(req: func.HttpRequest, clock: str = '')", "clock"),
        ('@app.function_name("count")', '@app.function_name("greet")', "greet"),
        ("\n\n\n@app", "\nfunction_app = app\n@app", "More than one FunctionApp"),
        ("import azure.functions as func", "import azure.functions as func, nowhere", "nowhere"),
    ],
    ids=[
        "a return type that may be None",
        "a list without typing on a trigger's parameter",
        "a parameter without a binding",
        "two functions of one name",
        "two names for the app",
        "an import that fails",
    ],
)
def test_an_app_the_worker_refuses_fails_whole(tmp_path: Path, sound: str, broken: str, says: str) -> None:
    assert sound in SOUND

    answer = ask_worker(written(tmp_path, SOUND.replace(sound, broken, 1)))

    assert (answer.stdout, answer.returncode) == ("", 1)
    assert says in answer.stderr


def test_an_app_without_a_store_is_indexed_whole_and_says_in_the_log_why_it_answers_503() -> None:
    answer = ask_worker(ROOT, ARCHIVE_STORE="")

    assert json.loads(answer.stdout) == json.loads(INDEXED.read_text())
    assert "No store is named" in answer.stderr
