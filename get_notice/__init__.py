"""Read notices: one, now or as of a moment. What happened to it. Those of an institution."""

import azure.functions as func

from shared import wire
from shared.archive import Archive
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint, notice_response
from shared.routes import route
from shared.wire import answers
from shared.wire.headers import parse_if_none_match

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}", "GET")
@endpoint(Scope.NOTICES_READ, parameters=lambda: wire.queries.AT_PARAMETERS)
async def get_notice(request: Request, archive: Archive) -> Response:
    """200 with the notice, now or (`at`) as it was recorded then; 304 if the client has it already."""
    at, known = wire.queries.parse_at(request.parameters, request.now), parse_if_none_match(request.headers)
    await archive.registry.institution(request.institution)
    address = request.address
    shown = await archive.show(address, request.now) if at is None else await archive.show_as_of(address, at)
    etag = answers.etag(shown)
    return Response(304, etag=etag) if known.includes(etag) else notice_response(shown)


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}/events", "GET")
@endpoint(Scope.NOTICES_READ, parameters=lambda: wire.queries.HISTORY_PARAMETERS)
async def get_history(request: Request, archive: Archive) -> Response:
    """200 with a page of the events of the notice, oldest first."""
    after, limit = wire.queries.parse_history(request.parameters, request.address)
    await archive.registry.institution(request.institution)
    page = await archive.history(request.address, after, limit)
    return Response(200, answers.history(page.events, wire.queries.cursor_of_history(request.address, page)))


@route(bp, "v1/creditor-institutions/{ec}/notices", "GET")
@endpoint(Scope.NOTICES_READ, parameters=lambda: wire.queries.LIST_PARAMETERS)
async def list_notices(request: Request, archive: Archive) -> Response:
    """200 with a page of the institution's notices that are granted to the caller."""
    granted = request.caller.segregation_codes(request.institution)
    search = wire.queries.parse_search(request.parameters, request.institution, granted, request.now)
    await archive.registry.institution(request.institution)
    page = await archive.list(search)
    return Response(200, answers.listing(page.notices, wire.queries.cursor_after(search, page)))
