"""What any NoticeStore promises; a store's test inherits all of it and says how the store is made."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.domain import declarations, facts
from shared.domain.content import Changes
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.declarations import Publication
from shared.domain.events import NoticeEvent
from shared.domain.identifiers import InstitutionCode, Iuv, NoticeNumber
from shared.domain.lifecycle import TRUE_NOW, Anomaly, Status
from shared.domain.notice import Address, Change, Notice
from shared.ports import FILTERS, IuvClaim, NoticeStore, Search, VersionConflict
from shared.stored_notice import Shown, StoredNotice, show
from tests.support import (
    ADDRESS,
    DAY,
    HOUR,
    INSTITUTION,
    NOW,
    NUMBER,
    a_content,
    a_line,
    a_number,
    a_payment,
    a_publication,
    a_transfer,
    an_act,
    life_of,
    shown_in,
    shown_of,
)

ANOTHER = InstitutionCode("77777777777")
FULL: dict[str, Any] = {
    "valid_from": ValidFrom.parse("2026-12-01"),
    "due_date": DueDate.parse("2026-12-16T10:30:00.125Z"),
    "switch_to_expired": True,
    "pay_stand_in": False,
    "iban": None,
    "transfers": (a_transfer(1, 12000, metadata={"key": "value"}), a_transfer(3, 50)),
    "iupd": "iupd-1",
    "company_name": "Comune",
    "office_name": "Tributi",
    "metadata": {"città": "Forlì 😀"},
}


IUV = Iuv("IUV1")


def a_claim(serial: int, hours: int = 1) -> IuvClaim:
    """Return a claim of the number with this serial, held for some hours."""
    return IuvClaim(a_number(serial), NOW + hours * HOUR)


def published(address: Address = ADDRESS, now: datetime = NOW, **changes: Any) -> Change:
    """Return the publication of a notice."""
    return declarations.publish(None, a_publication(address, **changes), an_act(now))


def at(serial: int, institution: InstitutionCode = INSTITUTION, code: str = "47") -> Address:
    """Return the address of the notice with this serial."""
    return Address(institution, a_number(serial, code))


def one_of_every_status() -> list[Change]:
    """Return changes after which notices have every status, also by time, each at version 1."""
    soon: dict[str, Any] = {"valid_from": ValidFrom(NOW + HOUR, False)}
    brief: dict[str, Any] = {"due_date": DueDate(NOW + 2 * HOUR, False), "switch_to_expired": True}
    changes = [published(at(1)), published(at(2), **soon), published(at(3), **brief), published(at(4), **soon, **brief)]
    cancelled = declarations.cancel(published(at(5)).notice, an_act())
    closed = declarations.close(published(at(6)).notice, an_act())
    paid = _paid(published(at(7)).notice, "receipt-1")
    reported = facts.record_settlement(published(at(8)).notice, at(8), a_line(), an_act())
    return [from_nothing(change) for change in (*changes, cancelled, closed, paid, reported)]


def from_nothing(change: Change) -> Change:
    """Return the change as if the notice began with it."""
    events = tuple(replace(event, version=count) for count, event in enumerate(change.events, 1))
    return Change(replace(change.notice, version=len(events)), events)


NOT_MATCHING: dict[str, Any] = {
    "status": Status.CANCELLED,
    "anomaly": True,
    "due_from": date(2099, 1, 1),
    "due_to": date(2000, 1, 1),
    "updated_from": NOW + DAY,
    "updated_to": NOW - DAY,
}
"""For each filter of a list a value that no published notice has."""


class NoticeStoreContract:
    """Every promise of the port, tested; `store` is the store under test, empty at the beginning."""

    @pytest.fixture
    async def store(self) -> AsyncIterator[NoticeStore]:
        """Yield a store."""
        raise NotImplementedError("the test of an adapter says how it is made")
        yield  # noqa: PT022  a fixture of this shape is what adapters put in its place

    async def test_what_was_never_saved_is_not_there(self, store: NoticeStore) -> None:
        assert await store.load(ADDRESS) is None
        assert await life_of(store) is None

    @pytest.mark.parametrize("content", [{}, FULL], ids=["plain", "full"])
    async def test_a_notice_is_loaded_as_it_was_saved(self, store: NoticeStore, content: dict[str, Any]) -> None:
        change = published(**content)

        await store.save(change)

        assert await store.load(ADDRESS) == change.notice
        assert await life_of(store) == (change.notice, list(change.events))

    async def test_every_event_of_a_life_is_kept_in_order(self, store: NoticeStore) -> None:
        notice: Notice | None = None
        events: list[NoticeEvent] = []
        for change in _a_long_life():
            await store.save(change)
            notice, events = change.notice, [*events, *change.events]

        assert await life_of(store) == (notice, events)

    async def test_events_that_come_with_a_notice_are_saved_together(self, store: NoticeStore) -> None:
        first = published(now=NOW - 2 * DAY, due_date=DueDate(NOW - DAY, False), switch_to_expired=True)
        await store.save(first)
        second = declarations.cancel(first.notice, an_act())

        await store.save(second)

        assert [event.type for event in second.events] == ["expired", "cancelled"]
        assert await life_of(store) == (second.notice, [*first.events, *second.events])

    async def test_a_notice_is_created_once_and_the_second_writer_is_shown_the_first(self, store: NoticeStore) -> None:
        first, second = published(), published(amount=1)
        await store.save(first)

        with pytest.raises(VersionConflict) as overtaken:
            await store.save(second)

        assert overtaken.value.current == first.notice
        assert await life_of(store) == (first.notice, list(first.events))

    async def test_a_change_of_an_older_version_is_refused_and_leaves_nothing(self, store: NoticeStore) -> None:
        first = published()
        second = declarations.cancel(first.notice, an_act())
        late = declarations.close(first.notice, an_act())
        await store.save(first)
        await store.save(second)

        with pytest.raises(VersionConflict) as overtaken:
            await store.save(late)

        assert overtaken.value.current == second.notice
        assert await life_of(store) == (second.notice, [*first.events, *second.events])

    async def test_a_change_of_a_version_that_is_not_there_yet_is_refused(self, store: NoticeStore) -> None:
        first = published()

        with pytest.raises(VersionConflict) as overtaken:
            await store.save(declarations.cancel(first.notice, an_act()))

        assert overtaken.value.current is None
        assert await store.load(ADDRESS) is None

    async def test_the_same_save_again_changes_nothing(self, store: NoticeStore) -> None:
        first = published()
        second = declarations.cancel(first.notice, an_act())
        for change in (first, first, second, second):
            await store.save(change)

        assert await life_of(store) == (second.notice, [*first.events, *second.events])

    async def test_the_same_save_again_is_recognised_after_somebody_elses(self, store: NoticeStore) -> None:
        first = published()
        second = declarations.cancel(first.notice, an_act())
        await store.save(first)
        await store.save(second)

        await store.save(first)

        assert await store.load(ADDRESS) == second.notice

    async def test_of_writers_at_once_one_comes_first_and_every_other_is_told(self, store: NoticeStore) -> None:
        first = published()
        await store.save(first)
        changes = [declarations.amend(first.notice, {"description": str(n)}, None, an_act()) for n in range(32)]

        outcomes = await asyncio.gather(*map(store.save, changes), return_exceptions=True)

        saved = [change for change, outcome in zip(changes, outcomes, strict=True) if isinstance(outcome, StoredNotice)]
        assert len(saved) == 1
        assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 31
        assert await life_of(store) == (saved[0].notice, [*first.events, *saved[0].events])

    async def test_notices_saved_at_once_are_all_there(self, store: NoticeStore) -> None:
        changes = [published(at(serial)) for serial in range(200)]

        await asyncio.gather(*map(store.save, changes))

        assert [await store.load(change.notice.address) for change in changes] == [change.notice for change in changes]

    async def test_a_save_that_is_refused_takes_no_other_with_it(self, store: NoticeStore) -> None:
        await store.save(published(at(1)))
        others = [published(at(serial)) for serial in (2, 3)]

        outcomes = await asyncio.gather(
            store.save(others[0]), store.save(published(at(1), amount=1)), store.save(others[1]), return_exceptions=True
        )

        assert [type(outcome) for outcome in outcomes] == [StoredNotice, VersionConflict, StoredNotice]
        assert [await store.load(change.notice.address) for change in others] == [change.notice for change in others]

    @pytest.mark.parametrize("hours", [0, 1, 2, 3])
    async def test_what_is_shown_from_the_store_is_what_the_domain_shows(self, store: NoticeStore, hours: int) -> None:
        changes = [*one_of_every_status(), published(at(50), **FULL)]
        saved = [await store.save(change) for change in changes]
        now = NOW + hours * HOUR

        for change, stored in zip(changes, saved, strict=True):
            found = await store.find(change.notice.address)
            assert found is not None
            assert found.at(now) == stored.at(now) == show(change.notice, now)
            assert found.decode() == change.notice

    async def test_a_notice_that_is_awaited_is_stored_and_not_shown(self, store: NoticeStore) -> None:
        change = facts.record_payment(None, ADDRESS, a_payment(), an_act())

        saved, found = await store.save(change), await store.find(ADDRESS)

        assert found is not None
        assert found.at(NOW) is saved.at(NOW) is None
        assert found.decode() == change.notice

    async def test_there_is_nothing_to_show_where_there_is_no_notice(self, store: NoticeStore) -> None:
        assert await store.find(ADDRESS) is None

    async def test_institutions_with_the_same_number_have_notices_of_their_own(self, store: NoticeStore) -> None:
        one, other = published(), published(Address(ANOTHER, NUMBER), amount=1)
        await store.save(one)
        await store.save(other)

        assert await store.load(ADDRESS) == one.notice
        assert await store.load(Address(ANOTHER, NUMBER)) == other.notice

    async def test_an_iuv_has_the_claim_that_came_first(self, store: NoticeStore) -> None:
        first, second = a_claim(1), a_claim(2)

        assert await store.iuv_claim(INSTITUTION, IUV) is None
        assert await store.claim_iuv(INSTITUTION, IUV, first) == first
        assert await store.claim_iuv(INSTITUTION, IUV, second) == first
        assert await store.claim_iuv(INSTITUTION, IUV, first) == first
        assert await store.claim_iuv(ANOTHER, IUV, second) == second
        assert await store.iuv_claim(INSTITUTION, IUV) == first

    async def test_a_claim_is_taken_over_only_by_who_names_it_as_it_is(self, store: NoticeStore) -> None:
        first, second, third = a_claim(1), a_claim(2), a_claim(3)
        await store.claim_iuv(INSTITUTION, IUV, first)

        assert await store.claim_iuv(INSTITUTION, IUV, second, instead_of=third) == first
        assert await store.claim_iuv(INSTITUTION, IUV, second, instead_of=a_claim(1, hours=2)) == first
        assert await store.claim_iuv(INSTITUTION, IUV, second, instead_of=first) == second
        assert await store.claim_iuv(INSTITUTION, IUV, third, instead_of=first) == second
        assert await store.iuv_claim(INSTITUTION, IUV) == second

    async def test_a_claim_is_taken_over_for_a_longer_hold_of_the_same_number(self, store: NoticeStore) -> None:
        first, longer = a_claim(1), a_claim(1, hours=2)
        await store.claim_iuv(INSTITUTION, IUV, first)

        assert await store.claim_iuv(INSTITUTION, IUV, longer, instead_of=first) == longer

    async def test_of_claims_at_once_one_wins_and_every_caller_learns_which(self, store: NoticeStore) -> None:
        claims = [store.claim_iuv(INSTITUTION, IUV, a_claim(serial)) for serial in range(16)]

        assert len(set(await asyncio.gather(*claims))) == 1

    async def test_of_takeovers_at_once_one_wins_and_every_caller_learns_which(self, store: NoticeStore) -> None:
        first = a_claim(99)
        await store.claim_iuv(INSTITUTION, IUV, first)
        claims = [store.claim_iuv(INSTITUTION, IUV, a_claim(serial), instead_of=first) for serial in range(16)]

        (winner,) = set(await asyncio.gather(*claims))

        assert winner != first
        assert await store.iuv_claim(INSTITUTION, IUV) == winner

    async def test_an_address_like_that_of_a_claim_has_no_notice_and_no_events(self, store: NoticeStore) -> None:
        await store.claim_iuv(INSTITUTION, IUV, a_claim(1))
        address = Address(INSTITUTION, NoticeNumber(f"iuv:{IUV}"))

        assert await store.load(address) is None
        assert await store.history(address) == []
        assert [event async for event in store.latest_events(address, 3)] == []

    async def test_a_history_is_read_page_by_page(self, store: NoticeStore) -> None:
        events = await _amended(store, 25)

        pages = [await store.history(ADDRESS, after, 10) for after in (0, 10, 20, 26, 99)]

        assert pages == [events[:10], events[10:20], events[20:], [], []]

    async def test_a_page_of_large_events_is_shorter_and_never_empty(self, store: NoticeStore) -> None:
        events = await _amended(store, 40, metadata={f"{n}": "€" * 140 for n in range(10)}, size=100)
        after, found = 0, []
        while page := await store.history(ADDRESS, after, 500):
            found += page
            after = page[-1].version

        assert found == events

    async def test_the_latest_events_are_read_back_to_the_first(self, store: NoticeStore) -> None:
        events = await _amended(store, 60)

        assert [event async for event in store.latest_events(ADDRESS, 61)] == events[::-1]
        assert [event async for event in store.latest_events(ADDRESS, 30)] == events[29::-1]
        assert [event async for event in store.latest_events(ADDRESS, 0)] == []

    async def test_a_store_that_writes_answers_a_ping_again_and_again(self, store: NoticeStore) -> None:
        await store.ping(NOW)
        await store.ping(NOW + HOUR)

    async def test_an_institution_without_notices_has_an_empty_list(self, store: NoticeStore) -> None:
        await store.save(published(Address(ANOTHER, NUMBER)))

        assert await store.search(Search(INSTITUTION, NOW)) == []

    async def test_notices_are_listed_by_number_page_by_page(self, store: NoticeStore) -> None:
        notices = await _saved(store, [published(at(serial)) for serial in (3, 1, 2, 5, 4)])

        assert await _pages(store, Search(INSTITUTION, NOW, limit=2)) == shown_of(notices[i] for i in (1, 2, 0, 4, 3))

    async def test_notices_are_listed_by_due_date_where_it_is_asked_for(self, store: NoticeStore) -> None:
        dues = ["2026-12-16", "2026-12-15", "2026-12-16T08:00:00Z", "2026-12-17", "2026-12-16T07:00:00Z", "2026-12-16"]
        changes = [published(at(serial), due_date=DueDate.parse(due)) for serial, due in enumerate(dues)]
        notices = await _saved(store, changes)

        listed = await _pages(
            store, Search(INSTITUTION, NOW, due_from=date(2026, 12, 16), due_to=date(2026, 12, 16), limit=2)
        )

        assert listed == shown_of(notices[i] for i in (4, 2, 0, 5))

    async def test_a_due_date_is_compared_by_the_day_shown_in_rome(self, store: NoticeStore) -> None:
        # The end of the 15th and the beginning of the 16th are one instant, and two days.
        beginning = DueDate.parse("2026-12-16T00:00:00")
        whole = DueDate.of_day(date(2026, 12, 15))
        assert beginning.instant == whole.instant
        first, second = await _saved(store, [published(at(1), due_date=beginning), published(at(2), due_date=whole)])

        day = date(2026, 12, 15)
        assert shown_in(await store.search(Search(INSTITUTION, NOW, due_to=day))) == shown_of([second])
        assert shown_in(await store.search(Search(INSTITUTION, NOW, due_from=day + DAY))) == shown_of([first])

    async def test_notices_are_listed_by_update_from_and_before_the_given_instants(self, store: NoticeStore) -> None:
        moments = [NOW + 3 * HOUR, NOW, NOW + 2 * HOUR, NOW + HOUR, NOW + HOUR]
        notices = await _saved(store, [published(at(serial), moment) for serial, moment in enumerate(moments)])

        listed = await _pages(
            store, Search(INSTITUTION, NOW, updated_from=NOW + HOUR, updated_to=NOW + 3 * HOUR, limit=1)
        )

        assert listed == shown_of(notices[i] for i in (3, 4, 2))

    async def test_a_list_by_update_and_due_date_is_ordered_by_update(self, store: NoticeStore) -> None:
        late = published(at(1), NOW + HOUR, due_date=DueDate.parse("2026-12-01"))
        early = published(at(2), NOW, due_date=DueDate.parse("2026-12-02"))
        later_due = published(at(3), NOW, due_date=DueDate.parse("2026-12-03"))
        notices = await _saved(store, [late, early, later_due])

        listed = await store.search(Search(INSTITUTION, NOW, updated_from=NOW, due_to=date(2026, 12, 2)))

        assert shown_in(listed) == shown_of([notices[1], notices[0]])

    @pytest.mark.parametrize("hours", [0, 1, 2, 3])
    @pytest.mark.parametrize("status", TRUE_NOW)
    async def test_a_list_by_status_is_of_the_status_true_now(
        self, store: NoticeStore, status: Status, hours: int
    ) -> None:
        changes = one_of_every_status()
        notices = await _saved(store, changes)
        now = NOW + hours * HOUR

        listed = await store.search(Search(INSTITUTION, now, status=status))

        expected = [notice for notice in notices if notice.status_at(now) is status]
        assert shown_in(listed) == shown_of(expected, now)

    async def test_what_is_only_awaited_is_in_no_list(self, store: NoticeStore) -> None:
        await store.save(facts.record_payment(None, ADDRESS, a_payment(), an_act()))

        assert await store.search(Search(INSTITUTION, NOW)) == []
        assert await store.search(Search(INSTITUTION, NOW, updated_from=NOW - DAY)) == []

    async def test_a_list_by_anomaly_finds_any_none_or_one_by_name(self, store: NoticeStore) -> None:
        plain, once, twice = published(at(1)), published(at(2)), published(at(3))
        await _saved(store, [plain, once, twice])
        cancelled = await _saved_after(store, declarations.cancel(once.notice, an_act()))
        once_paid = await _saved_after(store, _paid(cancelled, "receipt-1"))
        first = await _saved_after(store, _paid(twice.notice, "receipt-1"))
        twice_paid = await _saved_after(store, _paid(first, "receipt-2"))

        async def listed(anomaly: Anomaly | bool) -> list[Shown]:
            return shown_in(await store.search(Search(INSTITUTION, NOW, anomaly=anomaly)))

        assert await listed(False) == shown_of([plain.notice])
        assert await listed(True) == shown_of([once_paid, twice_paid])
        assert await listed(Anomaly.PAID_TWICE) == shown_of([twice_paid])
        assert await listed(Anomaly.PAYMENT_REVOKED) == []

    async def test_a_list_holds_the_segregation_codes_that_are_granted(self, store: NoticeStore) -> None:
        changes = [published(at(1, code=code)) for code in ("47", "48", "49")]
        unsegregated = published(Address(INSTITUTION, NoticeNumber("001000000000000141")))
        lenient = published(Address(INSTITUTION, NoticeNumber("347ABCDEFGHIJKLMNO")))
        await _saved(store, [*changes, unsegregated, lenient])

        async def listed(*codes: str) -> list[NoticeNumber]:
            return [
                NoticeNumber(listed.number)
                for listed in await store.search(Search(INSTITUTION, NOW, segregation_codes=frozenset(codes)))
            ]

        assert await listed("47", "49") == [changes[0].notice.address.number, changes[2].notice.address.number]
        assert await listed() == []
        assert len(await listed("*")) == 5

    @pytest.mark.parametrize("name", FILTERS)
    async def test_each_filter_leaves_out_a_notice_that_does_not_match(self, store: NoticeStore, name: str) -> None:
        await store.save(published(at(1)))

        assert await store.search(Search(INSTITUTION, NOW + HOUR)) != []
        assert await store.search(Search(INSTITUTION, NOW + HOUR, **{name: NOT_MATCHING[name]})) == []

    async def test_a_list_loses_and_repeats_nothing_while_notices_are_added(self, store: NoticeStore) -> None:
        await _saved(store, [published(at(serial)) for serial in range(0, 40, 2)])
        search, seen = Search(INSTITUTION, NOW, limit=3), []
        serial = 1
        while page := await store.search(search):
            seen += [listed.number for listed in page]
            await store.save(published(at(serial)))
            serial += 2
            search = replace(search, after=page[-1].cursor)

        assert len(seen) == len(set(seen))
        assert set(seen) >= {a_number(even) for even in range(0, 40, 2)}

    async def test_what_is_due_is_found_from_the_longest_due_on(self, store: NoticeStore) -> None:
        changes = [
            published(at(serial), due_date=DueDate(NOW + hours * HOUR, False), switch_to_expired=True)
            for serial, hours in enumerate([3, 1, 2, 4])
        ]
        notices = await _saved(store, [*changes, published(at(9))])

        assert [notice async for notice in store.due(NOW)] == []
        assert [notice async for notice in store.due(NOW + 3 * HOUR)] == [notices[i] for i in (1, 2, 0)]

    async def test_what_was_written_down_is_not_due_any_more(self, store: NoticeStore) -> None:
        change = published(due_date=DueDate(NOW + HOUR, False), switch_to_expired=True)
        await store.save(change)
        await store.save(Change.caught_up(change.notice, an_act(NOW + HOUR)))

        assert [notice async for notice in store.due(NOW + DAY)] == []

    async def test_more_is_due_than_a_page_holds_and_each_is_found_once_while_it_is_written_down(
        self, store: NoticeStore
    ) -> None:
        dates: dict[str, Any] = {"due_date": DueDate(NOW + HOUR, False), "switch_to_expired": True}
        await asyncio.gather(*(store.save(published(at(serial), **dates)) for serial in range(250)))
        found = []
        async for notice in store.due(NOW + DAY):
            found.append(notice.address.number)
            if len(found) % 2:
                await store.save(Change.caught_up(notice, an_act(NOW + DAY)))

        assert sorted(found) == [a_number(serial) for serial in range(250)]

    async def test_an_awaited_notice_is_due_when_its_wait_is_over(self, store: NoticeStore) -> None:
        until = NOW + timedelta(hours=24)
        await store.save(facts.record_payment(None, ADDRESS, a_payment(), an_act(), awaited_until=until))

        assert [notice async for notice in store.due(until - HOUR)] == []
        assert [notice.address async for notice in store.due(until)] == [ADDRESS]

    async def test_what_is_awaited_is_found_by_institution_and_number(self, store: NoticeStore) -> None:
        """More notices than a page holds. Those of the second institution have lower numbers."""
        first, second = InstitutionCode("00000000001"), InstitutionCode("00000000002")
        addresses = [*(at(serial, first) for serial in range(50, 200)), *(at(serial, second) for serial in range(120))]
        until = NOW + DAY
        changes = [
            facts.record_payment(None, address, a_payment(), an_act(), awaited_until=until) for address in addresses
        ]
        await asyncio.gather(*(store.save(change) for change in (*changes, published(at(60)))))

        found = [notice async for notice in store.awaited()]

        assert found == [change.notice for change in changes]


def _a_long_life() -> list[Change]:
    """Return changes that use every field of notices and events."""
    changes = [
        facts.record_payment(None, ADDRESS, a_payment(psp_name="Banca", payment_method="card", fee=150), an_act())
    ]

    def then(change: Change) -> None:
        changes.append(change)

    then(facts.record_settlement(changes[-1].notice, ADDRESS, a_line(transfer_id=9), an_act(cause="fdr-1")))
    then(declarations.publish(changes[-1].notice, Publication(ADDRESS, a_content(**FULL), Iuv("X")), an_act()))
    line = a_line("flow-2", settlement_date=date(2026, 11, 24), receipt_id="r", psp_id="p")
    then(facts.record_settlement(changes[-1].notice, ADDRESS, line, an_act(NOW + HOUR)))
    then(
        facts.record_payment(changes[-1].notice, ADDRESS, a_payment("again"), an_act(datetime(2027, 1, 1, tzinfo=UTC)))
    )
    return changes


async def _amended(store: NoticeStore, times: int, size: int = 1, **content: Any) -> list[NoticeEvent]:
    """Publish the notice and amend it; each event has `size` times the content. Return its events."""
    change = published(**content)
    await store.save(change)
    events = [*change.events]
    for n in range(times):
        changes: Changes = {"transfers": tuple(a_transfer(1, 12050, metadata={str(n): "€" * size}) for _ in range(1))}
        change = declarations.amend(change.notice, changes, None, an_act())
        await store.save(change)
        events += change.events
    return events


def _paid(notice: Notice, receipt_id: str) -> Change:
    return facts.record_payment(notice, notice.address, a_payment(receipt_id), an_act())


async def _saved(store: NoticeStore, changes: list[Change]) -> list[Notice]:
    """Save each change as if the notice began with it; return the notices."""
    return [await _saved_after(store, from_nothing(change)) for change in changes]


async def _saved_after(store: NoticeStore, change: Change) -> Notice:
    await store.save(change)
    return change.notice


async def _pages(store: NoticeStore, search: Search) -> list[Shown]:
    shown: list[Shown] = []
    while page := await store.search(search):
        assert len(page) <= search.limit
        shown += shown_in(page)
        search = replace(search, after=page[-1].cursor)
    return shown
