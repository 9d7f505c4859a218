"""The debtors' lists of Cosmos DB keep the contract, also when answers are lost. A page is one query."""

from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_debtors import CosmosDebtors
from shared.ports import REMOVED_FOR, DebtorIndex
from shared.telemetry import StoreCall
from tests.contracts.debtor_index import DEBTOR, DebtorIndexContract, an_entry, at, gone
from tests.stores import account_of, an_account
from tests.support import HOUR, INSTITUTION, NOW, a_number


@pytest.fixture
def calls() -> list[StoreCall]:
    """Return the calls that the index makes."""
    return []


@pytest.fixture
async def index(cosmos: CosmosDouble, calls: list[StoreCall]) -> AsyncIterator[CosmosDebtors]:
    """Yield the index, in an account of two physical partitions."""
    client = Cosmos(account_of(cosmos), budget=60, observe=calls.append)
    yield CosmosDebtors(client)
    await client.close()


class TestCosmosDebtors(DebtorIndexContract):
    """DebtorIndex on Cosmos DB."""

    @pytest.fixture
    def index(self, index: DebtorIndex) -> DebtorIndex:
        return index


async def test_a_new_notice_costs_one_write(index: DebtorIndex, calls: list[StoreCall]) -> None:
    await index.put(an_entry(version=1), NOW)

    assert [call.operation for call in calls] == ["write"]


async def test_a_page_is_one_query(index: DebtorIndex, calls: list[StoreCall]) -> None:
    await index.put(an_entry(), NOW)
    calls.clear()

    await index.open_notices(DEBTOR, NOW)

    assert [call.operation for call in calls] == ["open_notices"]


async def test_a_page_costs_no_more_than_in_an_account_of_weaker_consistency(
    index: DebtorIndex, calls: list[StoreCall]
) -> None:
    async with an_account(ranges=2, consistency="Session") as lax:
        client = Cosmos(account_of(lax), budget=60, observe=calls.append)
        for each in (index, CosmosDebtors(client)):
            await each.put(an_entry(), NOW)
            await each.open_notices(DEBTOR, NOW)
        await client.close()

    ours, weaker = [call.charge for call in calls if call.operation == "open_notices"]
    assert ours == weaker


async def test_a_write_whose_answer_is_lost_is_done_once(index: DebtorIndex, cosmos: CosmosDouble) -> None:
    for entry in (an_entry(version=1), an_entry(version=2, amount=1), gone(version=3), an_entry(version=4, amount=2)):
        cosmos.inject(Fault(container="notices-by-debtor", drop="after", times=1))
        await index.put(entry, NOW)

    assert await index.open_notices(DEBTOR, NOW) == [an_entry(version=4, amount=2).notice]


async def test_a_repair_writes_only_a_difference(index: DebtorIndex, calls: list[StoreCall]) -> None:
    await index.put(an_entry(version=2), NOW)
    calls.clear()

    await index.put(an_entry(version=2), NOW, repair=True)

    assert [call.operation for call in calls] == ["read"]


async def test_an_entry_is_this_document_and_only_one_without_a_notice_has_a_time_to_live(
    index: DebtorIndex, cosmos: CosmosDouble
) -> None:
    listed = an_entry(1).notice
    assert listed is not None
    await index.put(replace(an_entry(1), payable_from=NOW, payable_until=NOW + HOUR), NOW)
    await index.put(gone(2), NOW)

    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        container = client.get_database_client("archive").get_container_client("notices-by-debtor")
        items = [item async for item in container.read_all_items()]

    one, other = [{name: item[name] for name in item if not name.startswith("_")} for item in items]
    assert one == {
        "id": f"{INSTITUTION}.{a_number(1)}",
        "debtorKey": DEBTOR,
        "schema": 1,
        "creditorInstitution": INSTITUTION,
        "noticeNumber": a_number(1),
        "version": 1,
        "place": f"2026-12-16 {INSTITUTION} {a_number(1)}",
        "payableFrom": "2026-11-23T10:00:00.000Z",
        "payableUntil": "2026-11-23T11:00:00.000Z",
        "notice": orjson.loads(listed.json),
    }
    assert other == {
        "id": f"{INSTITUTION}.{a_number(2)}",
        "debtorKey": DEBTOR,
        "schema": 1,
        "creditorInstitution": INSTITUTION,
        "noticeNumber": a_number(2),
        "version": 2,
        "ttl": REMOVED_FOR.total_seconds(),
    }


async def test_a_damaged_entry_is_logged_and_hides_no_other(
    index: DebtorIndex, cosmos: CosmosDouble, caplog: pytest.LogCaptureFixture
) -> None:
    for serial in range(1, 8):
        await index.put(an_entry(serial), NOW)
    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        container = client.get_database_client("archive").get_container_client("notices-by-debtor")
        for serial, missing in ((2, "notice"), (3, "noticeNumber")):
            item = await container.read_item(f"{at(serial).creditor_institution}.{at(serial).number}", DEBTOR)
            await container.replace_item(item["id"], {name: each for name, each in item.items() if name != missing})

    found = await index.open_notices(DEBTOR, NOW, limit=3)

    assert [notice.address for notice in found] == [at(1), at(4), at(5)]
    assert caplog.text.count("document_unreadable") == 2


async def test_after_that_time_it_is_gone_and_every_other_entry_stays(index: DebtorIndex, cosmos: CosmosDouble) -> None:
    await index.put(gone(1), NOW)
    await index.put(gone(2), NOW)
    await index.put(an_entry(2, version=3), NOW)
    await index.put(an_entry(3), NOW)

    cosmos.advance(REMOVED_FOR.total_seconds() + 1)

    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        container = client.get_database_client("archive").get_container_client("notices-by-debtor")
        found = {item["noticeNumber"] async for item in container.read_all_items()}
    assert found == {a_number(2), a_number(3)}


async def test_another_debtor_is_another_partition(index: DebtorIndex, cosmos: CosmosDouble) -> None:
    await index.put(an_entry(), NOW)
    await index.put(replace(an_entry(), debtor="one:another"), NOW)

    async with CosmosClient(cosmos.endpoint, cosmos.key) as client:
        container = client.get_database_client("archive").get_container_client("notices-by-debtor")
        assert [item["debtorKey"] async for item in container.query_items("SELECT * FROM c", partition_key=DEBTOR)] == [
            DEBTOR
        ]
