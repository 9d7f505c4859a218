"""paCreatePosition: the primitive institutions call today; one call creates, updates or, with amount 0, cancels."""

import azure.functions as func

from shared import bootstrap
from shared.domain.callers import Scope
from shared.domain.declarations import Publication
from shared.domain.events import EndReason
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Change
from shared.errors import IuvIsFixed, NothingToCancel, NoticeCancelled, NoticeNotFound
from shared.http import Request, Response, named_in_body
from shared.pa_create_position import (
    Named,
    changes,
    check_number,
    content,
    position,
    read_position,
    refusal,
    wanted,
)
from shared.wire.headers import JSON
from shared.wire.texts import Reading

bp = func.Blueprint()


@bp.function_name("pa_create_position")
@bp.route(route="aca/v1/paCreatePosition", methods=["POST"])
@named_in_body(Scope.NOTICES_WRITE, (JSON,), wanted, refusal)
async def pa_create_position(request: Request) -> Response:
    """200 with the position as it is now: created, updated or cancelled."""
    archive = bootstrap.archive()
    institution = await archive.registry.institution(request.institution)
    body = read_position(request.value, Reading(institution.lenient, request.now))
    named = body.named
    address = await _address(named, institution, request)
    if body.amount == 0:
        change = await _cancel(address, named, request)
    else:
        publication = Publication(address, content(body), named.iuv)
        change = await archive.publish_or_amend(publication, changes(body), institution, request.act())
    return Response(200, position(change.notice, institution, archive.clock()))


async def _address(named: Named, institution: CreditorInstitution, request: Request) -> Address:
    """Return the address of the notice that is named; a number that the IUV alone names is granted as well."""
    number = named.number
    if number is None:
        number = await bootstrap.archive().number_of(institution, named.iuv)
        if number != f"3{named.iuv}":
            await request.demand(number, Scope.NOTICES_WRITE)
    check_number(number, named.iuv, lenient=institution.lenient)
    return Address(institution.fiscal_code, number)


async def _cancel(address: Address, named: Named, request: Request) -> Change:
    """Cancel, and refuse a repetition: clients of this primitive rely on that."""
    archive = bootstrap.archive()
    try:
        notice = await archive.get(address)
    except NoticeNotFound:
        raise NothingToCancel from None
    if notice.iuv != named.iuv:
        raise IuvIsFixed
    change = await archive.cancel(address, request.act(), end_reason=EndReason.UNSPECIFIED)
    if not change.events:
        raise NoticeCancelled
    return change
