"""Lists and due notices in Cosmos DB: damaged documents, long pages, and the indexes that serve the filters."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault, indexing
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_lists import NOTICES
from shared.adapters.cosmos_search import search_query
from shared.codecs import Document
from shared.documents import notice_document
from shared.domain import declarations
from shared.domain.dates import DueDate
from shared.domain.identifiers import NoticeNumber
from shared.domain.lifecycle import TRUE_NOW, Anomaly, Status
from shared.domain.notice import Address, Notice
from shared.ports import Search
from shared.telemetry import LogEntry
from tests.contracts.notice_store import at, published
from tests.stores import account_of, an_account
from tests.support import DAY, HOUR, INSTITUTION, NOW, an_act, shown_in, shown_of

POLICY = json.loads((Path(__file__).parents[2] / "infra" / "data.json").read_text(encoding="utf-8"))["containers"][
    "notices"
]["indexingPolicy"]
DAMAGES: dict[str, Document] = {f"no {name}": {name: ...} for name in ("origin", "debtor", "publishedAt", "amount")}
"""Changes of a document after which it cannot be shown. Three dots are a field that is not there."""
BINDING: dict[str, Any] = {"due_date": DueDate(NOW + HOUR, False), "switch_to_expired": True}


@pytest.fixture
async def double() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's, of two physical partitions."""
    async with an_account(ranges=2) as double:
        yield double


