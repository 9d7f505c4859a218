"""A Function App that answers every request with the same bytes: the limit of what any app can reach there."""

import os
from pathlib import Path

import azure.functions as func

body = Path(os.environ["CONSTANT_BODY"]).read_bytes()
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("{*path}")
async def constant(req: func.HttpRequest) -> func.HttpResponse:
    """200 with the bytes."""
    return func.HttpResponse(body, headers={"ETag": '"1-ACTIVE"'}, mimetype="application/json")
