"""What a client sees of its own writes and of those of others, and what a request costs."""

from typing import Any

import pytest
from azure.core.utils import CaseInsensitiveDict
from azure.cosmos.exceptions import CosmosResourceExistsError, CosmosResourceNotFoundError

from emulators.cosmos import CosmosDouble, Fault
from tests.conformance.cosmos.support import (
    Cosmos,
    Document,
    Target,
    a_notice,
    an_event,
    ask,
    key_of,
    missing,
    read_feed,
    refused,
    save,
    serials,
)

PAID = [{"op": "set", "path": "/status", "value": "PAID"}]
LAGGING = Fault(stale=1, times=None)
"""Every read finds a replica that lags behind."""


def position(item: Any) -> int:
    """Return how far a session token leads: range, version, then a sequence number, `0:-1#42` for one region."""
    token: str = item.get_response_headers()["x-ms-session-token"]
    return int(token.split("#")[1])


async def a_paid_notice(cosmos: Cosmos, institution: str) -> Document:
    """Create a notice and change it, so that a replica may lag behind; return it as it was created."""
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    await cosmos.notices.patch_item("notice", key_of(notice), PAID)
    return notice


def charge(item: Any) -> float:
    """Return what a request cost, in request units."""
    return float(item.get_response_headers()["x-ms-request-charge"])


async def test_every_write_moves_the_session_on(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)

    written = [
        await cosmos.notices.create_item(notice),
        await cosmos.notices.replace_item("notice", notice),
        await cosmos.notices.patch_item("notice", key_of(notice), PAID),
        await cosmos.notices.upsert_item(notice),
        await cosmos.notices.execute_item_batch([("create", (an_event(notice),))], key_of(notice)),
    ]

    positions = [position(item) for item in written]
    assert positions == sorted(set(positions))


async def test_a_read_is_as_far_on_as_the_write_before_it(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution))

    read = await cosmos.notices.read_item("notice", key_of(created))

    assert position(read) >= position(created)


async def test_a_client_reads_its_own_writes(cosmos: Cosmos, institution: str, target: Target) -> None:
    if target.double:
        target.double.inject(LAGGING)
    notice = a_notice(institution)

    await cosmos.notices.create_item(notice)
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["status"] == "ACTIVE"

    await cosmos.notices.replace_item("notice", {**notice, "status": "CLOSED"})
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["status"] == "CLOSED"

    await cosmos.notices.patch_item("notice", key_of(notice), PAID)
    found = await ask(cosmos.notices, "SELECT VALUE c.status FROM c", partition_key=key_of(notice))
    assert found == ["PAID"]

    await cosmos.notices.delete_item("notice", key_of(notice))
    assert await missing(cosmos.notices, "notice", key_of(notice))


