"""The contract of the archive: the OpenAPI document, and a page on which it is read and tried out."""

import azure.functions as func

from contract.files import File, contract, page, page_file
from shared.http import Response, open_endpoint
from shared.routes import route
from shared.wire.headers import parse_if_none_match

bp = func.Blueprint()


@route(bp, "openapi.json", "GET")
@open_endpoint()
async def get_contract(req: func.HttpRequest) -> Response:
    """200 with the OpenAPI document; 304 when the client has it already."""
    return _sent(contract(), req)


@route(bp, "docs", "GET")
@open_endpoint()
async def get_contract_page(req: func.HttpRequest) -> Response:
    """200 with a page that shows the contract and sends requests; it loads nothing from elsewhere."""
    return _sent(page(req.url), req)


@route(bp, "docs/{file}", "GET")
@open_endpoint()
async def get_contract_page_file(req: func.HttpRequest) -> Response:
    """200 with a script or style sheet of the page."""
    return _sent(page_file(req.route_params["file"]), req)


def _sent(file: File, req: func.HttpRequest) -> Response:
    if parse_if_none_match(req.headers).includes(file.etag):
        return Response(304, etag=file.etag, headers=file.headers)
    return Response(200, file.content, file.etag, file.headers, file.media_type)
