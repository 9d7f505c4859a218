"""Lists of the embedded store: institutions take turns, nothing runs for nobody, and all is found by an index."""

import asyncio
import gc
import logging
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from shared.adapters import sqlite_reads
from shared.adapters.sqlite import SqliteNoticeStore
from shared.adapters.sqlite_file import connect
from shared.adapters.sqlite_lists import AT_ONCE, Lists
from shared.adapters.sqlite_reads import Row
from shared.adapters.sqlite_search import DUE, FEW, count_statement, search_statement, short_statement
from shared.domain import facts
from shared.domain.callers import EVERY
from shared.domain.dates import DueDate
from shared.domain.identifiers import InstitutionCode, NoticeNumber
from shared.domain.lifecycle import Anomaly, Status
from shared.domain.notice import Address
from shared.errors import StoreUnavailable
from shared.ports import Cursor, Order, Search
from shared.telemetry import LogEntry
from tests.contracts.notice_store import ANOTHER, at, one_of_every_status, published
from tests.process import run_python
from tests.support import DAY, HOUR, INSTITUTION, NOW, a_number, a_payment, an_act, shown_in, shown_of, sort_key

THIRD = InstitutionCode("01199250158")

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000000) SELECT i FROM n WHERE i < 0"
"""A statement that runs for half a minute at least, unless it is interrupted."""
BRIEF = "SELECT 1"
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT count(*) FROM n"
"""A statement that takes more steps than there are between two looks at the clock, and ends soon."""

SECONDS = 10
"""A test in which something waits for an endless list fails after this time."""


@pytest.fixture
async def lists(path: Path) -> AsyncIterator[Lists]:
    """Yield the lists of a file."""
    with closing(connect(path)) as db:
        db.execute("SELECT count(*) FROM notices")
        lists = Lists(path)
        yield lists
        async with asyncio.timeout(SECONDS):
            await lists.close()


# Turns


async def test_lists_of_one_institution_run_beside_each_other(lists: Lists) -> None:
    endless = [asking(lists, ENDLESS)]
    await asyncio.sleep(0)

    assert await brief(lists) == [(1,)]
    stop(endless)


def named(value: object) -> str:
    """Return the name of a case, the same in every process: a set has no order of its own."""
    return (
        str(sorted(value)) if isinstance(value, frozenset) else re.sub(r"frozenset\(\{(.*?)\}\)", _sorted, str(value))
    )


def _sorted(found: re.Match[str]) -> str:
    return ", ".join(sorted(found[1].split(", ")))


