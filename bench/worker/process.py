"""The process of one side: loads an app with the worker library, and calls its functions as the host does.

    python -I process.py APP

It reads commands from standard input, one JSON object a line, and writes one JSON object for each:

    {"ask": [method, path, headers, body]}             status, headers and body of the answer
    {"run": [[method, path, headers, body], ...],      how long it took, and the CPU of this process meanwhile
     "at_once": 32}
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(__file__).parents[2]
HOST = "http://localhost:7071"

# It brings Microsoft's messages, from a package that is called `tests` too. So it comes before our folder.
sys.path.append(str(ROOT / "tests" / "functions"))
worker_check = import_module("worker_check")
sys.path.append(str(ROOT))

import azure_functions_runtime as worker  # noqa: E402

from local.routes import Routes  # noqa: E402

protos = worker_check.protos
PROPERTIES = {"protos": protos, "host": "127.0.0.1"}
_MOST_OF_A_LINE = 2**28


class App:
    """An app in the worker: finds the function of a request, as the host would, and calls it."""

    def __init__(self, functions: list[Any], prefix: str) -> None:
        self._ids = {str(function.name): str(function.function_id) for function in functions}
        self._routes = Routes([*_http_functions(functions)], prefix)

    @classmethod
    async def loaded(cls, folder: Path) -> "App":
        """Load the app in a folder."""
        # Before ours, which has another app.
        sys.path[-1:] = [str(folder), str(ROOT)]
        os.chdir(folder)
        functions = await worker_check.load(folder)
        worker.start_threadpool_executor()
        http = json.loads((folder / "host.json").read_text(encoding="utf-8")).get("extensions", {}).get("http", {})
        return cls(functions, http.get("routePrefix", "api"))

    def message(self, method: str, target: str, headers: dict[str, str], body: str | None) -> bytes:
        """Return the message of the host for a request, as it comes over gRPC."""
        path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        found = self._routes.find(method, path.strip("/").split("/"))
        assert found is not None, "each app has a function for all addresses"
        function, parameters = found
        content = (body or "").encode(errors="surrogateescape")
        sent = {"Host": "localhost", **headers, **({} if body is None else {"Content-Length": str(len(content))})}
        http = protos.RpcHttp(method=method, url=HOST + target, headers=sent, params=parameters, query=query)
        if content:
            http.body.bytes = content
        trigger = protos.ParameterBinding(name=function.trigger["name"], data=protos.TypedData(http=http))
        call = protos.InvocationRequest(
            invocation_id="call", function_id=self._ids[function.name], input_data=[trigger]
        )
        serialised: bytes = protos.StreamingMessage(request_id="request", invocation_request=call).SerializeToString()
        return serialised

    async def call(self, message: bytes) -> Any:
        """Call the function that a message is for. Return its answer."""
        request = SimpleNamespace(request=protos.StreamingMessage.FromString(message), properties=PROPERTIES)
        answer = await worker.invocation_request(request)
        answer.SerializeToString()
        return answer


async def main(folder: Path) -> None:
    """Carry out the commands until the input ends."""
    app = await App.loaded(folder)
    lines = asyncio.StreamReader(limit=_MOST_OF_A_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        result = await _ask(app, *command["ask"]) if "ask" in command else await _run(app, **command)
        print(json.dumps(result), flush=True)
    os._exit(0)  # threads of the app may still wait


async def _ask(app: App, *request: Any) -> dict[str, Any]:
    answer = await app.call(app.message(*request))
    worker_check.succeeded(answer)
    http = answer.return_value.http
    body = http.body.bytes or http.body.string.encode()
    return {"status": int(http.status_code), "headers": dict(http.headers), "body": body.decode()}


async def _run(app: App, run: list[list[Any]], at_once: int) -> dict[str, float]:
    """Call the functions of some requests, so many at once."""
    left, failures = iter([app.message(*request) for request in run]), 0

    async def some() -> None:
        nonlocal failures
        for message in left:
            answer = await app.call(message)
            failures += answer.return_value.http.status_code not in ("200", "201")

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "failures": failures}


def _http_functions(functions: list[Any]) -> Iterator[Any]:
    for function in functions:
        for trigger in map(worker_check.binding, function.raw_bindings):
            if trigger["type"] == "httpTrigger":
                yield SimpleNamespace(name=str(function.name), trigger=trigger)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