async def test_another_client_may_not_see_the_last_writes_yet(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """A replica lags behind as a whole: what it lacks of one key comes after all that it has of every key."""
    notice, new = a_notice(institution, 1), a_notice(institution, 2)
    await cosmos.notices.create_item(notice)
    await cosmos.notices.patch_item("notice", key_of(notice), PAID)
    await cosmos.notices.create_item(new)
    double.inject(Fault(stale=2, times=None))

    seen = await other.notices.read_item("notice", key_of(notice))

    assert seen["status"] == "ACTIVE"
    assert await missing(other.notices, "notice", key_of(new))
    assert await ask(other.notices, "SELECT * FROM c", partition_key=key_of(new)) == []
    assert (await cosmos.notices.read_item("notice", key_of(notice)))["status"] == "PAID"


async def test_a_replica_that_lacks_a_deletion_still_has_the_item(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    await cosmos.notices.delete_item("notice", key_of(notice))
    double.inject(LAGGING)

    assert not await missing(other.notices, "notice", key_of(notice))
    assert await missing(cosmos.notices, "notice", key_of(notice))


async def test_a_replica_shows_a_batch_whole_or_not_at_all(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    batch = [("create", (an_event(notice),)), ("patch", ("notice", PAID)), ("patch", ("notice", PAID))]
    await cosmos.notices.execute_item_batch(batch, key_of(notice))
    double.inject(LAGGING)

    found = await ask(other.notices, "SELECT VALUE c.status FROM c", partition_key=key_of(notice))

    assert found == ["ACTIVE"]


async def test_a_feed_of_a_replica_that_lags_leads_on_from_what_it_showed(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    await save(cosmos.notices, *(a_notice(institution, serial) for serial in (1, 2, 3)))
    double.inject(Fault("ChangeFeed", stale=2, times=None))
    first, token = await read_feed(other.notices, start_time="Beginning")
    double.faults.clear()

    rest, _ = await read_feed(other.notices, continuation=token)

    assert (serials(first), serials(rest)) == ([1], [2, 3])


async def test_a_refusal_proves_how_things_stand_as_an_answer_does(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = await a_paid_notice(cosmos, institution)
    with refused(409):
        await other.notices.create_item(notice)
    double.inject(LAGGING)

    assert (await other.notices.read_item("notice", key_of(notice)))["status"] == "PAID"


async def test_a_stale_answer_proves_no_later_sight(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = await a_paid_notice(cosmos, institution)
    double.inject(LAGGING)

    seen = [(await other.notices.read_item("notice", key_of(notice)))["status"] for _ in range(3)]

    assert seen == ["ACTIVE"] * 3


async def test_what_a_client_has_once_seen_it_sees_ever_after(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = await a_paid_notice(cosmos, institution)
    assert (await other.notices.read_item("notice", key_of(notice)))["status"] == "PAID"
    double.inject(LAGGING)

    assert (await other.notices.read_item("notice", key_of(notice)))["status"] == "PAID"


async def test_a_session_may_be_handed_to_another_client(
    cosmos: Cosmos, other: Cosmos, target: Target, institution: str
) -> None:
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    paid = await cosmos.notices.patch_item("notice", key_of(notice), PAID)
    token = paid.get_response_headers()["x-ms-session-token"]
    if target.double:
        target.double.inject(LAGGING)

    read = await other.notices.read_item("notice", key_of(notice), session_token=token)
    found = await ask(other.notices, "SELECT VALUE c.status FROM c", partition_key=key_of(notice), session_token=token)

    assert (read["status"], found) == ("PAID", ["PAID"])


@pytest.mark.parametrize("ranges", [1, 4])
async def test_a_query_proves_what_it_saw_of_every_partition(cosmos: Cosmos, institution: str, ranges: int) -> None:
    await save(cosmos.notices, a_notice(institution))
    told: list[CaseInsensitiveDict] = []

    await ask(cosmos.notices, "SELECT * FROM c", response_hook=lambda headers, _: told.append(headers))

    tokens = ",".join(headers["x-ms-session-token"] for headers in told).split(",")
    assert len({token.partition(":")[0] for token in tokens}) == ranges


async def test_the_sdk_does_not_remember_the_session_of_a_batch(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """Whoever wrote by a batch and reads it back hands the token over itself, from the headers of the answer."""
    notice = a_notice(institution)
    await cosmos.notices.create_item(notice)
    answer = await cosmos.notices.execute_item_batch([("patch", ("notice", PAID))], key_of(notice))
    token = answer.get_response_headers()["x-ms-session-token"]
    double.inject(LAGGING)

    unaware = await cosmos.notices.read_item("notice", key_of(notice))
    aware = await cosmos.notices.read_item("notice", key_of(notice), session_token=token)

    assert (unaware["status"], aware["status"]) == ("ACTIVE", "PAID")


async def test_a_batch_and_a_condition_are_never_decided_on_what_is_stale(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """Writes are decided where they are committed; only reads lag."""
    notice = await a_paid_notice(cosmos, institution)
    double.inject(LAGGING)

    with refused(409):
        await other.notices.execute_item_batch([("create", (notice,))], key_of(notice))
    with refused(412):
        await other.notices.patch_item(
            "notice", key_of(notice), PAID, filter_predicate="FROM c WHERE c.status = 'ACTIVE'"
        )


async def test_a_session_that_no_replica_has_reached_is_not_available(
    cosmos: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """404 with substatus 1002, which is not that the item is missing; the SDK asks a second time."""
    created = await cosmos.notices.create_item(a_notice(institution))
    token = created.get_response_headers()["x-ms-session-token"]
    far = token.replace(f"#{position(created)}", "#99999999")
    double.log.clear()

    with refused(404) as refusal:
        await cosmos.notices.read_item("notice", key_of(created), session_token=far)

    assert isinstance(refusal.value, CosmosResourceNotFoundError)
    assert refusal.value.sub_status == 1002
    assert double.log.count("Read") == 2


async def test_a_client_may_ask_for_less_than_the_account_gives(target: Target, institution: str) -> None:
    async with target.connected(consistency_level="Eventual") as eventual:
        await eventual.notices.create_item(a_notice(institution))

        assert not await missing(eventual.notices, "notice", key_of(a_notice(institution)))


@pytest.mark.parametrize("level", ["Strong", "BoundedStaleness"])
async def test_a_client_may_not_ask_for_more_than_the_account_gives(
    target: Target, institution: str, level: str
) -> None:
    async with target.connected(consistency_level=level) as strict:
        with refused(400):
            await strict.notices.read_item("notice", key_of(a_notice(institution)))


@pytest.mark.parametrize("consistency", ["Strong"])
async def test_nobody_reads_what_is_stale_under_strong_consistency(
    cosmos: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = await a_paid_notice(cosmos, institution)
    double.inject(LAGGING)

    assert (await other.notices.read_item("notice", key_of(notice)))["status"] == "PAID"


async def test_a_point_read_of_a_kilobyte_costs_one_unit(cosmos: Cosmos, institution: str) -> None:
    created = await cosmos.notices.create_item(a_notice(institution, text="x" * 400))

    read = await cosmos.notices.read_item("notice", key_of(created))

    assert charge(read) == 1.0


@pytest.mark.parametrize("consistency", ["BoundedStaleness", "Strong"])
async def test_a_point_read_costs_twice_as_much_under_strict_consistency(
    cosmos: Cosmos, target: Target, institution: str
) -> None:
    """Such a read asks two replicas; a client that asks for less pays less."""
    created = await cosmos.notices.create_item(a_notice(institution, text="x" * 400))

    read = await cosmos.notices.read_item("notice", key_of(created))
    async with target.connected(consistency_level="Eventual") as eventual:
        cheap = await eventual.notices.read_item("notice", key_of(created))

    assert (charge(read), charge(cheap)) == (2.0, 1.0)


async def test_every_request_tells_what_it_cost(cosmos: Cosmos, institution: str) -> None:
    notice = a_notice(institution)
    key = key_of(notice)
    told: list[CaseInsensitiveDict] = []

    created = await cosmos.notices.create_item(notice)
    replaced = await cosmos.notices.replace_item("notice", {**notice, "status": "PAID"})
    batch = await cosmos.notices.execute_item_batch([("create", (an_event(notice),)), ("read", ("notice",))], key)
    await ask(
        cosmos.notices, "SELECT * FROM c", partition_key=key, response_hook=lambda headers, _: told.append(headers)
    )
    await cosmos.notices.delete_item("notice", key, response_hook=lambda headers, _: told.append(headers))

    query, deletion = (float(headers["x-ms-request-charge"]) for headers in told)
    assert charge(replaced) > charge(created) > 1
    assert charge(batch) >= sum(operation["requestCharge"] for operation in batch) > 1
    assert query > 1
    assert deletion > 1


async def test_a_refusal_tells_what_it_cost(cosmos: Cosmos, institution: str) -> None:
    await save(cosmos.notices, a_notice(institution))

    with refused(409) as refusal:
        await cosmos.notices.create_item(a_notice(institution))

    assert isinstance(refusal.value, CosmosResourceExistsError)
    assert float(refusal.value.headers["x-ms-request-charge"]) > 0