@pytest.mark.parametrize("institutions", [[INSTITUTION], [INSTITUTION, THIRD]])
async def test_lists_without_end_do_not_hold_up_the_brief_ones_of_another_institution(
    lists: Lists, institutions: list[InstitutionCode]
) -> None:
    endless = [
        asking(lists, ENDLESS, institution) for institution in institutions for _ in range(12 // len(institutions))
    ]
    await asyncio.sleep(0)

    assert [await brief(lists, ANOTHER) for _ in range(20)] == [[(1,)]] * 20
    stop(endless)


async def test_an_institution_that_has_waited_comes_before_the_next_list_of_the_one_that_runs(lists: Lists) -> None:
    endless = [asking(lists, ENDLESS) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    others = [asking(lists, BRIEF, institution) for institution in (ANOTHER, THIRD)]

    assert await asyncio.wait_for(asyncio.gather(*others), SECONDS) == [[(1,)]] * 2
    assert not any(each.done() for each in endless)
    stop(endless)


async def test_lists_of_one_institution_are_run_in_the_order_in_which_they_came(lists: Lists) -> None:
    ended: list[int] = []

    async def ask(number: int) -> None:
        await brief(lists)
        ended.append(number)

    endless = [asking(lists, ENDLESS, institution) for institution in [ANOTHER] * (AT_ONCE - 2) + [THIRD]]
    await asyncio.sleep(0)
    await asyncio.gather(*map(ask, range(20)))

    assert ended == [*range(20)]
    stop(endless)


async def test_lists_are_idle_while_none_runs(lists: Lists) -> None:
    assert lists.are_idle
    endless = [asking(lists, ENDLESS) for _ in range(AT_ONCE + 1)]
    await asyncio.sleep(0)

    assert not lists.are_idle
    stop(endless)
    await lists.close()
    assert lists.are_idle


# What nobody waits for


async def test_a_list_whose_caller_goes_away_is_interrupted_and_makes_room(lists: Lists) -> None:
    for _ in range(3):
        endless = [asking(lists, ENDLESS, institution) for institution in (INSTITUTION, ANOTHER, THIRD) for _ in "12"]
        await asyncio.sleep(0)
        stop(endless)

    assert await asyncio.gather(*(brief(lists) for _ in range(20))) == [[(1,)]] * 20


async def test_a_list_that_runs_out_of_time_is_interrupted(lists: Lists) -> None:
    for _ in range(2 * AT_ONCE):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await lists.select(INSTITUTION, ENDLESS, [])

    assert await brief(lists) == [(1,)]


async def test_a_list_that_still_waits_when_its_caller_goes_away_is_never_run(lists: Lists) -> None:
    running = [asking(lists, ENDLESS, institution) for institution in (INSTITUTION, ANOTHER, THIRD)]
    waiting = [asking(lists, ENDLESS) for _ in range(20)]
    await asyncio.sleep(0)
    stop(waiting)
    await asyncio.sleep(0)
    stop(running)

    assert await brief(lists) == [(1,)]


async def test_a_list_that_is_interrupted_after_its_caller_went_away_is_no_unhandled_error(lists: Lists) -> None:
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    endless = asking(lists, ENDLESS)
    await asyncio.sleep(0)
    stop([endless])
    del endless
    await lists.close()
    gc.collect()

    assert unhandled == []


async def test_closing_interrupts_what_runs_and_refuses_what_waits_and_what_comes(lists: Lists) -> None:
    asked = [asking(lists, ENDLESS, institution) for institution in (INSTITUTION, ANOTHER) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)

    await lists.close()

    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    with pytest.raises(StoreUnavailable):
        await brief(lists)


def test_a_store_that_is_closed_while_lists_run_for_nobody_ends_without_a_crash(path: Path) -> None:
    # Whether a connection is closed under a running statement, only a process of its own can survive to tell.
    with closing(connect(path)) as db:
        fill(db, 20_000, anomalies="'paid_twice'")
    run_python(
        """
        import asyncio, sys
        from pathlib import Path
        from shared.adapters.sqlite import SqliteNoticeStore
        from shared.ports import Search
        from tests.support import INSTITUTION, NOW

        async def main():
            for turn in range(20):
                store = SqliteNoticeStore(Path(sys.argv[1]))
                slow = Search(INSTITUTION, NOW, anomaly=False)
                lists = [asyncio.ensure_future(store.search(slow)) for _ in range(8)]
                await asyncio.sleep(0.001 * (turn % 4))
                for each in lists:
                    each.cancel()
                await asyncio.gather(*lists, return_exceptions=True)
                await store.close()

        asyncio.run(main())
        """,
        path,
    )


# By an index


A_DAY = date(2026, 12, 16)
BY_NUMBER, BY_UPDATE, BY_DUE_DATE, BY_ANOMALY = (
    f"notices_listed_by_{what}" for what in ("number", "update", "due_date", "anomaly")
)
KEPT = "creditor_institution=? AND status=?"
NUMBERS = f"({KEPT} AND number>? AND number<?)"
UPDATES = f"({KEPT} AND (updated_at,number)>(?,?) AND updated_at<?)"
OVERDUE = "SEARCH notices_due (next_change_at<?)"
DUE_DATES = f"({KEPT} AND (due_date_key,number)>(?,?) AND due_date_key<?)"


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [
        ({}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 7}),
        ({"after": Cursor("", a_number(5))}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 7}),
        ({"segregation_codes": frozenset({"47"})}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 7}),
        ({"segregation_codes": frozenset({"47", "48", "12"})}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 14}),
        ({"updated_from": NOW}, {f"SEARCH {BY_UPDATE} {UPDATES}": 7}),
        ({"updated_from": NOW, "updated_to": NOW, "due_to": A_DAY}, {f"SEARCH {BY_UPDATE} {UPDATES}": 7}),
        ({"updated_to": NOW, "after": Cursor("2026", a_number(5))}, {f"SEARCH {BY_UPDATE} {UPDATES}": 7}),
        ({"due_from": A_DAY}, {f"SEARCH {BY_DUE_DATE} {DUE_DATES}": 7}),
        ({"due_to": A_DAY, "segregation_codes": frozenset({"47"})}, {f"SEARCH {BY_DUE_DATE} {DUE_DATES}": 7}),
        ({"status": Status.CANCELLED}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 1}),
        ({"status": Status.SCHEDULED}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 1}),
        ({"status": Status.PAID, "updated_from": NOW}, {f"SEARCH {BY_UPDATE} {UPDATES}": 1}),
        ({"status": Status.PAID, "due_from": A_DAY}, {f"SEARCH {BY_DUE_DATE} {DUE_DATES}": 1}),
        ({"status": Status.ACTIVE}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 1, OVERDUE: 1, "SORT": 1}),
        ({"status": Status.EXPIRED}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 1, OVERDUE: 2, "SORT": 2}),
        ({"anomaly": True}, {f"SEARCH {BY_ANOMALY} {NUMBERS}": 7}),
        ({"anomaly": Anomaly.PAID_TWICE}, {f"SEARCH {BY_ANOMALY} {NUMBERS}": 7}),
        ({"anomaly": True, "updated_from": NOW}, {f"SEARCH {BY_ANOMALY} {NUMBERS}": 7, "SORT": 7}),
        ({"anomaly": False}, {f"SEARCH {BY_NUMBER} {NUMBERS}": 7}),
    ],
    ids=named,
)
async def test_a_list_seeks_in_one_index_from_the_place_where_its_page_begins(
    other: sqlite3.Connection, wanted: dict[str, Any], plan: dict[str, int]
) -> None:
    statement, values = search_statement(Search(INSTITUTION, NOW, **wanted))

    assert Counter(plan_of(other, statement, values)) == plan


