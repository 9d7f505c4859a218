"""paCreatePosition, the primitive of today: one call creates, updates or, with amount 0, cancels."""

from types import EllipsisType

import azure.functions as func

from shared.archive import Archive
from shared.domain.callers import Scope
from shared.domain.declarations import Publication
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Notice
from shared.errors import SegregationCodeNotGranted
from shared.http import Request, Response, endpoint
from shared.pa_create_position import (
    Named,
    access_request,
    changes,
    check_number,
    content,
    parse_position,
    position,
    refusal,
)
from shared.routes import route
from shared.telemetry import add_log_context
from shared.wire.headers import JSON
from shared.wire.texts import ParseContext

bp = func.Blueprint()


@route(bp, "aca/v1/paCreatePosition", "POST")
@endpoint(Scope.NOTICES_WRITE, (JSON,), ("segregationCodes",), access_request, refusal)
async def pa_create_position(request: Request, archive: Archive) -> Response:
    """200 with the position as it is now: created, updated or cancelled."""
    institution = await archive.registry.institution(request.institution)
    body = parse_position(request.json, ParseContext(institution.lenient, request.now))
    address, known = await _find(body.named, institution, request, archive)
    if body.amount == 0:
        change = await archive.cancel_position(address, body.iuv, request.write_context())
    else:
        publication = Publication(address, content(body), body.iuv)
        await request.require_access_to_iuv(archive.registry, publication)
        context = request.write_context()
        change = await archive.publish_or_amend(publication, changes(body), institution, context, known)
    return Response(200, position(change.notice, institution, archive.clock()))


async def _find(
    named: Named, institution: CreditorInstitution, request: Request, archive: Archive
) -> tuple[Address, Notice | EllipsisType | None]:
    """Return the address of the notice and, if the IUV led to it, the notice that is stored there."""
    known: Notice | EllipsisType | None = ...
    number = named.number
    if number is None:
        number, known = await archive.find_by_iuv(institution, named.iuv)
    add_log_context(number=number)
    if named.number is None:
        try:
            await request.require_access(archive.registry, number)
        except SegregationCodeNotGranted:
            raise SegregationCodeNotGranted(
                "The IUV leads to a notice number that is not granted to this caller. Correct the IUV, or ask the"
                " operators of the archive for the grant."
            ) from None
    check_number(number, named, lenient=institution.lenient)
    return Address(institution.fiscal_code, number), known
