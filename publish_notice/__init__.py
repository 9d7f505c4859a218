"""Publish a notice: PUT of the whole, by its institution and number."""

import azure.functions as func

from shared import wire
from shared.archive import Archive
from shared.domain.callers import Scope
from shared.domain.notice import Address
from shared.http import Request, Response, endpoint, notice_response
from shared.routes import route
from shared.wire.headers import JSON, parse_precondition

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}", "PUT")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON,))
async def publish_notice(request: Request, archive: Archive) -> Response:
    """201 when the notice is new, 200 when it was known, changed or not."""
    value, precondition = wire.parsing.parse_json(request.body), parse_precondition(request.headers, may_be_new=True)
    institution = await archive.registry.institution(request.institution)
    context = wire.texts.ParseContext(institution.lenient, request.now)
    address = Address(request.institution, wire.texts.parse_number(request.number, context))
    publication, occurred_at = wire.parsing.parse_notice(value, address, context)
    await request.require_access_to_iuv(archive.registry, publication)
    done = await archive.publish(publication, institution, request.write_context(occurred_at), precondition)
    return notice_response(done.shown_at(archive.clock()), status=201 if done.publishes else 200)
