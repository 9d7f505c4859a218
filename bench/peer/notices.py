"""Decides what a publication does to a notice, and shows notices as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from unicodedata import normalize

import orjson

from bench.peer.dates import end_of, show, start_of
from bench.peer.errors import Refusal
from bench.peer.identifiers import iuv_of
from bench.peer.models import Notice
from bench.peer.preconditions import Precondition

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A notice as it is stored. `document` is the JSON that is shown. The times are texts that sort by time."""

    document: Document
    starts_at: str | None
    """When it becomes payable, if it is not from the start."""
    ends_at: str | None
    """When its due date passes, if that is binding."""
    declared_at: str
    """The time of the latest declaration."""

    @property
    def version(self) -> int:
        """Return the number of events of the notice."""
        return int(self.document["version"])

    def status_at(self, now: str) -> str:
        """Return the status that is true now."""
        return status_by_dates(self.starts_at, self.ends_at, now)

    def shown(self, now: str) -> Document:
        """Return the JSON of the notice with the status that is true now."""
        return {**self.document, "status": self.status_at(now)}

    def etag(self, now: str) -> str:
        """Return the ETag. It changes with the version and with the status."""
        return f'"{self.version}-{self.status_at(now)}"'


@dataclass(frozen=True, slots=True)
class Institution:
    """A creditor institution, and the account for notices that name none."""

    fiscal_code: str
    lenient: bool = False
    iban: str | None = None
    iban_is_postal: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A notice after a publication, and the events to append. No events if nothing changed."""

    stored: Stored
    events: list[Document] = field(default_factory=list)

    @property
    def expected_version(self) -> int:
        """Return the version that the change starts from, 0 for a new notice."""
        return self.stored.version - len(self.events)

    @property
    def publishes(self) -> bool:
        """Return whether the notice is new."""
        return self.expected_version == 0


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication that was validated, and who made it."""

    institution: Institution
    number: str
    notice: Notice
    actor: Document
    precondition: Precondition
    now: datetime

    @property
    def iuv(self) -> str:
        """Return the IUV, given or contained in the number."""
        return self.notice.iuv or iuv_of(self.number)

    @property
    def declared_at(self) -> str:
        """Return when the institution decided it, or now if that is later."""
        given = self.notice.occurred_at
        return show(self.now if given is None else min(given, self.now))


def publish(known: Stored | None, publication: Publication) -> Change:
    """Return the change of a publication: a new notice, another content, or nothing. Raises Refusal."""
    content = _with_iban(publication)
    publication.precondition.check(None if known is None else known.version)
    if known is None:
        return _publish_first(content, publication)
    if publication.notice.iuv not in (None, known.document["iuv"]):
        raise Refusal("iuv_is_fixed")
    publication, declared_at = _in_order(known, publication)
    now = show(publication.now)
    if known.document["ibanSource"] == "registered" and content["iban"] == known.document["iban"]:
        content["ibanSource"] = "registered"
    changed = {name: value for name, value in content.items() if not _same(value, known.document[name])}
    if not changed:
        return Change(known)
    starts_at, ends_at = _times(publication.notice)
    if "dueDate" in changed and ends_at is not None and ends_at <= now:
        raise Refusal("due_date_in_past")
    events = [*_caught_up(known, now)]
    before = events[-1]["statusAfter"] if events else known.document["status"]
    after = status_by_dates(starts_at, ends_at, now)
    values = {**({"status": after} if after != before else {}), **changed}
    was = {**known.document, "status": before}
    pairs = {name: {"from": was[name], "to": value} for name, value in values.items()}
    version = known.version + len(events) + 1
    document = {**known.document, **changed, "status": after, "version": version, "updatedAt": now}
    events.append(_event(version, "amended", now, declared_at, publication.actor, before, after, pairs))
    return Change(Stored(document, starts_at, ends_at, declared_at), events)


def status_by_dates(starts_at: str | None, ends_at: str | None, now: str) -> str:
    """Return the status of a notice by its dates."""
    if starts_at is not None and now < starts_at:
        return "SCHEDULED"
    if ends_at is not None and ends_at <= now:
        return "EXPIRED"
    return "ACTIVE"


def _publish_first(content: Document, publication: Publication) -> Change:
    now, declared_at = show(publication.now), publication.declared_at
    starts_at, ends_at = _times(publication.notice)
    if ends_at is not None and ends_at <= now:
        raise Refusal("due_date_in_past")
    status = status_by_dates(starts_at, ends_at, now)
    document = {
        "creditorInstitution": publication.institution.fiscal_code,
        "noticeNumber": publication.number,
        "iuv": publication.iuv,
        "origin": "ec",
        "status": status,
        "version": 1,
        "publishedAt": now,
        "updatedAt": now,
        **content,
    }
    event = _event(1, "published", now, declared_at, publication.actor, None, status, {})
    return Change(Stored(document, starts_at, ends_at, declared_at), [event])


def _with_iban(publication: Publication) -> Document:
    """Return the content with the account that receives the money."""
    content, institution = publication.notice.content(), publication.institution
    if content["transfers"]:
        return {**content, "ibanSource": None}
    if content["iban"] is not None:
        return {**content, "ibanSource": "given"}
    if institution.iban is None:
        raise Refusal("no_iban_registered")
    postal = content["postalIban"] or (institution.iban if institution.iban_is_postal else None)
    return {**content, "iban": institution.iban, "postalIban": postal, "ibanSource": "registered"}


def _in_order(known: Stored, publication: Publication) -> tuple[Publication, str]:
    """Return the publication and its time, after the latest declaration. Raises Refusal if it is older."""
    declared_at = publication.declared_at
    if known.declared_at <= declared_at:
        return publication, declared_at
    given = publication.notice.occurred_at
    if given is not None and given <= publication.now:
        raise Refusal("stale_declaration")
    return replace(publication, now=datetime.fromisoformat(known.declared_at)), known.declared_at


def _caught_up(known: Stored, now: str) -> Iterator[Document]:
    """Yield the events of the changes that time made and that are not written down."""
    status, version = known.document["status"], known.version
    archive = {"role": "archive", "name": "archive"}
    for before, after, kind, at in (
        ("SCHEDULED", "ACTIVE", "activated", known.starts_at),
        ("ACTIVE", "EXPIRED", "expired", known.ends_at),
    ):
        if status == before and at is not None and at <= now:
            version += 1
            yield _event(version, kind, now, at, archive, before, after, {"status": {"from": before, "to": after}})
            status = after


def _event(
    version: int, kind: str, now: str, at: str, actor: Document, before: str | None, after: str, changed: Document
) -> Document:
    return {
        "version": version,
        "type": kind,
        "recordedAt": now,
        "occurredAt": at,
        "actor": actor,
        "statusBefore": before,
        "statusAfter": after,
        "changed": changed,
    }


def _times(notice: Notice) -> tuple[str | None, str | None]:
    starts_at = None if notice.valid_from is None else show(start_of(notice.valid_from))
    ends_at = show(end_of(notice.due_date)) if notice.switch_to_expired else None
    return starts_at, ends_at


def _same(value: object, other: object) -> bool:
    """Return whether two values are the same, however their accents are written."""
    return value == other or _normal(value) == _normal(other)


def _normal(value: object) -> str:
    return normalize("NFC", orjson.dumps(value).decode())
