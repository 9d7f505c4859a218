"""The lists of the archive: its own queries, with every filter and in every order, on containers with its indexes."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos_search import Query, due_place, due_query, search_query
from shared.documents import decode_notice, notice_document
from shared.domain import facts
from shared.domain.dates import DueDate, ValidFrom
from shared.domain.identifiers import InstitutionCode
from shared.domain.lifecycle import Anomaly, Status
from shared.domain.notice import Address, Notice
from shared.ports import Cursor, Search
from tests.conformance.cosmos.support import Cosmos, an_event, an_institution, ask, feed_ranges, key_of
from tests.support import DAY, HOUR, NOW, a_content, a_notice, a_number, a_payment, an_act, sort_key

over_partitions = pytest.mark.parametrize("ranges", [1, 4])

STORED = [status for status in Status if status is not Status.AWAITED]
DUE_DATES = ["2026-12-16", "2026-11-22", "2026-12-16T08:00:00Z", "2027-01-31"]
ANOMALIES = [(), (Anomaly.PAID_TWICE,), (Anomaly.REPORTED_TWICE, Anomaly.PAID_TWICE)]


def notices_of(institution: InstitutionCode) -> list[Notice]:
    """Return the notices of an institution in no order: each status, due dates and updates that are shared."""
    awaited = Address(institution, a_number(99))
    notices = [facts.record_payment(None, awaited, a_payment(), an_act()).notice]
    for n in range(21):
        number = a_number((n * 8) % 21, segregation_code=("47", "48", "49")[n % 3])
        content = replace(
            a_content(),
            due_date=DueDate.parse(DUE_DATES[n % 4]),
            valid_from=ValidFrom.parse("2026-12-01") if n % 2 else None,
            switch_to_expired=n % 5 != 0,
        )
        published = a_notice(NOW - (n % 4) * HOUR, Address(institution, number))
        notices.append(replace(published, content=content, status=STORED[n % 7], anomalies=ANOMALIES[n % 3]))
    return notices


@dataclass(frozen=True, slots=True)
class Archived:
    """Two institutions, of which one is asked for."""

    cosmos: Cosmos
    institution: InstitutionCode
    notices: list[Notice]

    async def listed(self, search: Search) -> list[Notice]:
        """Return the answer to a search, as the archive puts it together."""
        found = await answers(self.cosmos, search_query(search))
        return in_order(found, search)[: search.limit]

    def expected(self, search: Search, holds: Callable[[Notice], bool]) -> list[Notice]:
        """Return the notices for which this holds, in the order of the search."""
        communicated = [notice for notice in self.notices if notice.is_communicated and holds(notice)]
        return in_order(communicated, search)


def in_order(notices: list[Notice], search: Search) -> list[Notice]:
    """Return the notices in the order of the search."""
    return sorted(notices, key=lambda notice: (sort_key(notice, search.order), notice.address.number))


async def answers(cosmos: Cosmos, query: Query) -> list[Notice]:
    """Ask each feed range, as the archive does; check that each answer is in order and not longer than wanted."""
    values: dict[str, Any] = {str(given["name"])[1:]: given["value"] for given in query.parameters}
    found = []
    for part in await feed_ranges(cosmos.notices):
        some = await ask(cosmos.notices, query.text, values, feed_range=part, enable_scan_in_query=True)
        assert len(some) <= values["limit"]
        found += some
    return [decode_notice(document) for document in found]


@pytest.fixture
async def archived(cosmos: Cosmos, institution: str) -> Archived:
    """Save the notices of two institutions, each with an event beside it."""
    ours, theirs = (notices_of(InstitutionCode(code)) for code in (institution, an_institution()))
    for notice in (*ours, *theirs):
        document = notice_document(notice).whole
        batch = [("create", (document,)), ("create", (an_event(document),))]
        await cosmos.notices.execute_item_batch(batch, key_of(document))
    return Archived(cosmos, InstitutionCode(institution), ours)


ORDERS = [{}, {"due_from": date(2026, 1, 1)}, {"updated_from": NOW - DAY}]


@over_partitions
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("hours", [0, 24 * 30])
async def test_each_status_is_listed_as_it_is_now(archived: Archived, order: dict[str, Any], hours: int) -> None:
    now = NOW + hours * HOUR
    for status in (None, *STORED):
        search = Search(archived.institution, now, status=status, **order)

        listed = await archived.listed(search)

        assert listed == archived.expected(search, partial(_is_now, (status,) if status else STORED, now))


@over_partitions
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("anomaly", [True, False, *Anomaly])
async def test_anomalies_are_listed_by_name_or_all_or_none(
    archived: Archived, order: dict[str, Any], anomaly: Anomaly | bool
) -> None:
    search = Search(archived.institution, NOW, anomaly=anomaly, **order)

    listed = await archived.listed(search)

    def holds(notice: Notice) -> bool:
        return bool(notice.anomalies) == anomaly if isinstance(anomaly, bool) else anomaly in notice.anomalies

    assert listed == archived.expected(search, holds)


@over_partitions
async def test_dates_and_segregation_codes_bound_a_list(archived: Archived) -> None:
    day = date(2026, 12, 16)
    bounds: list[tuple[Search, Callable[[Notice], bool]]] = [
        (Search(archived.institution, NOW, due_from=day), lambda notice: _due(notice) >= day),
        (Search(archived.institution, NOW, due_to=day), lambda notice: _due(notice) <= day),
        (Search(archived.institution, NOW, updated_from=NOW - HOUR), lambda notice: notice.updated_at >= NOW - HOUR),
        (Search(archived.institution, NOW, updated_to=NOW - HOUR), lambda notice: notice.updated_at < NOW - HOUR),
        (
            Search(archived.institution, NOW, segregation_codes=frozenset({"47", "49"})),
            lambda notice: notice.address.number[1:3] in ("47", "49"),
        ),
    ]
    for search, holds in bounds:
        expected = archived.expected(search, holds)
        assert 0 < len(expected) < len(archived.notices)
        assert await archived.listed(search) == expected


@over_partitions
@pytest.mark.parametrize("order", ORDERS)
async def test_a_list_goes_on_after_the_last_notice_of_a_page(archived: Archived, order: dict[str, Any]) -> None:
    search = Search(archived.institution, NOW, limit=4, **order)

    listed: list[Notice] = []
    while page := await archived.listed(search):
        listed += page
        search = replace(search, after=Cursor(sort_key(page[-1], search.order), page[-1].address.number))

    assert listed == archived.expected(search, lambda _: True)


@over_partitions
async def test_a_list_that_is_cut_into_pages_is_whole(archived: Archived, double: CosmosDouble) -> None:
    """The service ends a page when its time is up, also an empty one."""
    double.inject(Fault("Query", page=0, skip=1, times=2), Fault("Query", page=3, times=None))
    search = Search(archived.institution, NOW)

    assert await archived.listed(search) == archived.expected(search, lambda _: True)

    assert double.log.count("Query") >= 8


@pytest.mark.usefixtures("double")
@over_partitions
async def test_due_notices_are_given_the_longest_due_first(archived: Archived) -> None:
    """On a service the notices of other tests are due as well, and a page may hold none of ours."""
    now = NOW + timedelta(days=40)
    due = [notice for notice in archived.notices if (at := notice.next_change_at) is not None and at <= now]
    due.sort(key=lambda notice: (notice.next_change_at, notice.address.number))
    assert len(due) > 2

    assert _of(archived, await answers(archived.cosmos, due_query(now, None))) == due
    later = await answers(archived.cosmos, due_query(now, due_place(notice_document(due[0]).whole)))

    assert _of(archived, later) == due[1:]


def _of(archived: Archived, notices: list[Notice]) -> list[Notice]:
    ours = [notice for notice in notices if notice.address.creditor_institution == archived.institution]
    return sorted(ours, key=lambda notice: (notice.next_change_at, notice.address.number))


def _is_now(statuses: Collection[Status], now: datetime, notice: Notice) -> bool:
    return notice.status_at(now) in statuses


def _due(notice: Notice) -> date:
    assert notice.content is not None
    return date.fromisoformat(notice.content.due_date.sort_key[:10])
