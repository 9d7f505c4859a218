"""Update a notice: PATCH its content, POST an event."""

import azure.functions as func

from shared import wire
from shared.archive import Archive
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint, notice_response
from shared.routes import route
from shared.wire.headers import JSON, MERGE_PATCH, parse_precondition

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}", "PATCH")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON, MERGE_PATCH))
async def amend_notice(request: Request, archive: Archive) -> Response:
    """200: the named fields changed, the others stayed."""
    value, precondition = wire.parsing.parse_json(request.body), parse_precondition(request.headers)
    institution = await archive.registry.institution(request.institution)
    amendment = wire.parsing.parse_amendment(value, wire.texts.ParseContext(institution.lenient, request.now))
    context = request.write_context(amendment.occurred_at)
    done = await archive.amend(request.address, amendment.changes, institution, context, precondition, amendment.iuv)
    return notice_response(done.shown_at(archive.clock()))


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}/events", "POST")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON,))
async def declare_event(request: Request, archive: Archive) -> Response:
    """200: the notice is cancelled, closed or restored. Again, it changes nothing."""
    value, precondition = wire.parsing.parse_json(request.body), parse_precondition(request.headers)
    institution = await archive.registry.institution(request.institution)
    declared = wire.parsing.parse_life_cycle_event(
        value, request.address, wire.texts.ParseContext(institution.lenient, request.now)
    )
    context = request.write_context(declared.occurred_at, declared.reason)
    done = await archive.declare(request.address, declared.type, context, precondition, declared.replaced_by)
    return notice_response(done.shown_at(archive.clock()))