async def test_a_list_of_few_by_date_seeks_their_numbers_and_sorts_them(other: sqlite3.Connection) -> None:
    search = Search(INSTITUTION, NOW, frozenset({"47", "49"}), updated_from=NOW)

    assert Counter(plan_of(other, *search_statement(search, of_few=True))) == {
        f"SEARCH {BY_NUMBER} {NUMBERS}": 14,
        "SORT": 14,
    }
    assert Counter(plan_of(other, *count_statement(search))) == {
        "SEARCH notices_by_number (creditor_institution=? AND number>? AND number<?)": 2
    }


async def test_a_list_holds_every_code_of_a_range_of_granted_codes(store: SqliteNoticeStore) -> None:
    codes = ("00", "01", "46", "47", "48", "49", "50", "98", "99")
    await asyncio.gather(*(store.save(published(at(1, code=code))) for code in codes))

    async def listed(*granted: str) -> list[str | None]:
        notices = await store.search(Search(INSTITUTION, NOW, frozenset(granted)))
        return [NoticeNumber(listed.number).segregation_code for listed in notices]

    assert await listed("47", "48", "49") == ["47", "48", "49"]
    assert await listed("00", "46", "48", "99") == ["00", "46", "48", "99"]
    assert await listed("98", "99", "00", "01") == ["00", "01", "98", "99"]


