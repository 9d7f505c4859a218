"""Stand-In: whether a notice can be paid while the system of its institution is down."""

import azure.functions as func

from shared.archive import Archive
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint
from shared.routes import route
from shared.wire.payability import parse_address, payability

bp = func.Blueprint()


@route(bp, "v1/creditor-institutions/{ec}/notices/{nav}/payability", "GET")
@endpoint(Scope.STAND_IN_READ)
async def get_payability(request: Request, archive: Archive) -> Response:
    """200 with all that verify and activate need, or with the fault that the Nodo answers."""
    institution = await archive.registry.institution(request.institution)
    decided = await archive.payability(parse_address(request.number, institution), institution, request.now)
    return Response(200, payability(request.number, decided))
