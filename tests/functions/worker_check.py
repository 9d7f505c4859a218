"""Loads a function app with Microsoft's worker library, as the platform does, and says what came of it.

    python -I worker_check.py APP                                           what was indexed, as JSON
    python -I worker_check.py APP --invoke NAME METHOD URL                  the status of one call
                                  --param KEY=VALUE ...                     with what its route holds

The Python is the one of .venv-worker, isolated (-I) so that nothing of ours is on its path before its own.
Exits 1, with the worker's own words on stderr, when the app cannot be loaded or the call fails.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure_functions_runtime as worker

# The messages between host and worker. A wheel of Microsoft's carries them under a name that our tests have
# too, so they are imported before the app's folder is on the path.
import tests.protos as protos


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("app", type=Path)
    parser.add_argument("--invoke", nargs=3, metavar=("NAME", "METHOD", "URL"))
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    app = asked.app.resolve()
    # Last, as on the platform: there a dependency hides a folder of ours that bears its name.
    sys.path.append(str(app))
    os.chdir(app)
    if asked.invoke:
        name, method, url = asked.invoke
        print(asyncio.run(status_of_call(app, name, method, url, asked.param)))
    else:
        print(json.dumps(asyncio.run(indexed(app)), indent=2))


async def indexed(app: Path) -> list[dict[str, Any]]:
    """Every function the worker offers its host, by name, with its bindings as the host reads them."""
    functions = await load(app)
    return [
        {"name": function.name, "bindings": sorted(map(binding, function.raw_bindings), key=json.dumps)}
        for function in sorted(functions, key=lambda function: str(function.name))
    ]


def binding(raw: str) -> dict[str, Any]:
    """A raw binding with its keys and methods in one order, since theirs is free."""
    read: dict[str, Any] = json.loads(raw)
    return {key: sorted(value) if key == "methods" else value for key, value in sorted(read.items())}


async def load(app: Path) -> list[Any]:
    """The host's first three requests: start and index, say what there is, make each function ready."""
    directory = {"function_app_directory": str(app)}
    start = protos.WorkerInitRequest(host_version="4", **directory)
    succeeded(await worker.worker_init_request(sent(worker_init_request=start)))
    what = protos.FunctionsMetadataRequest(**directory)
    answer = await worker.functions_metadata_request(sent(functions_metadata_request=what))
    succeeded(answer)
    functions = list(answer.function_metadata_results)
    for function in functions:
        ready = protos.FunctionLoadRequest(function_id=function.function_id, metadata=function)
        succeeded(await worker.function_load_request(sent(function_load_request=ready)))
    return functions


async def status_of_call(app: Path, name: str, method: str, url: str, params: Iterable[str]) -> str:
    """Calls a function over HTTP, as the host would, and returns the status it answers."""
    functions = {function.name: function for function in await load(app)}
    if name not in functions:
        sys.exit(f"no function is called {name}")
    trigger = next(raw for raw in map(binding, functions[name].raw_bindings) if raw["type"] == "httpTrigger")
    request = protos.RpcHttp(
        method=method,
        url=url,
        query=dict(parse_qsl(urlsplit(url).query)),
        params=dict(param.split("=", 1) for param in params),
    )
    call = protos.InvocationRequest(
        invocation_id="call",
        function_id=functions[name].function_id,
        input_data=[protos.ParameterBinding(name=trigger["name"], data=protos.TypedData(http=request))],
    )
    worker.start_threadpool_executor()
    answer = await worker.invocation_request(sent(invocation_request=call))
    succeeded(answer)
    return str(answer.return_value.http.status_code)


def sent(**request: Any) -> SimpleNamespace:
    """A message from the host, in the envelope that the worker library takes."""
    message = protos.StreamingMessage(request_id="request", **request)
    return SimpleNamespace(request=message, properties={"protos": protos, "host": "127.0.0.1"})


def succeeded(answer: Any) -> None:
    """Stops with the worker's own words unless it succeeded."""
    if answer.result.status != protos.StatusResult.Success:
        sys.exit(answer.result.exception.message)


if __name__ == "__main__":
    main()