@pytest.mark.parametrize("count", [FEW, FEW + 1])
@pytest.mark.parametrize("order", Order)
async def test_few_and_many_of_a_segregation_code_are_listed_alike(
    store: SqliteNoticeStore, other: sqlite3.Connection, order: Order, count: int
) -> None:
    moments = [NOW + serial % 3 * HOUR for serial in range(6)]
    changes = [
        published(at(serial, code=code), moment, due_date=DueDate(moment + DAY, False))
        for serial, (code, moment) in enumerate(zip(["47", "48", "50"] * 2, moments, strict=True))
    ]
    await asyncio.gather(*map(store.save, changes))
    fill(other, count - 4, number="printf('3509%014d', i)", status="'AWAITED'")
    window = {Order.NUMBER: {}, Order.DUE_DATE: {"due_from": date(2020, 1, 1)}, Order.UPDATE: {"updated_from": NOW}}
    search = Search(INSTITUTION, NOW, frozenset({"47", "50"}), limit=1, **window[order])  # type: ignore[arg-type]

    listed = []
    while page := await store.search(search):
        listed += shown_in(page)
        search = replace(search, after=page[-1].cursor)

    wanted = [change.notice for change in changes if change.notice.address.number.segregation_code != "48"]
    in_order = sorted(wanted, key=lambda notice: (sort_key(notice, order), notice.address.number))
    assert listed == shown_of(in_order)


# On the loop while they are brief


async def test_a_list_that_takes_too_long_for_the_loop_is_given_up_there(store: SqliteNoticeStore) -> None:
    await store.save(published(at(1)))

    assert store._reads.select_if_brief(BRIEF, []) == [(1,)]
    assert store._reads.select_if_brief(ENDLESS, []) is None
    assert store._reads.select_if_brief(BRIEF, []) == [(1,)]
    assert await store.load(at(1)) is not None


async def test_a_list_that_takes_too_long_does_not_hold_up_the_loop(store: SqliteNoticeStore) -> None:
    began = monotonic()

    store._reads.select_if_brief(ENDLESS, [])

    assert monotonic() - began < 1, "a thousand times less than it takes, and much more than it may take"


async def test_the_time_of_a_list_does_not_end_the_reads_after_it(store: SqliteNoticeStore) -> None:
    store._reads.select_if_brief(BRIEF, [])
    await asyncio.sleep(2 * sqlite_reads.BRIEF)

    assert store._reads.select(LONG, []) == [(100_000,)]


async def test_what_is_due_is_found_beside_a_long_search_for_it(store: SqliteNoticeStore) -> None:
    dates: dict[str, Any] = {"due_date": DueDate(NOW + HOUR, False), "switch_to_expired": True}
    await asyncio.gather(*(store.save(published(at(serial), **dates)) for serial in (1, 2)))
    endless = asyncio.ensure_future(store._lists.select("", ENDLESS, []))
    await asyncio.sleep(0)

    async with asyncio.timeout(SECONDS):
        assert [notice.address async for notice in store.due(NOW + DAY)] == [at(1), at(2)]
    stop([endless])


async def test_a_long_list_is_answered_by_a_thread(store: SqliteNoticeStore, other: sqlite3.Connection) -> None:
    fill(other, 60_000, anomalies="'paid_twice'", number="printf('346%015d', i)")
    await store.save(published(at(1)))
    slow = Search(INSTITUTION, NOW, anomaly=False)
    assert store._reads.select_if_brief(*search_statement(slow)) is None

    listed = await store.search(slow)

    assert [each.number for each in listed] == [at(1).number]


async def test_no_list_is_answered_from_a_file_that_is_gone_also_while_a_long_one_runs(
    store: SqliteNoticeStore, path: Path
) -> None:
    endless = asking(store._lists, ENDLESS)
    await asyncio.sleep(0)
    await asyncio.to_thread(path.rename, path.with_name("elsewhere.db"))

    with pytest.raises(StoreUnavailable):
        await store.search(Search(INSTITUTION, NOW))

    stop([endless])


