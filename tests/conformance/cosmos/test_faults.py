"""What a client meets when the double fails on command, and what the SDK makes of it; the archive lives with both."""

import time

import pytest
from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosClientTimeoutError, CosmosHttpResponseError

from emulators.cosmos import CosmosDouble, Fault
from tests.conformance.cosmos.support import (
    Cosmos,
    a_notice,
    a_number,
    an_event,
    ask,
    content,
    key_of,
    missing,
    refused,
    save,
)

PAID = [{"op": "set", "path": "/status", "value": "PAID"}]


async def test_a_throttled_write_is_sent_again_until_it_is_taken(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=429, substatus=3200, retry_after=0.01, times=5))

    created = await archive.notices.create_item(a_notice(institution))

    assert created["status"] == "ACTIVE"
    assert double.log.statuses("Create") == [429] * 5 + [201]


async def test_a_throttled_write_waits_as_long_as_it_is_told(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=429, retry_after=0.3))
    started = time.monotonic()

    await archive.notices.create_item(a_notice(institution))

    assert time.monotonic() - started >= 0.3


async def test_a_write_that_is_always_throttled_is_given_up_after_nine_retries(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=429, substatus=3200, retry_after=0.01, times=None))

    with refused(429) as refusal:
        await archive.notices.create_item(a_notice(institution))

    assert double.log.count("Create") == 10
    assert isinstance(refusal.value, CosmosHttpResponseError)
    assert refusal.value.headers["x-ms-retry-after-ms"] == "10"
    double.faults.clear()
    assert await missing(archive.notices, "notice", key_of(a_notice(institution)))


@pytest.mark.parametrize(("status", "substatus"), [(449, 0), (410, 0), (410, 1002), (500, 0), (408, 0), (403, 0)])
async def test_a_failed_write_is_not_sent_again(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int, substatus: int
) -> None:
    """Not even 449, of which the service says that it may be: that is left to the caller."""
    double.inject(Fault(operation="Create", status=status, substatus=substatus))

    with refused(status):
        await archive.notices.create_item(a_notice(institution))

    assert double.log.count("Create") == 1
    assert await missing(archive.notices, "notice", key_of(a_notice(institution)))


async def test_a_write_that_met_a_service_that_is_unavailable_is_sent_again_once(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=503))
    await archive.notices.create_item(a_notice(institution))
    assert double.log.count("Create") == 2

    double.inject(Fault(operation="Upsert", status=503, times=None))
    with refused(503):
        await archive.notices.upsert_item(a_notice(institution))
    assert double.log.count("Upsert") == 2


@pytest.mark.parametrize("status", [503, 500, 408])
async def test_a_failed_read_is_sent_again(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int
) -> None:
    await save(archive.notices, a_notice(institution))
    double.inject(Fault(operation="Read", status=status))

    assert content(await archive.notices.read_item("notice", key_of(a_notice(institution)))) == a_notice(institution)

    assert double.log.statuses("Read") == [status, 200]


async def test_a_failed_query_is_sent_again(archive: Cosmos, double: CosmosDouble, institution: str) -> None:
    await save(archive.notices, a_notice(institution))
    double.inject(Fault(operation="Query", status=503))

    assert len(await ask(archive.notices, "SELECT * FROM c", partition_key=[institution, a_number(1)])) == 1

    assert double.log.statuses("Query") == [503, 200]


