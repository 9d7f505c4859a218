"""The development host as an ASGI app: it runs the functions of a FunctionApp in one event loop.

It changes requests and answers in the same way as the host in Azure. It has no function keys, no function timeout, no
limit of concurrent requests, no pages of its own (`/`, `/admin`), and one process. `tests/host_conformance` lists the
other differences, case by case.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from azure.functions import HttpRequest

from local.bodies import Bodies, BodyRefused, BodyTooSlow, Disconnected, TooManyBodies
from local.functions import Function, NotLoadable, load
from local.logs import log_loop_error
from local.queues import QueueTrigger
from local.request import Receive, Scope, Send, make_request, parse_headers, parse_path, split_path
from local.response import (
    FAILED,
    NOT_FOUND,
    STATUSES_WITHOUT_BODY,
    UNAVAILABLE,
    Answer,
    make_answer,
    send_answer,
    with_length,
)
from local.routes import Routes
from local.timers import Timer
from shared import bootstrap
from shared.telemetry import log_bug, log_event

_DRAIN_SECONDS = 5.0
_STOP_SECONDS = 4.0


class Host:
    """Runs the functions of an app. It is an ASGI application."""

    def __init__(
        self,
        functions: Iterable[Function],
        prefix: str,
        *,
        custom_headers: Mapping[str, str] = MappingProxyType({}),
        calls_at_once: int = 16,
        bodies: Bodies | None = None,
    ) -> None:
        by_trigger: dict[str, list[Function]] = {"httpTrigger": [], "timerTrigger": [], "serviceBusTrigger": []}
        for function in functions:
            kind = function.trigger["type"]
            if kind not in by_trigger:
                raise NotLoadable(f"{function.name}: this host does not run a {kind}")
            by_trigger[kind].append(function)
        self._routes = Routes(by_trigger["httpTrigger"], prefix)
        self._timers = [Timer(function) for function in by_trigger["timerTrigger"]]
        self._queues = [QueueTrigger(function, calls_at_once) for function in by_trigger["serviceBusTrigger"]]
        self._tasks: list[asyncio.Task[None]] = []
        self._custom_headers = [(name.lower().encode(), value.encode()) for name, value in custom_headers.items()]
        self._bodies = bodies or Bodies()

    @classmethod
    def load(cls, app_dir: Path, *, module: str = "function_app", bodies: Bodies | None = None) -> "Host":
        """Return a host for the app in a directory, with the settings of its host.json. Raises NotLoadable."""
        try:
            settings = json.loads((app_dir / "host.json").read_text(encoding="utf-8"))
        except ValueError as error:  # In Azure every request would be 503.
            raise NotLoadable("host.json is not JSON") from error
        extensions = settings.get("extensions", {})
        http, service_bus = extensions.get("http", {}), extensions.get("serviceBus", {})
        return cls(
            load(app_dir, module),
            http.get("routePrefix", "api"),
            custom_headers=http.get("customHeaders", {}),
            calls_at_once=service_bus.get("maxConcurrentCalls", 16),
            bodies=bodies,
        )

    async def start(self) -> None:
        """Start the timers, and the queues if the archive of this process has some."""
        asyncio.get_running_loop().set_exception_handler(log_loop_error)
        self._tasks = [asyncio.create_task(timer.run()) for timer in self._timers]
        bus = bootstrap.application().bus if self._queues else None
        if bus is not None:
            self._tasks += [asyncio.create_task(queue.run(bus)) for queue in self._queues]

    async def stop(self) -> None:
        """Stop the timers and queues. What is in work has a few seconds to end."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the server."""
        if scope["type"] == "lifespan":
            await receive()
            await self.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.stop()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], parse_path(scope)
        route = self._routes.find(method, split_path(path))
        if route is None:
            await send_answer(send, method, self._with_custom_headers(NOT_FOUND))
            return
        function, parameters = route
        headers = parse_headers(scope)
        try:
            async with self._bodies.receive(headers, receive) as body:
                # The platform loses a body that has no Content-Length.
                passed_on = body if "content-length" in headers else b""
                answer = await _call(function, make_request(scope, path, headers, parameters, passed_on))
        except Disconnected:
            return
        except BodyRefused as error:
            log_event("body_refused", function=function.name, reason=type(error).__name__)
            refusal = self._with_custom_headers(UNAVAILABLE if isinstance(error, TooManyBodies) else FAILED)
            # With `Expect: 100-continue`, the client has not sent the body yet.
            is_sending = "expect" not in headers and not isinstance(error, BodyTooSlow)
            await _refuse_body(method, refusal, receive if is_sending else None, send)
        else:
            await send_answer(send, method, self._with_custom_headers(answer))

    def _with_custom_headers(self, answer: Answer) -> Answer:
        status, headers, body = answer
        names = {name for name, _ in headers}  # A header of the function takes precedence.
        return status, headers + [header for header in self._custom_headers if header[0] not in names], body


async def _call(function: Function, request: HttpRequest) -> Answer:
    """Call a function and return its answer, or 500 if it fails."""
    try:
        status, headers, body = make_answer(await function.call(request))
        if body and status in STATUSES_WITHOUT_BODY:
            log_event("body_dropped", function=function.name, status=status)
        return status, headers, body
    except Exception as error:  # noqa: BLE001  As in Azure: 500, and a line in the log.
        log_bug("function_failed", error, function=function.name)
        return FAILED


async def _refuse_body(method: str, refusal: Answer, receive: Receive | None, send: Send) -> None:
    """Send the answer, then close the connection.

    A client that is still sending would lose the answer. `receive` takes the rest of its body, for a few seconds.
    """
    headers, body = with_length(method, refusal)
    await send({"type": "http.response.start", "status": refusal[0], "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if receive is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass
