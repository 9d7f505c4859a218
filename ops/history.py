"""The command `history`: show what happened to a notice, in the words of a clerk."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Annotated

import typer

from ops.cli import CommandError, JsonOption
from ops.differences import differences
from ops.institutions import unregistered
from ops.opening import open_application
from ops.output import Json, printable, show_one
from ops.parsing import UsageErrors
from ops.views import format_in_rome
from shared.archive import Archive
from shared.bootstrap import utc_now
from shared.domain import lifecycle
from shared.domain.dates import format_instant
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.institutions import CreditorInstitution
from shared.domain.notice import Address, Notice
from shared.domain.terms import Term
from shared.errors import NoticeNotFound, StoreUnavailable
from shared.telemetry import error_chain
from shared.wire import answers

Field = tuple[str, str]

NOT_COMMUNICATED = "The institution has not communicated this notice. Callers do not find it (404)."
_BY_TIME = {passage.event for passage in lifecycle.TIME.values()}
"""The events that are true before they are recorded."""


async def history(
    context: typer.Context,
    institution: Annotated[str, typer.Argument(metavar="EC", help="The fiscal code of the institution, 11 digits.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The number of the notice.")],
    json: JsonOption = False,
) -> None:
    """Show what happened to a notice, oldest first. It can have the data of a debtor."""
    with UsageErrors() as errors:
        code = errors.parse("EC", InstitutionCode.parse, institution)
        # A payment can come for a number that breaks the rules of its institution.
        parsed_number = errors.parse("NUMBER", partial(NoticeNumber.parse, lenient=True), number)
    address = Address(code, parsed_number)
    async with open_application(context) as application:
        registered = await application.registry.institution(code)
        notice, events = await _read(application.archive, address, registered)
    if registered is None and notice.is_communicated:
        raise unregistered(code)
    now = utc_now()
    message = None if notice.is_communicated else NOT_COMMUNICATED
    fields = [*_head(notice, events, registered, now), *_blocks(events)]
    show_one(_json(notice, events, registered, now), fields, message, json=json)


def status_since(notice: Notice, events: Sequence[NoticeEvent], now: datetime) -> datetime:
    """Return the time from which the notice has the status that is true at `now`.

    A declaration counts from when it was recorded, a change that time made from when it became true.
    """
    not_recorded = [at for _, at in lifecycle.passages(notice.status, notice.dates, now)]
    if not_recorded:
        return not_recorded[-1]
    last = events[0]
    for before, after in pairwise(events):
        if before.status_after is not after.status_after:
            last = after
    return last.occurred_at if last.type in _BY_TIME else last.recorded_at


async def _read(
    archive: Archive, address: Address, institution: CreditorInstitution | None
) -> tuple[Notice, Sequence[NoticeEvent]]:
    try:
        return await archive.whole_history(address)
    except NoticeNotFound:
        raise _not_found(address, institution) from None
    except StoreUnavailable:
        raise
    except Exception as error:  # a damaged document can raise any error
        message = f"A document of this notice cannot be read ({error_chain(error)}): call the developers."
        raise CommandError(message, "`events gaps` lists the events that could not be sent.") from error


def _not_found(address: Address, institution: CreditorInstitution | None) -> CommandError:
    """Return the error for a notice that is not there. Raise CommandError if its number cannot be right."""
    if institution is None:
        return unregistered(address.creditor_institution)
    with UsageErrors() as errors:
        errors.parse("NUMBER", partial(NoticeNumber.parse, lenient=institution.lenient), address.number)
    name = printable(institution.name)
    return CommandError(f"The archive has no notice {address.number} of {institution.fiscal_code}, {name}.")


def _head(
    notice: Notice, events: Sequence[NoticeEvent], institution: CreditorInstitution | None, now: datetime
) -> Iterator[Field]:
    """Yield the fields that say which notice it is and in which status."""
    status = notice.status_at(now)
    since = format_in_rome(status_since(notice, events, now))
    name = printable(institution.name) if institution else "not registered"
    yield "institution", f"{notice.address.creditor_institution}, {name}"
    yield "notice", notice.address.number
    yield "status", f"{status} since {since}: {_meaning(status)}"
    yield "times", "in Rome"


def _blocks(events: Sequence[NoticeEvent]) -> Iterator[Field]:
    """Yield the fields of each event, after an empty line."""
    for event in events:
        yield "", ""
        yield f"event {event.version}", f"{event.type}: {_meaning(event.type)}"
        recorded, occurred = format_in_rome(event.recorded_at), format_in_rome(event.occurred_at)
        yield "recorded", recorded
        if occurred != recorded:  # to the second
            yield "occurred", occurred
        yield "by", f"{event.actor.role.replace('_', ' ')} {printable(event.actor.name)}"
        if event.reason is not None:
            yield "reason", printable(event.reason)
        if event.anomaly is not None:
            yield "anomaly", f"{event.anomaly}: {_meaning(event.anomaly)}"
        if changes := differences(event):
            yield "changes", "\n".join(changes)


def _meaning(term: Term) -> str:
    """Return the meaning of a term without the marks of Markdown."""
    return term.meaning.replace("`", "").replace("*", "")


def _json(
    notice: Notice, events: Sequence[NoticeEvent], institution: CreditorInstitution | None, now: datetime
) -> Json:
    return {
        "institution": notice.address.creditor_institution,
        "name": institution.name if institution else None,
        "noticeNumber": notice.address.number,
        "communicated": notice.is_communicated,
        "status": notice.status_at(now),
        "since": format_instant(status_since(notice, events, now)),
        # As over HTTP.
        "items": answers.history(events, None)["items"],
    }
