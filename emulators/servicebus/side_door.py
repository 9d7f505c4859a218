"""Control a double that runs as a process of its own: HTTP on a port of its own, with JSON, on loopback only.

PUT faults (a list of rules, in place of those in force), POST cut, POST refuse, POST advance, GET counts/<path of a
queue>, GET log, DELETE log: all of them below `/_double/`.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from emulators.servicebus.faults import Fault
from emulators.servicebus.refusals import NOT_FOUND, Refusal

if TYPE_CHECKING:
    from emulators.servicebus.double import ServiceBusDouble

PREFIX = "/_double/"


@asynccontextmanager
async def side_door(double: "ServiceBusDouble", host: str, port: int) -> AsyncIterator[int]:
    """Serve the side door of a double until the end of the block, and yield its port. Raises OSError."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        status, answer = _answer(double, request.method, request.path, body)
        return web.json_response(answer, status=status)

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _answer(double: "ServiceBusDouble", method: str, path: str, body: bytes) -> tuple[int, object]:
    command, _, rest = path.removeprefix(PREFIX).partition("/")
    try:
        return 200, _carry_out(double, f"{method} {command}", rest, json.loads(body or b"{}"))
    except Refusal as refusal:
        return refusal.status, {"code": refusal.condition, "message": refusal.description}
    except (AttributeError, TypeError, ValueError) as error:
        return 400, {"code": "BadRequest", "message": f"The double cannot do that: {error}"}


def _carry_out(double: "ServiceBusDouble", command: str, path: str, given: Any) -> object:
    match command:
        case "PUT faults":
            rules = [Fault(**rule) for rule in given]
            double.faults.clear()
            double.inject(*rules)
            return {"rules": len(rules)}
        case "POST cut":
            return {"connections": double.cut()}
        case "POST refuse":
            double.refuse_connections(**given)
            return {}
        case "POST advance":
            double.advance(**given)
            return {}
        case "GET counts":
            return asdict(double.counts(path))
        case "GET log":
            return {"operations": [asdict(operation) for operation in double.log]}
        case "DELETE log":
            double.log.clear()
            return {}
    raise Refusal(NOT_FOUND, f"The double knows no {command}.")
