"""paCreatePosition, the primitive of today: one call creates, updates or, with amount 0, cancels."""

from collections.abc import Mapping
from types import EllipsisType
from typing import Any

import azure.functions as func

from shared import wire
from shared.archive import Archive
from shared.auth import AccessRequest
from shared.domain.callers import Scope
from shared.domain.declarations import Publication
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Notice
from shared.errors import ArchiveError, SegregationCodeNotGranted
from shared.http import Request, Response, endpoint
from shared.routes import route
from shared.telemetry import add_log_context
from shared.wire.headers import JSON

bp = func.Blueprint()


def _parameters() -> tuple[str, ...]:
    return ("segregationCodes",)


def _access_request(value: object, parameters: Mapping[str, str], scope: Scope) -> AccessRequest:
    return wire.positions.access_request(value, parameters, scope)


def _refusal(error: ArchiveError) -> tuple[int, dict[str, Any]]:
    return wire.positions.refusal(error)


@route(bp, "aca/v1/paCreatePosition", "POST")
@endpoint(Scope.NOTICES_WRITE, (JSON,), _parameters, _access_request, _refusal)
async def pa_create_position(request: Request, archive: Archive) -> Response:
    """200 with the position as it is now: created, updated or cancelled."""
    institution = await archive.registry.institution(request.institution)
    body = wire.positions.parse_position(request.json, wire.texts.ParseContext(institution.lenient, request.now))
    address, known = await _find(body.named, institution, request, archive)
    if body.amount == 0:
        change = await archive.cancel_position(address, body.iuv, request.write_context())
    else:
        publication = Publication(address, wire.positions.content(body), body.iuv)
        await request.require_access_to_iuv(archive.registry, publication)
        context = request.write_context()
        change = await archive.publish_or_amend(publication, wire.positions.changes(body), institution, context, known)
    return Response(200, wire.positions.position(change.notice, institution, archive.clock()))


async def _find(
    named: "wire.positions.Named", institution: CreditorInstitution, request: Request, archive: Archive
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
    wire.positions.check_number(number, named, lenient=institution.lenient)
    return Address(institution.fiscal_code, number), known