async def test_a_request_that_is_lost_on_its_way_is_sent_again(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    double.inject(Fault(operation="Create", drop="before"), Fault(operation="Read", drop="before", times=2))

    await archive.notices.create_item(notice)
    assert content(await archive.notices.read_item("notice", key_of(notice))) == notice

    assert double.log.statuses("Create") == [0, 201]
    assert double.log.statuses("Read") == [0, 0, 200]


async def test_a_creation_whose_answer_is_lost_conflicts_with_itself(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """The SDK sends it again although it was carried out, so that 409 does not say that somebody else was there."""
    notice = a_notice(institution)
    double.inject(Fault(operation="Create", drop="after"))

    with refused(409):
        await archive.notices.create_item(notice)

    assert content(await archive.notices.read_item("notice", key_of(notice))) == notice
    assert double.log.statuses("Create") == [0, 409]


async def test_a_replacement_whose_answer_is_lost_finds_its_own_etag(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    created = await archive.notices.create_item(a_notice(institution))
    paid = a_notice(institution, status="PAID")
    double.inject(Fault(operation="Replace", drop="after"))

    with refused(412):
        await archive.notices.replace_item(
            "notice", paid, etag=created["_etag"], match_condition=MatchConditions.IfNotModified
        )

    assert content(await archive.notices.read_item("notice", key_of(paid))) == paid
    assert double.log.count("Replace") == 2


async def test_a_deletion_whose_answer_is_lost_finds_nothing(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    await save(archive.notices, a_notice(institution))
    double.inject(Fault(operation="Delete", drop="after"))

    with refused(404):
        await archive.notices.delete_item("notice", key_of(a_notice(institution)))


async def test_an_increment_whose_answer_is_lost_is_made_twice(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """Which is why the archive never increments."""
    await save(archive.notices, a_notice(institution, amount=0))
    double.inject(Fault(operation="Patch", drop="after"))

    patched = await archive.notices.patch_item(
        "notice", key_of(a_notice(institution)), [{"op": "incr", "path": "/amount", "value": 1}]
    )

    assert patched["amount"] == 2


async def test_a_batch_whose_answer_is_lost_conflicts_with_itself(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    await save(archive.notices, notice)
    double.inject(Fault(operation="Batch", drop="after"))

    with refused(409):
        await archive.notices.execute_item_batch(
            [("create", (an_event(notice),)), ("patch", ("notice", PAID))], key_of(notice)
        )

    assert (await archive.notices.read_item("notice", key_of(notice)))["status"] == "PAID"
    assert content(await archive.notices.read_item("event-00000001", key_of(notice))) == an_event(notice)
    assert double.log.count("Batch") == 2


async def test_a_batch_that_is_lost_on_its_way_is_committed_once(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    double.inject(Fault(operation="Batch", drop="before"))

    await archive.notices.execute_item_batch([("create", (notice,)), ("create", (an_event(notice),))], key_of(notice))

    assert not await missing(archive.notices, "event-00000001", key_of(notice))


async def test_a_write_that_was_committed_may_still_be_answered_as_unavailable(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """503 is sent again by the SDK, even a write, and then conflicts with itself."""
    notice = a_notice(institution)
    double.inject(Fault(operation="Create", status=503, after_commit=True))

    with refused(409):
        await archive.notices.create_item(notice)

    assert not await missing(archive.notices, "notice", key_of(notice))


@pytest.mark.parametrize("status", [408, 500])
async def test_a_write_that_was_committed_may_still_be_answered_as_failed(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int
) -> None:
    notice = a_notice(institution)
    double.inject(
        Fault(operation="Create", status=status, after_commit=True),
        Fault(operation="Batch", status=status, after_commit=True),
    )

    with refused(status):
        await archive.notices.create_item(notice)
    with refused(status):
        await archive.notices.execute_item_batch([("patch", ("notice", PAID))], key_of(notice))

    assert (await archive.notices.read_item("notice", key_of(notice)))["status"] == "PAID"
    assert (double.log.count("Create"), double.log.count("Batch")) == (1, 1)


async def test_a_refusal_is_not_made_a_success_by_a_fault_after_the_commit(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """Nothing was committed, so the refusal itself is what is answered."""
    notice = a_notice(institution)
    await save(archive.notices, notice)
    double.inject(Fault(operation="Create", status=500, after_commit=True))

    with refused(409):
        await archive.notices.create_item({**notice, "amount": 1})


async def test_the_sdk_looks_at_its_timeout_only_between_attempts(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    """A call with `timeout=` lasts as long as the service takes: whoever must not wait bounds the call itself."""
    await save(archive.notices, a_notice(institution))
    double.inject(Fault(operation="Read", delay=0.6))
    started = time.monotonic()

    await archive.notices.read_item("notice", key_of(a_notice(institution)), timeout=0.2)

    assert time.monotonic() - started >= 0.6


async def test_the_sdk_gives_up_between_attempts_when_its_timeout_has_passed(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=429, retry_after=0.2, times=None))

    with pytest.raises(CosmosClientTimeoutError):
        await archive.notices.create_item(a_notice(institution), timeout=0.5)


async def test_a_slow_answer_is_asked_for_again_when_the_read_timeout_passes(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    await save(archive.notices, a_notice(institution))
    double.inject(Fault(operation="Read", hang="before"))

    await archive.notices.read_item("notice", key_of(a_notice(institution)), read_timeout=0.3)

    assert double.log.statuses("Read")[0] == 0
    assert double.log.statuses("Read")[-1] == 200
