"""What the declarer of a notice says of it: published, amended, cancelled, closed, restored.

A declaration is checked in this order: is the notice there, the precondition, the origin, is a later one known, the
table of the life cycle, the dates. One that would change nothing changes nothing, and makes no event.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain import lifecycle
from shared.domain.content import Changes, Content
from shared.domain.dates import format_instant
from shared.domain.events import EndReason, Origin, WriteContext
from shared.domain.facts import apply_earlier_payments
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.institutions import RegisteredIban
from shared.domain.lifecycle import Becomes, EventType, Outcome, Rule
from shared.domain.notice import Address, Change, Notice, status_by_dates
from shared.domain.texts import as_known
from shared.errors import (
    DueDateInPast,
    IuvIsFixed,
    ManagedByEc,
    ManagedByGpd,
    NoticeNotFound,
    PreconditionFailed,
    StaleDeclaration,
)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the client supposes of the notice.

    `is_new`: nobody published it (If-None-Match: *). `versions`: it is at one of these (If-Match); None supposes
    nothing. `exists`: it is there at any version (If-Match: *).
    """

    is_new: bool = False
    exists: bool = False
    versions: frozenset[int] | None = None

    def check(self, known: Notice | None) -> None:
        """Raise PreconditionFailed unless the notice is as precondition."""
        if known is None:
            if self.exists or self.versions is not None:
                raise PreconditionFailed("There is no such notice yet. Repeat the request without If-Match.")
        elif self.is_new:
            raise PreconditionFailed("The notice exists already. GET it, or repeat the request without If-None-Match.")
        elif self.versions is not None and known.version not in self.versions:
            raise PreconditionFailed(
                f"The notice is at version {known.version}. GET it and repeat the request with its new ETag."
                if self.versions
                else 'No tag in If-Match is an ETag of the archive. Send one as it came, quotes included: "3-ACTIVE".'
            )


ANYTHING = Precondition()


@dataclass(frozen=True, slots=True)
class Publication:
    """A whole notice as its declarer states it. `iuv` is None when left to the number; the IBAN is settled."""

    address: Address
    content: Content
    iuv: Iuv | None = None

    @property
    def full_iuv(self) -> Iuv:
        """Return the IUV of the notice, given or contained in its number."""
        return self.iuv or self.address.number.iuv

    @property
    def needs_claim(self) -> bool:
        """Tell whether the number is another one than `3` and the IUV, so that the IUV alone does not lead to it."""
        return self.full_iuv.number != self.address.number


def publish(
    known: Notice | None, publication: Publication, context: WriteContext, precondition: Precondition = ANYTHING
) -> Change:
    """Publish a notice, or state a known one anew; publishing it again is harmless.

    Raises PreconditionFailed, DueDateInPast, and what the life cycle refuses.
    """
    communicated = known if known and known.is_communicated else None
    precondition.check(communicated)
    if communicated is None:
        return _publish_first(known, publication, context)
    _refuse_another_origin(communicated, context)
    _refuse_another_iuv(communicated, publication.iuv)
    context = _in_order(communicated.content_at, context)
    change, _ = _admitted(communicated, EventType.PUBLISHED, context)
    return _stated(change, communicated, publication.content.sent_back(_content(communicated)), context)


def amend(
    known: Notice | None,
    changes: Changes,
    default: RegisteredIban | None,
    context: WriteContext,
    precondition: Precondition = ANYTHING,
    iuv: Iuv | None = None,
    *,
    refresh_iban: bool = False,
) -> Change:
    """Change the named fields of a notice and keep the others; `default` is the institution's IBAN of the moment.

    `refresh_iban`: an IBAN that the registry gave is taken from it anew, although nothing else changes.
    Raises NoticeNotFound, PreconditionFailed, IuvIsFixed, InvalidBody, NoIbanRegistered, DueDateInPast, and what the
    life cycle refuses.
    """
    notice = _declared(known, context, precondition)
    _refuse_another_iuv(notice, iuv)
    context = _in_order(notice.content_at, context)
    change, _ = _admitted(notice, EventType.AMENDED, context)
    return _stated(change, notice, _content(notice).amended(changes, default, refresh_iban=refresh_iban), context)


def cancel(
    known: Notice | None,
    context: WriteContext,
    precondition: Precondition = ANYTHING,
    *,
    replaced_by: NoticeNumber | None = None,
    end_reason: EndReason = EndReason.CANCELLED,
    iuv: Iuv | None = None,
) -> Change:
    """Cancel a notice; the number that replaces it makes the end reason `replaced`. Again, it changes nothing.

    Raises NoticeNotFound, PreconditionFailed, IuvIsFixed, and what the life cycle refuses.
    """
    notice = _declared(known, context, precondition)
    _refuse_another_iuv(notice, iuv)
    reason = EndReason.REPLACED if replaced_by else end_reason
    return _end(notice, EventType.CANCELLED, context, reason, replaced_by)


