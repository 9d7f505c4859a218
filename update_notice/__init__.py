"""Update a notice: PATCH what it says, POST what happened to it."""

import azure.functions as func

from shared import bootstrap
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint, show
from shared.routes import route
from shared.wire.bodies import read_amendment, read_json, read_life_cycle
from shared.wire.headers import JSON, MERGE_PATCH, read_precondition
from shared.wire.texts import Reading

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}", "PATCH")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON, MERGE_PATCH))
async def amend_notice(request: Request) -> Response:
    """200: the named fields changed, the others stayed."""
    archive = bootstrap.archive()
    value, supposed = read_json(request.body), read_precondition(request.headers)
    institution = await archive.registry.institution(request.institution)
    amendment = read_amendment(value, Reading(institution.lenient, request.now))
    act = request.act(amendment.occurred_at)
    change = await archive.amend(request.address, amendment.changes, institution, act, supposed, amendment.iuv)
    return show(change.notice, archive.clock())


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}/events", "POST")
@endpoint(Scope.NOTICES_WRITE, accepts=(JSON,))
async def declare_event(request: Request) -> Response:
    """200: the notice is cancelled, closed or restored; again, it changes nothing."""
    archive = bootstrap.archive()
    value, supposed = read_json(request.body), read_precondition(request.headers)
    institution = await archive.registry.institution(request.institution)
    declared = read_life_cycle(value, request.address, Reading(institution.lenient, request.now))
    act = request.act(declared.occurred_at, declared.reason)
    if declared.type == "cancelled":
        change = await archive.cancel(request.address, act, supposed, declared.replaced_by)
    elif declared.type == "closed":
        change = await archive.close(request.address, act, supposed)
    else:
        change = await archive.restore(request.address, act, supposed)
    return show(change.notice, archive.clock())
