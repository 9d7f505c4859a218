"""List the notices that a debtor can pay (pull payments), for the services through which citizens pay."""

import azure.functions as func

from shared import wire
from shared.archive import Archive
from shared.domain.callers import Scope
from shared.http import Request, Response, endpoint
from shared.routes import route
from shared.wire import answers

bp = func.Blueprint()


@route(bp, "v1/debtors/notices", "GET")
@endpoint(Scope.DEBTORS_READ, parameters=lambda: wire.debtors.PARAMETERS)
async def list_open_notices(request: Request, archive: Archive) -> Response:
    """200 with a page of the notices that the debtor can pay now, by due date."""
    lists = archive.debtor_lists
    search = wire.debtors.parse_search(request.headers, request.parameters, request.now, lists.hashes)
    page = await lists.page(search, request.caller)
    return Response(200, answers.listing(page.notices, wire.debtors.cursor_after(search, page)))