async def test_while_a_long_list_runs_the_others_do_not_try_the_loop(store: SqliteNoticeStore) -> None:
    await store.save(published(at(1)))
    endless = asking(store._lists, ENDLESS, ANOTHER)
    await asyncio.sleep(0)

    assert not store._lists.are_idle
    with counting(store._reads._db) as hundreds:
        assert len(await store.search(Search(INSTITUTION, NOW, anomaly=False))) == 1
        assert hundreds == []
    stop([endless])


@pytest.mark.parametrize("codes", [frozenset({EVERY}), frozenset({"47"})], ids=str)
@pytest.mark.parametrize("after", [None, Cursor("", at(3).number)])
async def test_the_short_statement_of_a_list_finds_what_the_merged_one_finds(
    store: SqliteNoticeStore, other: sqlite3.Connection, codes: frozenset[str], after: Cursor | None
) -> None:
    await asyncio.gather(*(store.save(change) for change in one_of_every_status()))
    await store.save(facts.record_payment(None, at(60), a_payment(), an_act()))
    await store.save(published(Address(INSTITUTION, NoticeNumber("347ABCDEFGHIJKLMNO"))))
    search = Search(INSTITUTION, NOW, codes, after=after)
    short = short_statement(search)
    assert short is not None

    found = other.execute(*short).fetchall()

    assert len(found) > 4
    assert found == other.execute(*search_statement(search)).fetchall()


@pytest.mark.parametrize(
    "wanted",
    [{"status": Status.PAID}, {"anomaly": True}, {"anomaly": False}, {"due_from": A_DAY}, {"updated_from": NOW}],
    ids=named,
)
def test_a_list_with_a_filter_has_no_short_statement(wanted: dict[str, Any]) -> None:
    assert short_statement(Search(INSTITUTION, NOW, **wanted)) is None


async def test_a_short_statement_seeks_in_one_index(other: sqlite3.Connection) -> None:
    statement = short_statement(Search(INSTITUTION, NOW))
    assert statement is not None

    assert list(plan_of(other, *statement)) == [
        "SEARCH notices_by_number (creditor_institution=? AND number>? AND number<?)"
    ]


async def test_many_awaited_notices_do_not_hide_the_others(store: SqliteNoticeStore, other: sqlite3.Connection) -> None:
    fill(other, 60_000, status="'AWAITED'", number="printf('346%015d', i)")
    await store.save(published(at(1)))

    listed = await store.search(Search(INSTITUTION, NOW))

    assert [each.number for each in listed] == [at(1).number]


async def test_what_is_due_is_sought_in_one_index_from_where_its_page_begins(other: sqlite3.Connection) -> None:
    steps = list(plan_of(other, DUE, ["2026", "", "", ""]))

    assert steps == ["SEARCH notices_due ((next_change_at,creditor_institution,number)>(?,?,?) AND next_change_at<?)"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"segregation_codes": frozenset({"48"})},
        {"segregation_codes": frozenset({"48"}), "updated_from": NOW - DAY},
        {"segregation_codes": frozenset({"48"}), "due_from": date(2020, 1, 1)},
        pytest.param({"segregation_codes": frozenset(f"{code:02}" for code in range(0, 100, 2))}, id="fifty codes"),
        {"status": Status.CANCELLED},
        {"status": Status.CANCELLED, "updated_from": NOW - DAY},
        {"status": Status.PAID, "due_from": date(2020, 1, 1)},
        {"status": Status.EXPIRED},
        {"status": Status.SCHEDULED},
        {"anomaly": True},
        {"anomaly": Anomaly.PAID_TWICE, "due_from": date(2020, 1, 1)},
        {"after": Cursor("", a_number(10**9))},
        {"updated_from": NOW - DAY, "after": Cursor("2026-11-23T10:00:00.000Z", a_number(10**9))},
        {"due_from": date(2020, 1, 1), "after": Cursor("2026-12-16", a_number(10**9))},
    ],
    ids=named,
)
async def test_a_list_that_finds_nothing_looks_at_few_of_many_notices(
    other: sqlite3.Connection, wanted: dict[str, Any]
) -> None:
    fill(other, 5_000)
    search = Search(INSTITUTION, NOW, **wanted)

    assert steps_taken(other, *search_statement(search, of_few=bool(search.segregation_codes - {EVERY}))) < 15_000


