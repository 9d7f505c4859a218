"""What is refused rather than answered somehow: what the service refuses, and what our double does not implement."""

from collections.abc import AsyncIterator

import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble
from tests.conformance.cosmos.support import Cosmos, Target, a_notice, a_number, ask, read_feed, refused

OF = "SELECT * FROM c WHERE c.creditorInstitution = @institution"


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("limit", ["SELECT TOP 1 *", "SELECT *"])
async def test_the_double_refuses_to_sort_what_lies_under_a_part_of_the_key(
    cosmos: Cosmos, institution: str, limit: str
) -> None:
    """The service sorts each partition, and the SDK puts one after the other: after a split the list is out of order.

    dotnet-v3 #4472 is the same fault, mended there. A list leaves the partition key out instead.
    """
    with refused(400) as refusal:
        await ask(
            cosmos.notices,
            f"{limit} FROM c ORDER BY c.creditorInstitution, c.noticeNumber",
            partition_key=[institution],
        )

    assert "ORDER BY" in str(refusal.value)


@pytest.mark.parametrize("path", ["c.amount", "c.debtor.fullName", "c.noticeNumber", "c.nextChangeAt.inner"])
async def test_sorting_by_what_is_not_indexed_is_refused(cosmos: Cosmos, institution: str, path: str) -> None:
    await cosmos.notices.create_item(a_notice(institution))

    with refused(400):
        await ask(cosmos.notices, f"{OF} ORDER BY {path}", {"institution": institution})
    with refused(400):
        await ask(cosmos.notices, f"SELECT * FROM c ORDER BY {path}", partition_key=[institution, a_number(1)])


@pytest.mark.parametrize(
    "order",
    [
        "c.creditorInstitution, c.status",
        "c.noticeNumber, c.creditorInstitution",
        "c.creditorInstitution DESC, c.noticeNumber",
        "c.creditorInstitution, c.noticeNumber, c.updatedAt",
    ],
)
async def test_sorting_by_several_properties_without_their_composite_index_is_refused(
    cosmos: Cosmos, institution: str, order: str
) -> None:
    """An index serves its own order and the reverse of it, all of it."""
    await cosmos.notices.create_item(a_notice(institution))

    with refused(400):
        await ask(cosmos.notices, f"{OF} ORDER BY {order}", {"institution": institution})
    with refused(400):
        await ask(cosmos.notices, f"SELECT * FROM c ORDER BY {order}", partition_key=[institution, a_number(1)])


async def test_a_filter_needs_no_index(cosmos: Cosmos, institution: str) -> None:
    """It is slow and dear, and answered."""
    await cosmos.notices.create_item(a_notice(institution))

    assert len(await ask(cosmos.notices, f"{OF} AND c.amount = 12050", {"institution": institution})) == 1


async def test_a_wrong_key_is_refused(target: Target) -> None:
    endpoint, _, _ = target.connection_string.partition(";AccountKey=")
    client = CosmosClient.from_connection_string(f"{endpoint};AccountKey=AAAA;")

    # Entered as a context that fails to open, it would not be closed.
    with refused(401):
        await client.get_database_client(target.database).read()

    await client.close()


@pytest.fixture
async def impatient(target: Target) -> AsyncIterator[Cosmos]:
    """Yield a client that does not ask again after a failure of the service; 501 is one to the SDK."""
    async with target.connected(enable_endpoint_discovery=False) as impatient:
        yield impatient


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT c.status, COUNT(1) AS n FROM c GROUP BY c.status",
        "SELECT VALUE t FROM c JOIN t IN c.transfers",
        "SELECT * FROM c WHERE c.status LIKE 'PA%'",
    ],
)
async def test_what_the_double_does_not_know_of_sql_is_said_and_not_guessed(
    impatient: Cosmos, institution: str, query: str
) -> None:
    with refused(501) as refusal:
        await ask(impatient.notices, query, partition_key=[institution, a_number(1)])

    assert "does not implement" in str(refusal.value)


async def test_the_double_has_no_feed_of_all_versions(impatient: Cosmos, double: CosmosDouble) -> None:
    with refused(501) as refusal:
        await read_feed(impatient.notices, mode="AllVersionsAndDeletes")

    assert "does not implement" in str(refusal.value)
    assert double.log.count("ChangeFeed", status=501) == 1


@pytest.mark.usefixtures("double")
async def test_the_double_has_no_stored_procedures(cosmos: Cosmos) -> None:
    with refused(501) as refusal:
        await cosmos.notices.scripts.create_stored_procedure({"id": "procedure", "body": "function () {}"})

    assert "does not implement" in str(refusal.value)
