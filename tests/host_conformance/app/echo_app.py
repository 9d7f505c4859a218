"""A function app that answers with what it received, and in every other way in which a function can answer."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def seen(req: func.HttpRequest) -> func.HttpResponse:
    """Return what the function received; each character of `body` is one byte."""
    received = {
        "method": req.method,
        "target": "/" + req.url.partition("://")[2].partition("/")[2],
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(received), mimetype="application/json")


@app.route(route="echo/{value}", methods=["GET", "POST", "PUT"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answer three methods."""
    return seen(req)


@app.route(route="rest/{*path}")
async def zz_rest(req: func.HttpRequest) -> func.HttpResponse:
    """Answer every method at every address below."""
    return seen(req)


@app.route(route="keyed", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    """Answer only with a key of the platform."""
    return seen(req)


@app.route(route="results/{kind}", methods=["GET"])
async def results(req: func.HttpRequest):  # type: ignore[no-untyped-def]  # The worker would refuse the annotation.
    """Return something else than a response."""
    found = {"text": "perch\u00e9", "none": None, "bytes": b"a", "object": {"a": 1}, "number": 7}
    return found[req.route_params["kind"]]


@app.route(route="statuses/{status}", methods=["GET"])
async def statuses(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with a status, and with a body if the query has one."""
    return func.HttpResponse(req.params.get("body"), status_code=int(req.route_params["status"]))


@app.route(route="headers/{name}", methods=["GET", "HEAD"])
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with a header, once for each value of the query."""
    answer = func.HttpResponse("twelve bytes")
    for part in req.params.get("values", "").split("|"):
        answer.headers.add(req.route_params["name"], part)
    return answer
