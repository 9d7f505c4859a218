"""Declarations of the creditor institution: publish, amend, cancel, close, restore.

A declaration is checked in this order: existence, precondition, origin, IUV, order in time, the table of the life
cycle, the dates. A declaration that would change nothing makes no event.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from shared.domain import facts, lifecycle
from shared.domain.content import Changes, Content
from shared.domain.dates import format_instant
from shared.domain.events import EndReason, Origin, WriteContext
from shared.domain.identifiers import Iuv, NoticeNumber
from shared.domain.institutions import RegisteredIban
from shared.domain.lifecycle import Dates, EventType, StateEvent
from shared.domain.notice import Address, Change, Notice, dates_of
from shared.domain.texts import as_known
from shared.errors import (
    DueDateInPast,
    IuvIsFixed,
    ManagedByEc,
    ManagedByGpd,
    NoIbanRegistered,
    NothingToCancel,
    NoticeCancelled,
    NoticeNotFound,
    PreconditionFailed,
    StaleDeclaration,
)


@dataclass(frozen=True, slots=True)
class Precondition:
    """Which version of the notice the client expects.

    `is_new`: it is not published yet (If-None-Match: *). `exists`: any version (If-Match: *). `versions`: one of these
    (If-Match). None is no expectation.
    """

    is_new: bool = False
    exists: bool = False
    versions: frozenset[int] | None = None

    def check(self, known: Notice | None) -> None:
        """Raise PreconditionFailed unless the notice is as the client expects."""
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
    """A whole notice as its institution declares it. `iuv` is None if it follows from the number."""

    address: Address
    content: Content
    iuv: Iuv | None = None

    def with_iban(self, default: RegisteredIban | None) -> "Publication":
        """Return the publication with the account that receives the money. Raises NoIbanRegistered."""
        content = self.content.with_iban(default)
        return self if content is self.content else replace(self, content=content)

    @property
    def full_iuv(self) -> Iuv:
        """Return the IUV of the notice, given or contained in its number."""
        return self.iuv or self.address.number.iuv

    @property
    def needs_claim(self) -> bool:
        """Return whether the number is not `3` + IUV, so that the IUV alone does not lead to it."""
        return self.address.number != f"3{self.full_iuv}"


def publish(
    known: Notice | None, publication: Publication, context: WriteContext, precondition: Precondition = ANYTHING
) -> Change:
    """Publish a notice, or replace the content of a known one. A repetition changes nothing.

    Raises PreconditionFailed, ManagedByGpd, ManagedByEc, IuvIsFixed, StaleDeclaration, DueDateInPast, and the refusals
    of the life cycle.
    """
    notice = known if known and known.is_communicated else None
    precondition.check(notice)
    if notice is None:
        return _publish_first(known, publication, context)
    _refuse_another_origin(notice, context)
    _refuse_another_iuv(notice, publication.iuv)
    context = _reject_stale(notice.content_at, context)
    change = Change.caught_up(notice, context)
    if not change.is_changed_by(EventType.PUBLISHED, context):
        return Change(notice)
    content = publication.content.sent_back(_content(notice))
    return _replace_content(change, notice, content, context, EventType.PUBLISHED)


def publish_or_amend(
    known: Notice | None,
    publication: Publication,
    changes: Changes,
    default: RegisteredIban | None,
    context: WriteContext,
) -> Change:
    """Publish a notice that is not known, or change the named fields of one that is (paCreatePosition).

    An IBAN that came from the registry is looked up again. Raises the errors of `publish` and `amend`.
    """
    if known is None or not known.is_communicated:
        return publish(known, publication.with_iban(default), context)
    return amend(known, changes, default, context, iuv=publication.iuv, refresh_iban=True)


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
    """Change the named fields of a notice and keep the others. `default` is the registered IBAN of the institution.

    `refresh_iban`: an IBAN that came from the registry is looked up again, although nothing else changes.
    Raises NoIbanRegistered, NoticeNotFound, PreconditionFailed, IuvIsFixed, StaleDeclaration, InvalidBody,
    DueDateInPast, and the refusals of the life cycle.
    """
    if default is None and "iban" in changes and changes["iban"] is None and not changes.get("transfers"):
        raise NoIbanRegistered
    notice = _declared(known, EventType.AMENDED, context, precondition)
    _refuse_another_iuv(notice, iuv)
    context = _reject_stale(notice.content_at, context)
    change = Change.caught_up(notice, context)
    if not change.is_changed_by(EventType.AMENDED, context):
        return Change(notice)
    content = _content(notice).amended(changes, default, refresh_iban=refresh_iban)
    return _replace_content(change, notice, content, context, EventType.AMENDED)


def declare(
    known: Notice | None,
    event: StateEvent,
    context: WriteContext,
    precondition: Precondition = ANYTHING,
    replaced_by: NoticeNumber | None = None,
) -> Change:
    """Cancel, close or restore a notice. Raises the errors of `cancel`, `close` and `restore`."""
    match event:
        case EventType.CANCELLED:
            return cancel(known, context, precondition, replaced_by=replaced_by)
        case EventType.CLOSED:
            return close(known, context, precondition)
        case EventType.RESTORED:
            return restore(known, context, precondition)
        case _:
            assert_never(event)


def cancel(
    known: Notice | None,
    context: WriteContext,
    precondition: Precondition = ANYTHING,
    *,
    replaced_by: NoticeNumber | None = None,
    end_reason: EndReason = EndReason.CANCELLED,
    iuv: Iuv | None = None,
) -> Change:
    """Cancel a notice. With the number that replaces it, the end reason is `replaced`. A repetition changes nothing.

    Raises NoticeNotFound, PreconditionFailed, IuvIsFixed, StaleDeclaration, and the refusals of the life cycle.
    """
    reason = EndReason.REPLACED if replaced_by else end_reason
    return _end(known, EventType.CANCELLED, context, precondition, reason, replaced_by, iuv)


def cancel_position(known: Notice | None, iuv: Iuv, context: WriteContext) -> Change:
    """Cancel a notice as paCreatePosition does: a repetition is refused, because its clients rely on that.

    Raises NothingToCancel, and the errors of `cancel`.
    """
    try:
        change = cancel(known, context, end_reason=EndReason.UNSPECIFIED, iuv=iuv)
    except NoticeNotFound:
        raise NothingToCancel from None
    if not change.events:
        raise NoticeCancelled(
            "The position is cancelled already, so there is nothing to do. If the debt still stands, restore it:"
            " POST /api/v1/creditor-institutions/{ec}/notices/{nav}/events with type restored."
        )
    return change


def close(known: Notice | None, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
    """Close a notice that was paid outside pagoPA. A repetition changes nothing.

    Raises NoticeNotFound, PreconditionFailed, StaleDeclaration, and the refusals of the life cycle.
    """
    return _end(known, EventType.CLOSED, context, precondition, EndReason.PAID_ELSEWHERE)


def restore(known: Notice | None, context: WriteContext, precondition: Precondition = ANYTHING) -> Change:
    """Take a cancellation or closure back. The dates of the notice decide its status again.

    Raises NoticeNotFound, PreconditionFailed, StaleDeclaration, and the refusals of the life cycle.
    """
    return _end(known, EventType.RESTORED, context, precondition)


def _publish_first(known: Notice | None, publication: Publication, context: WriteContext) -> Change:
    address, content = publication.address, publication.content
    status = known.status if known else None
    effect = lifecycle.effect_of(EventType.PUBLISHED, status, dates_of(content), context.now)
    assert effect is not None, "a publication has an effect"
    if known is None:
        _refuse_past(content, context.now)
    published = Notice(
        address,
        publication.full_iuv,
        version=1,
        status=effect.status,
        updated_at=context.now,
        origin=context.origin,
        published_at=context.now,
        content=content,
        content_at=context.at,
    )
    if known is None:
        change = Change.first(published, EventType.PUBLISHED, context)
    else:
        names = ("iuv", "origin", "published_at", "content", "content_at", "awaited_until")
        changes = {name: getattr(published, name) for name in names}
        change = Change(known).then(EventType.PUBLISHED, context, changes)
    return facts.apply_earlier_payments(change, context) if effect.earlier_payments else change


def _replace_content(
    change: Change, notice: Notice, content: Content, context: WriteContext, column: EventType
) -> Change:
    """Replace the content of a known notice. An `amended` event says so if the content differs."""
    content = as_known(content, _content(notice))
    if content == notice.content:
        return Change(notice)
    if content.due_date != _content(notice).due_date:
        _refuse_past(content, context.now)
    changes = {"content": content, "content_at": context.at}
    return change.then(EventType.AMENDED, context, changes, column=column)


def _end(
    known: Notice | None,
    event: EventType,
    context: WriteContext,
    precondition: Precondition,
    reason: EndReason | None = None,
    replaced_by: NoticeNumber | None = None,
    iuv: Iuv | None = None,
) -> Change:
    """Declare how a notice ended, or that it did not end."""
    notice = _declared(known, event, context, precondition)
    _refuse_another_iuv(notice, iuv)
    context = _reject_stale(notice.state_at, context)
    change = Change.caught_up(notice, context)
    if not change.is_changed_by(event, context):
        return Change(notice)
    changes = {"state_at": context.at, "end_reason": reason, "replaced_by": replaced_by}
    return change.then(event, context, changes)


def _reject_stale(latest: datetime | None, context: WriteContext) -> WriteContext:
    """Raise StaleDeclaration if a later declaration of this kind is stored. Return the context in its place after it.

    The order is that of the institution. A declaration without a time, or with one in the future, comes after those
    that are stored: the clock of the host that took the latest one may be ahead of ours.
    """
    if latest is None or latest <= context.at:
        return context
    if context.occurred_at is not None and context.occurred_at <= context.now:
        raise StaleDeclaration(
            f"The archive holds a later declaration of this kind, of {format_instant(latest)}. If that one is right, do"
            " nothing. Otherwise repeat the request with a later occurredAt."
        )
    return replace(context, now=latest)


def _declared(known: Notice | None, event: EventType, context: WriteContext, precondition: Precondition) -> Notice:
    """Return the communicated notice. Raises NoticeNotFound, PreconditionFailed, ManagedByGpd, ManagedByEc."""
    if known is None or not known.is_communicated:
        lifecycle.effect_of(event, known.status if known else None, Dates(), context.now)
        raise AssertionError("the life cycle refuses a declaration about a notice that was not communicated")
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
