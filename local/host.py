"""The host as a raw ASGI app: HTTP and timer functions of one FunctionApp, called on its own loop.

It does what the real host does around a function, and no more. It asks for no keys, as Core Tools does not. It has no
limit of time for a function, no limit of requests at once, no pages of its own (`/`, `/admin`), and one process.
tests/host_conformance names, case by case, where it answers otherwise than the real host.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from azure.functions import HttpRequest

from local.bodies import Bodies, BodyRefused, BodyTooSlow, Disconnected, TooManyBodies
from local.functions import Function, NotLoadable, load
from local.logs import log_loop_error
from local.request import Receive, Scope, Send, headers_of, path_of, request_of, segments_of
from local.response import FAILED, NOT_FOUND, OVERLOADED, WITHOUT_BODY, Answer, answer_of, framed, send_answer
from local.routes import Routes
from local.timers import Clock, Sleep, Timer
from shared.bootstrap import utc_now
from shared.telemetry import log_bug, log_event

Step = Callable[[], Awaitable[None]]
"""Something to be done at the start or the end of the host's life."""

log = logging.getLogger("local")

_DRAIN_SECONDS = 5.0
_STOP_SECONDS = 1.0


class Host:
    """Runs the functions of an app; an ASGI application."""

    def __init__(
        self,
        functions: Iterable[Function],
        prefix: str,
        *,
        custom_headers: Mapping[str, str] = MappingProxyType({}),
        on_start: Iterable[Step] = (),
        on_stop: Iterable[Step] = (),
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        bodies: Bodies | None = None,
    ) -> None:
        self._bodies = bodies or Bodies()
        self._custom_headers = [(name.lower().encode(), value.encode()) for name, value in custom_headers.items()]
        self._on_start, self._on_stop = tuple(on_start), tuple(on_stop)
        self._tasks: list[asyncio.Task[None]] = []
        self._timers: list[Timer] = []
        routes = []
        for function in functions:
            kind = function.trigger["type"]
            if kind == "httpTrigger":
                template = f"{prefix}/{function.trigger['route'].strip('/')}"
                routes.append((template, function.trigger.get("methods"), function))
            elif kind == "timerTrigger":
                self._timers.append(Timer(function, clock, sleep))
            else:
                log.warning("%s is not run here: this host has no %s", function.name, kind)
        self._routes = Routes(routes)

    @classmethod
    def load(
        cls,
        app_dir: Path,
        *,
        module: str = "function_app",
        on_start: Iterable[Step] = (),
        on_stop: Iterable[Step] = (),
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        bodies: Bodies | None = None,
    ) -> "Host":
        """Return a host for the app in a directory, with its host.json's settings for HTTP; raises NotLoadable."""
        try:
            settings = json.loads((app_dir / "host.json").read_text(encoding="utf-8"))
        except ValueError as error:  # The platform answers 503 for ever.
            raise NotLoadable("host.json is not JSON") from error
        http = settings.get("extensions", {}).get("http", {})
        return cls(
            load(app_dir, module),
            http.get("routePrefix", "api"),
            custom_headers=http.get("customHeaders", {}),
            on_start=on_start,
            on_stop=on_stop,
            clock=clock,
            sleep=sleep,
            bodies=bodies,
        )

    async def start(self) -> None:
        """Do what is to be done first, in order, then start the timers."""
        asyncio.get_running_loop().set_exception_handler(log_loop_error)
        for step in self._on_start:
            await step()
        self._tasks = [asyncio.create_task(timer.run()) for timer in self._timers]

    async def stop(self) -> None:
        """Stop the timers, within a second even where a run goes on, then do what is to be done last."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        for step in self._on_stop:
            await step()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], path_of(scope)
        found = self._routes.find(method, segments_of(path))
        if found is None:
            await send_answer(send, method, self._with_custom_headers(NOT_FOUND))
            return
        function, values = found
        headers = headers_of(scope)
        try:
            async with self._bodies.read(headers, receive) as body:
                request = request_of(scope, path, headers, values, _handed_over(body, headers))
                answer = await _called(function, request)
        except Disconnected:
            return
        except BodyRefused as error:
            log_event("body_refused", function=function.name, reason=type(error).__name__)
            refusal = self._with_custom_headers(OVERLOADED if isinstance(error, TooManyBodies) else FAILED)
            # A client that asks before it sends has sent nothing.
            is_sending = "expect" not in headers and not isinstance(error, BodyTooSlow)
            await _refuse_body(method, refusal, receive if is_sending else None, send)
        else:
            await send_answer(send, method, self._with_custom_headers(answer))

    def _with_custom_headers(self, answer: Answer) -> Answer:
        status, headers, body = answer
        names = {name for name, _ in headers}  # The header of a function wins.
        return status, [*headers, *(header for header in self._custom_headers if header[0] not in names)], body

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:  # noqa: BLE001  The server is told, and ends.
            log_bug("start_failed", error)
            await send({"type": "lifespan.startup.failed", "message": f"The host cannot start: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _handed_over(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the body as a function gets it: the platform hands none over that comes without Content-Length."""
    return body if "content-length" in headers else b""


async def _called(function: Function, request: HttpRequest) -> Answer:
    """Return the answer of a function to a request."""
    try:
        status, headers, body = answer_of(await function.call(request))
        if body and status in WITHOUT_BODY:
            log_event("body_dropped", function=function.name, status=status)
        return status, headers, body
    except Exception as error:  # noqa: BLE001  On the platform too it is a 500 and a line in the log.
        log_bug("function_failed", error, function=function.name)
        return FAILED


async def _refuse_body(method: str, refusal: Answer, receive: Receive | None, send: Send) -> None:
    """Answer and close. A client that is still sending would lose the answer, so `receive` reads on for a while."""
    lines, body = framed(method, refusal)
    await send({"type": "http.response.start", "status": refusal[0], "headers": [*lines, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if receive is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass
