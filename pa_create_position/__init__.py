"""paCreatePosition: the primitive institutions call today; one call creates, updates or, with amount 0, cancels."""

from types import EllipsisType

import azure.functions as func

from shared import bootstrap
from shared.domain.callers import Scope
from shared.domain.declarations import Publication
from shared.domain.events import EndReason, WriteContext
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Change, Notice
from shared.errors import NothingToCancel, NoticeCancelled, NoticeNotFound
from shared.http import Request, Response, named_in_body
from shared.pa_create_position import (
    Named,
    changes,
    check_number,
    content,
    parse_position,
    position,
    refusal,
    wanted,
)
from shared.routes import route
from shared.telemetry import add_log_context, loggable
from shared.wire.headers import JSON
from shared.wire.texts import ParseContext

bp = func.Blueprint()


@route(bp, "aca/v1/paCreatePosition", "POST")
@named_in_body(Scope.NOTICES_WRITE, (JSON,), ("segregationCodes",), wanted, refusal)
async def pa_create_position(request: Request) -> Response:
    """200 with the position as it is now: created, updated or cancelled."""
    archive = bootstrap.archive()
    institution = await archive.registry.institution(request.institution)
    body = parse_position(request.value, ParseContext(institution.lenient, request.now))
    address, known = await _find(body.named, institution, request)
    if body.amount == 0:
        change = await _cancel(address, body.iuv, request.write_context())
    else:
        publication = Publication(address, content(body), body.iuv)
        await request.require_iuv(publication)
        change = await archive.publish_or_amend(publication, changes(body), institution, request.write_context(), known)
    return Response(200, position(change.notice, institution, archive.clock()))


async def _find(
    named: Named, institution: CreditorInstitution, request: Request
) -> tuple[Address, Notice | EllipsisType | None]:
    """Return the address of the notice that is named and, where the IUV led to it, what is stored there.

    A number that the IUV leads to must be granted too.
    """
    number: NoticeNumber | None = named.number
    known: Notice | EllipsisType | None = ...
    if number is None:
        number, known = await bootstrap.archive().find_by_iuv(institution, named.iuv)
    add_log_context(**loggable(institution.fiscal_code, number))
    await request.require_number(number)
    check_number(number, named, lenient=institution.lenient)
    return Address(institution.fiscal_code, number), known


async def _cancel(address: Address, iuv: Iuv, context: WriteContext) -> Change:
    """Cancel, and refuse a repetition: clients of this primitive rely on that."""
    try:
        change = await bootstrap.archive().cancel(address, context, end_reason=EndReason.UNSPECIFIED, iuv=iuv)
    except NoticeNotFound:
        raise NothingToCancel from None
    if not change.events:
        raise NoticeCancelled(
            "The position is cancelled already, so there is nothing to do. If the debt still stands, restore it:"
            " POST /api/v1/creditor-institutions/{ec}/notices/{nav}/events with type restored."
        )
    return change
