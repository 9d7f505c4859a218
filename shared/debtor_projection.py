"""Keeps the lists of the debtors up to date: the read model by debtor, from the events of all notices.

An entry follows from the notice as it is now, not from the event. So a repeated event, and a reader that begins again,
end with the same lists. An event adds the debtor of before, who does not owe the notice any more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from shared.concurrency import gather_all
from shared.debtor_hashes import DebtorHashes
from shared.documents import LaterSchema, dumps, open_form
from shared.domain.content import Debtor
from shared.domain.identifiers import ANONYMOUS, InstitutionCode, NoticeNumber
from shared.domain.lifecycle import may_be_active
from shared.domain.notice import Address, Notice
from shared.errors import StoreUnavailable, Unavailable
from shared.feed_reader import FeedReader, recorded_at
from shared.ports import ChangeFeed, DebtorEntry, DebtorIndex, FeedEvent, NoticeStore, OpenNotice
from shared.telemetry import log_bug, log_failure

NAME = "project_debtors"
"""The name of its checkpoints."""
BEHIND = timedelta(hours=1)
"""A store that is longer behind its feed has lost the notice."""
AT_ONCE = 32
"""Notices whose entries are written at the same time."""


class DebtorProjection:
    """Writes the entries of the notices that the feed names. `reader` keeps its place."""

    def __init__(
        self,
        feed: ChangeFeed,
        store: NoticeStore,
        index: DebtorIndex,
        hashes: DebtorHashes,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self.index = index
        self.hashes = hashes
        self._clock = clock
        self.reader = FeedReader(NAME, feed, self._project, clock)
        # Another ring of keys needs another rebuild, from the beginning.
        name = f"rebuild_debtors-{hashes.fingerprint}"
        self.rebuilder = FeedReader(name, feed, partial(self._project, repair=True), clock)
        """Writes every entry again, while `reader` goes on. To be run until it is drained."""

    async def _project(self, events: list[FeedEvent], *, repair: bool = False) -> None:
        by_notice: dict[Address, list[FeedEvent]] = defaultdict(list)
        for event in events:
            by_notice[Address(InstitutionCode(event.creditor_institution), NoticeNumber(event.number))].append(event)

        async def write_entries(address: Address) -> None:
            # The events come first: they say whether a later version of the archive wrote the notice.
            former = [debtor for event in by_notice[address] for debtor in _former_debtors(event)]
            notice = await self._load(address, by_notice[address])
            if notice is None:
                return
            try:
                for entry in self._entries(notice, former):
                    await self.index.put(entry, self._clock(), repair=repair)
            except Unavailable as error:
                log_failure("entry_not_written", error, **_where(address))
                raise

        await gather_all(map(write_entries, by_notice), AT_ONCE)

    async def _load(self, address: Address, events: list[FeedEvent]) -> Notice | None:
        """Return the notice, as the last event left it or later. None if its document is damaged or lost."""
        try:
            notice = await self._store.load(address)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  however a document is damaged, it must not stop the others
            log_bug("document_unreadable", error, **_where(address))
            return None
        if notice is not None and notice.version >= events[-1].version:
            return notice
        # A version has its event. So the store is behind, or somebody took the notice out of it.
        behind = StoreUnavailable()
        recorded = recorded_at(events[-1:])
        if recorded is None or self._clock() - recorded < BEHIND:
            log_failure("notice_behind_its_event", behind, **_where(address))
            raise behind
        log_bug("notice_lost", behind, **_where(address))
        return None

    def _entries(self, notice: Notice, former: Sequence[Debtor]) -> Iterator[DebtorEntry]:
        """Yield the entries of a notice: of its debtor, and of its former debtors."""
        current = self._hashes_of(notice.content.debtor if notice.content else None)
        # The new entry comes first, so that at no time the notice is in no list.
        for newest in current[:1]:
            yield entry_of(newest, notice)
        others = {*current, *(each for debtor in former for each in self._hashes_of(debtor))} - {*current[:1]}
        for each in sorted(others):
            yield DebtorEntry(each, notice.address, notice.version)

    def _hashes_of(self, debtor: Debtor | None) -> list[str]:
        """Return the hashes of a debtor, the newest first. ANONIMO has no list."""
        return [] if debtor is None or debtor.fiscal_code == ANONYMOUS else self.hashes.of(debtor.fiscal_code)


def _where(address: Address) -> dict[str, str]:
    return {"institution": address.creditor_institution, "number": address.number}


def entry_of(debtor: str, notice: Notice) -> DebtorEntry:
    """Return the entry of a notice in the list of its debtor."""
    if not may_be_active(notice.status):
        return DebtorEntry(debtor, notice.address, notice.version)
    assert notice.content is not None, "a notice that can be paid was communicated"
    address, dates = notice.address, notice.dates
    place = f"{notice.content.due_date.sort_key} {address.creditor_institution} {address.number}"
    return DebtorEntry(
        debtor,
        address,
        notice.version,
        OpenNotice(place, address, notice.version, dumps(open_form(notice))),
        payable_from=dates.starts_at,
        payable_until=dates.ends_at,
    )


def _former_debtors(event: FeedEvent) -> Iterator[Debtor]:
    """Yield the debtor that the notice had before an event which changed the debtor."""
    try:
        changed = event.decode().changed
    except LaterSchema:
        raise  # a host of the later version reads it
    except Exception as error:  # noqa: BLE001  however a document is damaged, it must not stop the others
        where = {"institution": event.creditor_institution, "number": event.number, "version": event.version}
        log_bug("event_unreadable", error, **where)
        return
    before, _ = changed.get("debtor", (None, None))
    if isinstance(before, Debtor):
        yield before