@pytest.fixture
async def cosmos(double: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into it."""
    cosmos = Cosmos(account_of(double), budget=30)
    yield cosmos
    await cosmos.close()


@pytest.fixture
def store(cosmos: Cosmos) -> CosmosNoticeStore:
    """Return the store under test."""
    return CosmosNoticeStore(cosmos)


async def damage(cosmos: Cosmos, notice: Notice, changes: Document) -> None:
    """Store a notice's document in a form that the archive cannot decode."""
    changed = notice_document(notice).whole | changes
    document = {name: value for name, value in changed.items() if value is not ...}
    await cosmos.call("damage", NOTICES, lambda container, _: container.upsert_item(document))


async def listed(store: CosmosNoticeStore, search: Search) -> list[Address]:
    """Return the addresses of a list that is read page by page, as the archive does."""
    addresses: list[Address] = []
    while page := await store.search(search):
        assert len(page) <= search.limit
        addresses += [Address(search.creditor_institution, NoticeNumber(listed.number)) for listed in page]
        if len(page) < search.limit:
            break
        search = replace(search, after=page[-1].cursor)
    return addresses


@pytest.mark.parametrize("order", [{}, {"due_from": date(2026, 1, 1)}, {"updated_from": NOW - DAY}])
@pytest.mark.parametrize("damaged", [(2,), (1, 2), (7,), (1, 2, 3, 4, 5, 6), (1, 3, 5, 7)])
async def test_damaged_documents_do_not_cut_a_list_short(
    cosmos: Cosmos, store: CosmosNoticeStore, damaged: tuple[int, ...], order: dict[str, Any]
) -> None:
    changes = [published(at(serial)) for serial in range(1, 8)]
    for serial, change in enumerate(changes, 1):
        await store.save(change)
        if serial in damaged:
            await damage(cosmos, change.notice, {"origin": ...})

    whole = [at(serial) for serial in range(1, 8) if serial not in damaged]
    for limit in (1, 2, 3, 10):
        assert await listed(store, Search(INSTITUTION, NOW, limit=limit, **order)) == whole


@pytest.mark.parametrize("kind", DAMAGES)
async def test_a_damaged_document_is_logged_with_its_key_and_without_its_content(
    cosmos: Cosmos, store: CosmosNoticeStore, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    await damage(cosmos, published(at(1)).notice, DAMAGES[kind])

    with caplog.at_level(logging.ERROR):
        assert await store.search(Search(INSTITUTION, NOW)) == []

    (record,) = caplog.records
    assert isinstance(record.msg, LogEntry)
    assert record.msg.event == "document_unreadable"
    assert (record.msg.keys["institution"], record.msg.keys["number"]) == (INSTITUTION, at(1).number)
    assert not re.search("Rossi|RSSMRA", str(record.msg))


async def test_a_damaged_document_is_no_missing_notice(cosmos: Cosmos, store: CosmosNoticeStore) -> None:
    await damage(cosmos, published(at(1)).notice, {"origin": "none"})

    with pytest.raises(ValueError, match="none"):
        await store.load(at(1))


async def test_damaged_documents_do_not_stop_what_is_due(cosmos: Cosmos, store: CosmosNoticeStore) -> None:
    changes = [published(at(serial), **BINDING) for serial in range(1, 8)]
    for serial, change in enumerate(changes, 1):
        await store.save(change)
        if serial in (1, 4, 7):
            await damage(cosmos, change.notice, {"origin": "none"})

    assert [notice.address async for notice in store.due(NOW + DAY)] == [at(serial) for serial in (2, 3, 5, 6)]


async def test_a_notice_that_is_due_by_its_index_alone_does_not_stop_the_others(
    cosmos: Cosmos, store: CosmosNoticeStore
) -> None:
    await damage(cosmos, published(at(1)).notice, {"nextChangeAt": "2026-11-23T11:00:00.000Z"})
    await store.save(published(at(2), **BINDING))

    assert [notice.address async for notice in store.due(NOW + DAY)] == [at(1), at(2)]


async def test_a_notice_that_changes_while_a_list_goes_on_after_damage_is_in_it_once(
    cosmos: Cosmos, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    changes = [published(at(serial), NOW + serial * HOUR) for serial in (1, 2, 3)]
    for change in changes:
        await store.save(change)
    await damage(cosmos, changes[1].notice, {"origin": ...})
    await store.search(Search(INSTITUTION, NOW))
    double.log.clear()
    double.inject(Fault("Query", skip=1, delay=0.3))

    search = Search(INSTITUTION, NOW, updated_from=NOW, limit=3)
    found = asyncio.create_task(store.search(search))
    await double.log.wait_for("Query")
    amended = declarations.cancel(changes[0].notice, an_act(NOW + 4 * HOUR))
    await store.save(amended)

    assert shown_in(await found) == shown_of([changes[2].notice, amended.notice])


async def test_a_page_whose_partition_is_split_half_way_is_whole_and_holds_each_notice_once(
    store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    addresses = [at(serial) for serial in range(1, 13)]
    for address in addresses:
        await store.save(published(address))
    await store.search(Search(INSTITUTION, NOW))
    double.log.clear()
    double.inject(Fault("Query", page=4), Fault("Query", delay=0.3))

    found = asyncio.create_task(store.search(Search(INSTITUTION, NOW, limit=10)))
    await double.log.wait_for("Query")
    double.split("archive", "notices", at=[INSTITUTION, at(6).number])

    assert [listed.number for listed in await found] == [address.number for address in addresses[:10]]


async def test_a_list_that_goes_on_after_damage_and_a_split_leaves_nothing_out(
    cosmos: Cosmos, store: CosmosNoticeStore, double: CosmosDouble
) -> None:
    for serial in range(1, 13):
        change = published(at(serial))
        await store.save(change)
        if serial in (1, 2, 3, 8):
            await damage(cosmos, change.notice, {"origin": ...})
    await store.search(Search(INSTITUTION, NOW))
    # One half holds 8 and 9, the other all that is smaller: each answers with its first three.
    double.split("archive", "notices", at=[INSTITUTION, at(6).number])

    found = await store.search(Search(INSTITUTION, NOW, limit=3))
    assert [listed.number for listed in found] == [at(4).number, at(5).number, at(6).number]


async def test_a_long_page_is_one_query(store: CosmosNoticeStore, double: CosmosDouble) -> None:
    for serial in range(120):
        await store.save(published(at(serial)))
    double.log.clear()

    assert len(await store.search(Search(INSTITUTION, NOW, limit=500))) == 120

    assert double.log.count("Query") == 1


FEW: list[tuple[Search, str]] = [
    *((Search(INSTITUTION, NOW, status=status), "/status") for status in TRUE_NOW),
    *((Search(INSTITUTION, NOW, anomaly=anomaly), "/anomalies/[]") for anomaly in (True, *Anomaly)),
]
"""Searches that may find few notices among many, and the path by which they are found."""


def test_a_filter_that_may_find_few_notices_is_served_by_an_index() -> None:
    notice = notice_document(published(at(1), **BINDING).notice).whole | {"anomalies": ["paid_twice"]}
    indexed = {path for path, _ in indexing.terms(notice, POLICY)}

    for search, path in FEW:
        assert path.removesuffix("/[]").replace("/", "c.") in search_query(search).text
        assert path in indexed
    by_code = replace(Search(INSTITUTION, NOW), segregation_codes=frozenset({"47"}))
    assert "c.noticeNumber >= @code0 AND c.noticeNumber < @after0" in search_query(by_code).text
    assert "/creditorInstitution,/noticeNumber" in indexed


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.EXPIRED])
def test_notices_that_time_has_moved_to_a_status_are_found_by_the_time_of_their_change(status: Status) -> None:
    moved = [stored for stored in TRUE_NOW[status] if stored.started or stored.ended]

    assert search_query(Search(INSTITUTION, NOW, status=status)).text.count("c.nextChangeAt <= @now") == len(moved)


@pytest.mark.parametrize("codes", [("47",), ("46", "48"), ("47", "99"), ("00", "47", "48", "99")])
async def test_codes_are_found_by_the_whole_rule(store: CosmosNoticeStore, codes: tuple[str, ...]) -> None:
    every = [at(serial, code=code) for code in ("00", "46", "47", "48", "99") for serial in (0, 9_999_999_999_999)]
    others = [Address(INSTITUTION, type(every[0].number)(n)) for n in ("3479", "347" + "0" * 16, "34700000000000000X")]
    for address in [*every, *others]:
        await store.save(published(address))

    found = await listed(store, Search(INSTITUTION, NOW, segregation_codes=frozenset(codes)))

    assert found == [address for address in every if address.number.segregation_code in codes]