def close(known: Notice | None, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
    """Close a notice that was paid outside pagoPA. Again, it changes nothing.

    Raises NoticeNotFound, PreconditionFailed, and what the life cycle refuses.
    """
    return _end(_declared(known, context, precondition), EventType.CLOSED, context, EndReason.PAID_ELSEWHERE, None)


def restore(known: Notice | None, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
    """Take a cancellation or closure back; the notice is again what its dates make it.

    Raises NoticeNotFound, PreconditionFailed, NoticeExpired, and what the life cycle refuses.
    """
    return _end(_declared(known, context, precondition), EventType.RESTORED, context, None, None)


def _publish_first(known: Notice | None, publication: Publication, context: WriteContext) -> Change:
    address, content = publication.address, publication.content
    lifecycle.outcome(known.status if known else None, EventType.PUBLISHED)
    if known is None:
        _refuse_past(content, context.now)
    published = Notice(
        address,
        publication.full_iuv,
        version=1,
        status=status_by_dates(content, context.now),
        updated_at=context.now,
        origin=context.origin,
        published_at=context.now,
        content=content,
        content_at=context.at,
    )
    if known is None:
        return Change.first(published, EventType.PUBLISHED, context)
    changes = {
        name: getattr(published, name)
        for name in ("iuv", "status", "origin", "published_at", "content", "content_at", "awaited_until")
    }
    return apply_earlier_payments(Change(known).then(EventType.PUBLISHED, context, changes), context)


def _stated(change: Change, notice: Notice, content: Content, context: WriteContext) -> Change:
    """State the content of a known notice: an `amended` event if it differs."""
    content = as_known(content, _content(notice))
    if content == notice.content:
        return Change(notice)
    if content.due_date != _content(notice).due_date:
        _refuse_past(content, context.now)
    changes = {"content": content, "status": status_by_dates(content, context.now), "content_at": context.at}
    return change.then(EventType.AMENDED, context, changes)


def _end(
    notice: Notice, event: EventType, context: WriteContext, reason: EndReason | None, replaced_by: NoticeNumber | None
) -> Change:
    """Declare how a notice ended, or that it did not."""
    context = _in_order(notice.state_at, context)
    change, to = _admitted(notice, event, context)
    if to is Rule.NO_CHANGE:
        return Change(notice)
    status = to.status if isinstance(to, Becomes) else status_by_dates(_content(notice), context.now)
    changes = {"status": status, "state_at": context.at, "end_reason": reason, "replaced_by": replaced_by}
    return change.then(event, context, changes)


def _in_order(latest: datetime | None, context: WriteContext) -> WriteContext:
    """Return the act at its place after the latest declaration of its kind; raise StaleDeclaration if it comes before.

    The order is the declarer's. One that names no time, or one that is still to come, comes after what is known: the
    clock of the host that took the latest one may be ahead of ours.
    """
    if latest is None or latest <= context.at:
        return context
    if context.occurred_at is not None and context.occurred_at <= context.now:
        raise StaleDeclaration(
            f"The archive holds a later declaration of this kind, of {format_instant(latest)}. If that one is right, do"
            " nothing. Otherwise repeat the request with a later occurredAt."
        )
    return replace(context, now=latest)


def _admitted(notice: Notice, event: EventType, context: WriteContext) -> tuple[Change, Outcome]:
    """Return what time has done until now, and what the event does then."""
    change = Change.caught_up(notice, context)
    return change, lifecycle.outcome(change.notice.status, event)


def _declared(known: Notice | None, context: WriteContext, precondition: Precondition) -> Notice:
    """Return the notice a declaration is about, when it is there, as precondition, and the declarer's own."""
    if known is None or not known.is_communicated:
        raise NoticeNotFound
    precondition.check(known)
    _refuse_another_origin(known, context)
    return known


def _refuse_another_origin(notice: Notice, context: WriteContext) -> None:
    if notice.origin is not context.origin:
        raise ManagedByGpd if notice.origin is Origin.GPD else ManagedByEc


def _refuse_another_iuv(notice: Notice, iuv: Iuv | None) -> None:
    if iuv not in (None, notice.iuv):
        raise IuvIsFixed


def _refuse_past(content: Content, now: datetime) -> None:
    if content.switch_to_expired and content.due_date.has_passed(now):
        raise DueDateInPast


def _content(notice: Notice) -> Content:
    assert notice.content is not None, "a communicated notice has a content"
    return notice.content