async def test_the_store_counts_only_until_it_knows_whether_to_sort(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    fill(other, 5_000)
    await store.save(published(at(1, code="48")))
    search = Search(INSTITUTION, NOW, frozenset({"47"}), updated_from=NOW - DAY)
    few = replace(search, segregation_codes=frozenset({"48"}))

    assert steps_taken(other, *count_statement(search)) < 10_000
    with counting(store._reads._db) as hundreds:
        assert len(await store.search(few)) == 1
    assert 100 * len(hundreds) < 5_000


@pytest.mark.parametrize("status", [Status.AWAITED, Status.SCHEDULED])
async def test_notices_that_are_not_in_a_list_cost_it_nothing(other: sqlite3.Connection, status: Status) -> None:
    fill(other, 5_000, status=f"'{status}'")
    wanted = Status.ACTIVE if status is Status.SCHEDULED else None
    statement, values = search_statement(Search(INSTITUTION, NOW, status=wanted))

    assert steps_taken(other, statement, values) < 5_000


# Pages


@pytest.mark.parametrize("order", Order)
async def test_a_cursor_that_points_before_the_window_shows_nothing_from_there(
    store: SqliteNoticeStore, order: Order
) -> None:
    early, late = published(at(1), NOW, due_date=DueDate.parse("2026-12-01")), published(at(2), NOW + HOUR)
    await store.save(early)
    await store.save(late)
    window = {
        Order.NUMBER: {"segregation_codes": frozenset({"47"})},
        Order.DUE_DATE: {"due_from": A_DAY},
        Order.UPDATE: {"updated_from": NOW + HOUR},
    }
    before = Cursor("2000", "0")

    listed = await store.search(Search(INSTITUTION, NOW, after=before, **window[order]))  # type: ignore[arg-type]

    assert shown_in(listed) == shown_of(([early.notice] if order is Order.NUMBER else []) + [late.notice])


# Documents that cannot be decoded


@pytest.mark.parametrize(
    "document", ["{}", "", "[1", '{"schema": 9}', '"Mario Rossi"', '{"creditorInstitution":"1537637', '{"x": 1, "y"']
)
@pytest.mark.parametrize("broken", [[1], [3], [5], [1, 2, 3], [3, 4, 5]], ids=named)
async def test_a_list_goes_on_over_documents_that_cannot_be_decoded(
    store: SqliteNoticeStore, other: sqlite3.Connection, broken: list[int], document: str
) -> None:
    await asyncio.gather(*(store.save(published(at(serial))) for serial in range(1, 6)))
    spoil(other, broken, document)
    search, numbers = Search(INSTITUTION, NOW, limit=2), []
    # As the archive pages: a page that is not full is the last one.
    while True:
        page = await store.search(search)
        numbers += [listed.number for listed in page]
        if len(page) < search.limit:
            break
        search = replace(search, after=page[-1].cursor)

    assert numbers == [a_number(serial) for serial in range(1, 6) if serial not in broken]


async def test_what_is_due_is_found_beside_documents_that_cannot_be_decoded(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    dates: dict[str, Any] = {"due_date": DueDate(NOW + HOUR, False), "switch_to_expired": True}
    await asyncio.gather(*(store.save(published(at(serial), **dates)) for serial in range(250)))
    broken = [*range(100, 200), 249]
    spoil(other, broken, "{}")

    found = [notice.address.number async for notice in store.due(NOW + DAY)]

    assert found == [a_number(serial) for serial in range(250) if serial not in broken]


async def test_a_document_that_cannot_be_decoded_is_logged_with_its_number_and_without_its_content(
    store: SqliteNoticeStore, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await store.save(published(at(1)))
    spoil(other, [1], '{"creditorInstitution": "Mario Rossi"}')

    await store.search(Search(INSTITUTION, NOW))

    [record] = caplog.records
    assert isinstance(record.msg, LogEntry)
    keys = record.msg.keys
    assert (record.levelno, record.msg.event) == (logging.ERROR, "document_unreadable")
    assert (keys["institution"], keys["number"]) == (INSTITUTION, a_number(1))
    assert "Mario" not in caplog.text


async def test_reading_one_notice_that_cannot_be_decoded_is_a_defect(
    store: SqliteNoticeStore, other: sqlite3.Connection
) -> None:
    await store.save(published(at(1)))
    spoil(other, [1], "{}")

    with pytest.raises(ValueError, match="damaged"):
        await store.load(at(1))


def asking(lists: Lists, statement: str, institution: InstitutionCode = INSTITUTION) -> "asyncio.Task[list[Row]]":
    """Ask for a list, as a caller of its own."""
    return asyncio.ensure_future(lists.select(institution, statement, []))


async def brief(lists: Lists, institution: InstitutionCode = INSTITUTION) -> list[Row]:
    """Return the rows of a list that takes no time."""
    async with asyncio.timeout(SECONDS):
        return await lists.select(institution, BRIEF, [])


def stop(asked: Iterable["asyncio.Task[list[Row]]"]) -> None:
    """Let the callers go away."""
    for each in asked:
        each.cancel()


def fill(db: sqlite3.Connection, count: int, **columns: str) -> None:
    """Put so many rows of the institution beside what is there, quickly; nothing reads their documents."""
    row = {
        "creditor_institution": f"'{INSTITUTION}'",
        "number": "printf('347%015d', i)",
        "version": "1",
        "status": "'ACTIVE'",
        "updated_at": "'2026-11-23T10:00:00.000Z'",
        "due_date_key": "'2026-12-16'",
        "starts_at": "NULL",
        "ends_at": "NULL",
        "next_change_at": "NULL",
        "anomalies": "NULL",
        "kept": "x'7b7d'",
        **columns,
    }
    db.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        f" INSERT INTO notices ({', '.join(row)}) SELECT {', '.join(row.values())} FROM n"
    )


def spoil(db: sqlite3.Connection, serials: Iterable[int], document: str) -> None:
    """Put something in the place of what is stored of notices."""
    db.executemany(
        "UPDATE notices SET shown = CAST(?1 AS BLOB), kept = CAST(?1 AS BLOB) WHERE number = ?2",
        [(document, a_number(serial)) for serial in serials],
    )


def plan_of(db: sqlite3.Connection, statement: str, values: list[object]) -> Iterator[str]:
    """Yield how SQLite answers a statement, without the merging of its parts."""
    for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}", values):
        if step.startswith("USE TEMP B-TREE FOR"):
            yield "SORT"
        elif not step.startswith(("MERGE", "LEFT", "RIGHT", "COMPOUND", "UNION", "CO-ROUTINE", "SCAN (subquery")):
            yield step.replace("notices USING INDEX ", "").replace("notices USING COVERING INDEX ", "")


def steps_taken(db: sqlite3.Connection, statement: str, values: list[object]) -> int:
    """Return how many steps SQLite's own machine takes for a statement, in hundreds: no load changes that."""
    with counting(db) as hundreds:
        db.execute(statement, values).fetchall()
    return 100 * len(hundreds)


@contextmanager
def counting(*connections: sqlite3.Connection) -> Iterator[list[None]]:
    """Yield a list that grows with each hundred steps of the connections."""
    hundreds: list[None] = []
    for connection in connections:
        connection.set_progress_handler(lambda: hundreds.append(None), 100)
    try:
        yield hundreds
    finally:
        for connection in connections:
            connection.set_progress_handler(None, 0)
