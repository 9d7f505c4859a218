"""Serve the OpenAPI document, and a page that shows it and sends requests."""

import azure.functions as func

from contract.files import File, contract, page, page_file
from shared.http import Response, open_endpoint
from shared.routes import route
from shared.wire.headers import parse_if_none_match

bp = func.Blueprint()


@route(bp, "openapi.json", "GET")
@open_endpoint()
async def get_contract(req: func.HttpRequest) -> Response:
    """Answer 200 with the OpenAPI document, or 304 if the client has it."""
    return _response(contract(), req)


@route(bp, "docs", "GET")
@open_endpoint()
async def get_contract_page(req: func.HttpRequest) -> Response:
    """Answer 200 with the page. It loads files of the archive only."""
    return _response(page(req.url), req)


@route(bp, "docs/{file}", "GET")
@open_endpoint()
async def get_contract_page_file(req: func.HttpRequest) -> Response:
    """Answer 200 with a script or style sheet of the page."""
    return _response(page_file(req.route_params["file"]), req)


def _response(file: File, req: func.HttpRequest) -> Response:
    if parse_if_none_match(req.headers).includes(file.etag):
        return Response(304, etag=file.etag, headers=file.headers)
    return Response(200, file.content, file.etag, file.headers, file.media_type)
