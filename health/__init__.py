"""Health: can the archive read and write, and are its events sent?"""

import asyncio

import azure.functions as func

from shared import bootstrap
from shared.http import Response, open_endpoint
from shared.routes import route

bp = func.Blueprint()


@route(bp, "v1/health", "GET", "HEAD")
@open_endpoint()
async def health(req: func.HttpRequest) -> Response:
    """200 when the store reads and writes, 503 when it does not. Within a second."""
    application = bootstrap.application()
    _, seconds = await asyncio.gather(application.health.check(), application.relay_health.oldest_unsent_seconds())
    relay = {"oldestUnsentSeconds": seconds}
    return Response(200, {"status": "up", "store": "up", "relay": relay}, headers={"Cache-Control": "no-store"})
