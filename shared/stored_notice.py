"""A notice as a store holds it. It is decoded only where a decision needs it, or where time has changed its status."""

from datetime import datetime
from typing import NamedTuple

from shared.codecs import Document
from shared.documents import decode_notice, dumps, kept_part, loads, public_form, shown_part
from shared.domain.dates import format_instant
from shared.domain.lifecycle import Status
from shared.domain.notice import Notice


class Shown(NamedTuple):
    """A notice as it is shown at a moment: its public JSON, and the version and the status, which make its ETag."""

    json: bytes
    version: int
    status: str


class StoredNotice(NamedTuple):
    """A notice as a store holds it."""

    version: int
    status: str
    next_change_at: str | None
    """When time changes the status. None if it never does."""
    shown: bytes
    """The notice as it is shown with the stored status, as JSON."""
    kept: bytes
    """The rest of its document, as JSON."""

    def at(self, now: datetime) -> Shown | None:
        """Return the notice as it is shown at `now`. None if it was not communicated.

        This is the only place that decides whether the stored JSON is still true.
        """
        if self.next_change_at is not None and self.next_change_at <= format_instant(now):
            return show(self.decode(), now)
        return Shown(self.shown, self.version, self.status) if self.status != Status.AWAITED else None

    def decode(self) -> Notice:
        """Return the notice itself."""
        return decode_notice(loads(self.kept) | loads(self.shown))


def stored_notice(document: Document) -> StoredNotice:
    """Return the notice of a whole document. Raises KeyError if the document is damaged."""
    shown, kept = b"{}", document  # an awaited notice is not shown
    if document["status"] != Status.AWAITED:
        shown, kept = dumps(shown_part(document)), kept_part(document)
    return StoredNotice(document["version"], document["status"], document.get("nextChangeAt"), shown, dumps(kept))


def show(notice: Notice, now: datetime) -> Shown | None:
    """Return a notice as it is shown at `now`. None if it was not communicated."""
    status = notice.status_at(now)
    return Shown(dumps(public_form(notice, status)), notice.version, status) if notice.is_communicated else None
