"""Answers that no client can use, and what the SDK makes of them: a gateway or a broken proxy sends such answers."""

import asyncio
import zlib
from typing import Any

import pytest
from azure.core.exceptions import DecodeError
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from emulators.cosmos import CosmosDouble, Fault
from tests.conformance.cosmos.support import (
    PATIENCE,
    Cosmos,
    Document,
    a_notice,
    a_number,
    an_event,
    ask,
    key_of,
    missing,
    refused,
    save,
    statuses,
)

PAGE = "<html><h1>404 Not Found</h1></html>"


async def write_both(archive: Cosmos, notice: Document) -> list[Any]:
    """Create the notice and its first event in one batch."""
    operations: list[Any] = [("create", (notice,)), ("create", (an_event(notice),))]
    return await archive.notices.execute_item_batch(operations, partition_key=key_of(notice))


@pytest.mark.parametrize(
    ("status", "body", "results"),
    [
        (207, "[]", []),
        (200, "{}", []),
        (200, '[{"statusCode":201}]', [201]),
        (207, '[{"statusCode":304},{"statusCode":304}]', [304, 304]),
    ],
)
async def test_the_sdk_takes_any_list_of_results_for_a_committed_batch(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int, body: str, results: list[int]
) -> None:
    double.inject(Fault("Batch", status=status, body=body))

    answered = await write_both(archive, a_notice(institution))

    assert [result["statusCode"] for result in answered] == results
    assert await missing(archive.notices, "notice", key_of(a_notice(institution)))


@pytest.mark.parametrize("status", [429, 449])
async def test_one_throttled_operation_fails_the_batch_with_its_status(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int
) -> None:
    """The SDK does not send such a batch again. The wait is in the result of the operation, not in a header."""
    notice = a_notice(institution)
    double.inject(Fault("Batch", status=status, retry_after=0.25, result=1))

    with refused(status) as refusal:
        await write_both(archive, notice)

    assert statuses(refusal) == [424, status]
    assert isinstance(refusal.value, CosmosBatchOperationError)
    assert refusal.value.operation_responses[1]["retryAfterMilliseconds"] == 250
    assert double.log.statuses("Batch") == [207]
    assert await missing(archive.notices, "notice", key_of(notice))


@pytest.mark.parametrize("status", [404, 409, 412])
async def test_a_query_can_be_refused_as_a_write_is(
    archive: Cosmos, double: CosmosDouble, institution: str, status: int
) -> None:
    double.inject(Fault("Query", status=status))

    with refused(status):
        await ask(archive.notices, "SELECT * FROM c", partition_key=[institution, a_number(1)])


@pytest.mark.parametrize("body", ["", "[]", "{}", "null"])
async def test_the_sdk_gives_an_empty_item_for_a_body_without_one(
    archive: Cosmos, double: CosmosDouble, institution: str, body: str
) -> None:
    double.inject(Fault("Read", status=200, body=body), Fault("Create", status=201, body=body))

    assert await archive.notices.read_item("notice", [institution, a_number(1)]) == {}
    assert await archive.notices.create_item(a_notice(institution)) == {}


@pytest.mark.parametrize(
    ("body", "error"), [("", TypeError), ("[]", TypeError), ("null", TypeError), ("{}", KeyError), (PAGE, DecodeError)]
)
async def test_the_sdk_stumbles_over_a_page_without_items(
    archive: Cosmos, double: CosmosDouble, institution: str, body: str, error: type[Exception]
) -> None:
    double.inject(Fault("Query", status=200, body=body))

    with pytest.raises(error):
        await ask(archive.notices, "SELECT * FROM c", partition_key=[institution, a_number(1)])


async def test_the_sdk_lets_the_error_of_false_gzip_through(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault("Read", status=200, body="no gzip", headers={"content-encoding": "gzip"}))

    with pytest.raises(zlib.error):
        await archive.notices.read_item("notice", [institution, a_number(1)])


async def test_the_sdk_lets_the_error_of_a_wait_that_is_no_number_through(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault("Read", status=429, headers={"x-ms-retry-after-ms": "abc"}))

    with pytest.raises(ValueError, match="abc"):
        await archive.notices.read_item("notice", [institution, a_number(1)])


async def test_the_page_of_a_gateway_looks_like_a_missing_item_but_for_its_headers(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault("Read", status=404, body=PAGE, headers={"content-type": "text/html"}))

    with refused(404) as refusal:
        await archive.notices.read_item("notice", [institution, a_number(1)])

    assert isinstance(refusal.value, CosmosHttpResponseError)
    assert not [name for name in refusal.value.headers or () if name.lower().startswith("x-ms-")]


async def test_a_body_in_place_of_an_answer_can_come_after_the_commit(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault("Batch", status=200, body="[]", after_commit=True))

    assert await write_both(archive, a_notice(institution)) == []

    assert not await missing(archive.notices, "notice", key_of(a_notice(institution)))


@pytest.mark.parametrize("hang", ["before", "after"])
async def test_a_call_that_is_given_up_may_have_been_carried_out(
    archive: Cosmos, double: CosmosDouble, institution: str, hang: Any
) -> None:
    notice = a_notice(institution)
    double.inject(Fault("Create", hang=hang))

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        write = group.create_task(save(archive.notices, notice))
        await double.log.wait_for("Create")
        assert not write.done()
        write.cancel()

    assert double.log.statuses("Create") == [0]
    assert await missing(archive.notices, "notice", key_of(notice)) == (hang == "before")
