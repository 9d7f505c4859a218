"""Tell whether the archive can work."""

import azure.functions as func

from shared import bootstrap
from shared.http import Response, open_endpoint

bp = func.Blueprint()


@bp.function_name("health")
@bp.route(route="v1/health", methods=["GET"])
@open_endpoint
async def health(req: func.HttpRequest) -> Response:
    """200 when the store answers, 503 when it does not."""
    await bootstrap.archive().store.ping()
    return Response(200, {"status": "up", "store": "up"}, headers={"Cache-Control": "no-store"})
