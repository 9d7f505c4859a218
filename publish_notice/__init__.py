"""Publish a notice: PUT of the whole, by its institution and number."""

import azure.functions as func

from shared import bootstrap
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint, show
from shared.routes import route
from shared.wire.bodies import read_json, read_notice
from shared.wire.headers import JSON, read_precondition
from shared.wire.texts import Reading, parse_number

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}", "PUT")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON,))
async def publish_notice(request: Request) -> Response:
    """201 when the notice is new, 200 when it was known, changed or not."""
    archive = bootstrap.archive()
    value, supposed = read_json(request.body), read_precondition(request.headers, may_be_new=True)
    institution = await archive.registry.institution(request.institution)
    reading = Reading(institution.lenient, request.now)
    parse_number(request.number, reading)
    publication, occurred_at = read_notice(value, request.address, reading)
    await request.require_iuv(publication)
    change = await archive.publish(publication, institution, request.act(occurred_at), supposed)
    return show(change.notice, archive.clock(), status=201 if change.publishes else 200)
