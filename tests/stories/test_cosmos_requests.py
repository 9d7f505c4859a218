"""What each verb sends to Cosmos DB, request by request, and what that costs beside the way it is usually done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from emulators.cosmos import CosmosDouble
from shared.archive import Archive
from shared.bootstrap import Application
from shared.documents import event_document, notice_document
from shared.domain.dates import ValidFrom
from shared.domain.identifiers import Iuv
from shared.domain.lifecycle import EventType
from shared.domain.notice import Address, Change
from shared.ports import Search
from shared.settings import CosmosStore
from tests.conftest import PLATFORM_KEY
from tests.functions.positions import CALL, a_position
from tests.functions.queues import project
from tests.stores import account_of
from tests.support import ADDRESS, DAY, HOUR, INSTITUTION, NOW, NUMBER, a_number, a_publication, an_act, an_institution

ROOT = Path(__file__).parents[2]
STRICT, LENIENT = an_institution(), an_institution(lenient=True)
ALREADY = {"Account", "ReadContainer", "PartitionKeyRanges"}
"""What a client asks once in its life."""


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> CosmosStore:
    """Return the account whose requests are counted."""
    return account_of(cosmos)


@pytest.fixture
async def archive(application: Application, cosmos: CosmosDouble) -> Archive:
    """Return an archive that has met the account before."""
    await application.archive.publish(a_publication(Address(INSTITUTION, a_number(99))), STRICT, an_act())
    await application.archive.list(Search(INSTITUTION, NOW))
    cosmos.log.clear()
    return application.archive


def sent(cosmos: CosmosDouble) -> list[str]:
    """Return the requests since the last time, and forget them."""
    operations = [request.operation for request in cosmos.log if request.container == "notices"]
    cosmos.log.clear()
    return operations


async def test_a_new_notice_is_one_batch(archive: Archive, cosmos: CosmosDouble) -> None:
    await archive.publish(a_publication(), STRICT, an_act())

    assert sent(cosmos) == ["Batch"]


@pytest.mark.parametrize("institution", ["1" * 4_000, "citt%C3%A0", "1%00", "1234567890A"])
async def test_an_institution_or_a_number_that_cannot_be_one_is_not_asked_for(
    archive: Archive, cosmos: CosmosDouble, http: httpx.AsyncClient, institution: str
) -> None:
    answers = [
        await http.get(f"/creditor-institutions/{institution}/notices", headers=PLATFORM_KEY),
        await http.get(f"/creditor-institutions/{institution}/notices/{NUMBER}", headers=PLATFORM_KEY),
        await http.get(f"/creditor-institutions/{INSTITUTION}/notices/{institution}-", headers=PLATFORM_KEY),
        await http.get(f"/creditor-institutions/{INSTITUTION}/notices/{institution}-/events", headers=PLATFORM_KEY),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert sent(cosmos) == []


async def test_the_same_notice_again_is_a_refused_batch_and_a_look(archive: Archive, cosmos: CosmosDouble) -> None:
    await archive.publish(a_publication(), STRICT, an_act())
    sent(cosmos)

    await archive.publish(a_publication(), STRICT, an_act())

    assert sent(cosmos) == ["Batch", "Batch"]


async def test_another_content_of_a_known_notice_is_one_more(archive: Archive, cosmos: CosmosDouble) -> None:
    await archive.publish(a_publication(), STRICT, an_act())
    sent(cosmos)

    await archive.publish(a_publication(amount=1), STRICT, an_act())

    assert sent(cosmos) == ["Batch", "Batch", "Batch"]


async def test_an_amendment_is_a_read_and_a_batch(archive: Archive, cosmos: CosmosDouble) -> None:
    await archive.publish(a_publication(), STRICT, an_act())
    sent(cosmos)

    await archive.amend(ADDRESS, {"description": "b"}, STRICT, an_act())
    assert sent(cosmos) == ["Read", "Batch"]
    await archive.declare(ADDRESS, EventType.CANCELLED, an_act())
    assert sent(cosmos) == ["Read", "Batch"]


async def test_what_time_has_done_to_a_notice_is_one_batch_for_all_of_it(
    archive: Archive, cosmos: CosmosDouble
) -> None:
    dates: dict[str, Any] = {"valid_from": ValidFrom(NOW + HOUR, False), "switch_to_expired": True}
    await archive.publish(a_publication(ADDRESS, **dates), STRICT, an_act())
    await archive.publish(a_publication(Address(INSTITUTION, a_number(2)), switch_to_expired=True), STRICT, an_act())
    sent(cosmos)

    assert await archive.apply_due_changes(an_act(NOW + 30 * DAY), NOW + HOUR) == 2

    requests = sent(cosmos)
    assert requests.count("Batch") == 2
    assert {*requests} == {"Query", "Batch"}, "nothing is read again"
    assert [event.type for event in (await archive.history(ADDRESS)).events] == ["published", "activated", "expired"]


async def test_a_notice_is_one_read_and_a_page_of_its_history_one_query_more(
    archive: Archive, cosmos: CosmosDouble
) -> None:
    await archive.publish(a_publication(), STRICT, an_act())
    sent(cosmos)

    await archive.get(ADDRESS)
    assert sent(cosmos) == ["Read"]
    await archive.history(ADDRESS)
    assert sent(cosmos) == ["Read", "Query"]


async def test_whether_a_notice_is_payable_is_one_read_and_the_institution_is_remembered(
    archive: Archive, cosmos: CosmosDouble, http: httpx.AsyncClient
) -> None:
    url = f"/creditor-institutions/{INSTITUTION}/notices/{NUMBER}/payability"
    await archive.publish(a_publication(), STRICT, an_act())
    await http.get(url, headers=PLATFORM_KEY)
    cosmos.log.clear()

    answer = await http.get(url, headers=PLATFORM_KEY)

    assert answer.json()["payable"] is True
    assert [(request.container, request.operation) for request in cosmos.log] == [("notices", "Read")]


@pytest.mark.parametrize("limit", [2, 3, 4])
async def test_a_page_of_a_list_of_a_debtor_is_one_query_also_when_it_is_just_full(
    archive: Archive, application: Application, cosmos: CosmosDouble, http: httpx.AsyncClient, limit: int
) -> None:
    for serial in (1, 2):  # the archive has a third one
        await archive.publish(a_publication(Address(INSTITUTION, a_number(serial))), STRICT, an_act())
    await project(application)
    headers = {**PLATFORM_KEY, "x-tax-code": "RSSMRA80A01H501U"}
    await http.get("/debtors/notices", headers=headers)
    cosmos.log.clear()

    answer = await http.get("/debtors/notices", params={"limit": limit}, headers=headers)

    assert len(answer.json()["items"]) == min(limit, 3)
    assert [(request.container, request.operation) for request in cosmos.log] == [("notices-by-debtor", "Query")]


async def test_a_page_of_a_list_is_one_query_of_the_partition_that_holds_the_institution(
    archive: Archive, cosmos: CosmosDouble
) -> None:
    await archive.list(Search(INSTITUTION, NOW))

    assert sent(cosmos) == ["Query"]


async def test_a_page_of_an_institution_that_was_split_is_a_query_of_each_partition(
    archive: Archive, cosmos: CosmosDouble
) -> None:
    cosmos.split("archive", "notices", at=[INSTITUTION, a_number(50)])
    await archive.list(Search(INSTITUTION, NOW))
    sent(cosmos)

    await archive.list(Search(INSTITUTION, NOW))

    assert sent(cosmos) == ["Query"] * 3


async def test_an_iuv_of_its_own_costs_a_lenient_institution_two_reads_and_a_creation(
    archive: Archive, cosmos: CosmosDouble
) -> None:
    await archive.publish(replace(a_publication(), iuv=Iuv("IUV1")), LENIENT, an_act())

    assert sent(cosmos) == ["Read", "Read", "Create", "Batch"]


async def test_pa_create_position_without_a_number_is_three_at_most(
    http: httpx.AsyncClient, archive: Archive, cosmos: CosmosDouble
) -> None:
    answer = await http.post(CALL, json=a_position())

    assert answer.status_code == 200
    assert len(sent(cosmos)) <= 3


async def test_a_publish_and_a_get_cost_what_is_written_and_little_beside_the_usual_way(
    archive: Archive, cosmos: CosmosDouble, usual: "Usual"
) -> None:
    change = await archive.publish(a_publication(), STRICT, an_act())
    published = cosmos.log.charge()
    await archive.get(ADDRESS)
    ours = cosmos.log.charge()
    cosmos.log.clear()

    await usual.publish(change)
    usually_published = cosmos.log.charge()
    await usual.get(ADDRESS)
    usually = cosmos.log.charge()

    table = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for figure in (published, ours - published, ours, usually_published, usually - usually_published, usually):
        assert f" {figure:.2f} " in table
    assert f" {ours / usually:.2f} " in table
    assert ours <= 0.6 * usually


class Usual:
    """How it is usually done: everything indexed, look whether it is there, write it, then write the event."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    async def publish(self, change: Change) -> None:
        notice, (event,) = notice_document(change.notice).whole, change.events
        key = [notice["creditorInstitution"], notice["noticeNumber"]]
        query = "SELECT * FROM c WHERE c.id = 'notice'"
        assert [found async for found in self._container.query_items(query, partition_key=key)] == []
        await self._container.upsert_item(notice)
        await self._container.create_item(event_document(event))

    async def get(self, address: Address) -> Any:
        return await self._container.read_item("notice", [address.creditor_institution, address.number])


@pytest.fixture
async def usual(cosmos: CosmosDouble) -> AsyncIterator[Usual]:
    """Yield the usual way, in a container of its own of the same account."""
    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        database = client.get_database_client("archive")
        key = PartitionKey(["/creditorInstitution", "/noticeNumber"])
        usual = Usual(await database.create_container("usual", key))
        with pytest.raises(CosmosResourceNotFoundError):
            await usual.get(ADDRESS)
        cosmos.log.clear()
        yield usual
