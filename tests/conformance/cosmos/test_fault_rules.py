"""Which requests a rule of the double hits, and what the log says of them."""

import asyncio
from typing import Any

import pytest

from emulators.cosmos import CosmosDouble, Fault
from tests.conformance.cosmos.support import (
    Cosmos,
    a_notice,
    a_number,
    an_institution,
    key_of,
    refused,
    save,
)


async def test_a_rule_lets_the_first_requests_pass(archive: Cosmos, double: CosmosDouble, institution: str) -> None:
    double.inject(Fault(operation="Create", status=449, skip=2, times=1))

    outcomes = []
    for serial in range(1, 5):
        try:
            await archive.notices.create_item(a_notice(institution, serial))
            outcomes.append(201)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the outcome
            outcomes.append(getattr(error, "status_code", 0))

    assert outcomes == [201, 201, 449, 201]


async def test_a_rule_fails_a_share_of_the_requests(archive: Cosmos, double: CosmosDouble, institution: str) -> None:
    double.inject(Fault(operation="Create", status=449, times=None, probability=0.3))

    await asyncio.gather(
        *(archive.notices.create_item(a_notice(institution, serial)) for serial in range(200)), return_exceptions=True
    )

    failed = double.log.count("Create", status=449)
    assert 30 <= failed <= 90
    assert double.log.count("Create", status=201) == 200 - failed


async def test_a_rule_may_be_for_one_key_or_for_all_below_its_first_value(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    another = an_institution()
    double.inject(
        Fault(operation="Create", status=449, key=(institution,), times=None),
        Fault(operation="Batch", status=449, key=(another, a_number(2)), times=None),
    )

    with refused(449):
        await archive.notices.create_item(a_notice(institution, 1))
    with refused(449):
        await archive.notices.create_item(a_notice(institution, 2))
    await archive.notices.create_item(a_notice(another, 1))
    await archive.notices.execute_item_batch([("read", ("notice",))], [another, a_number(1)])
    with refused(449):
        await archive.notices.execute_item_batch([("create", (a_notice(another, 2),))], [another, a_number(2)])


async def test_a_rule_may_be_for_one_container(archive: Cosmos, double: CosmosDouble, institution: str) -> None:
    double.inject(Fault(container=archive.registry.id, operation="Create", status=449, times=None))

    with refused(449):
        await archive.registry.create_item({"id": institution})
    await archive.notices.create_item(a_notice(institution))


async def test_the_first_rule_that_hits_a_request_decides(
    archive: Cosmos, double: CosmosDouble, institution: str
) -> None:
    double.inject(Fault(operation="Create", status=449), Fault(operation="Create", status=403))

    with refused(449):
        await archive.notices.create_item(a_notice(institution))
    with refused(403):
        await archive.notices.create_item(a_notice(institution))
    await archive.notices.create_item(a_notice(institution))


async def test_the_log_tells_who_asked_what_of_which_partition(
    archive: Cosmos, other: Cosmos, double: CosmosDouble, institution: str
) -> None:
    notice = a_notice(institution)
    await save(archive.notices, notice)
    await other.notices.read_item("notice", key_of(notice))

    create, read = (request for request in double.log if request.operation in ("Create", "Read"))

    assert (create.container, create.key, create.status) == ("notices", tuple(key_of(notice)), 201)
    assert create.charge > read.charge == 1.0
    assert create.client != read.client
    assert (double.log.count(), double.log.count("Create"), double.log.count("Create", "registry")) == (
        len(list(double.log)),
        1,
        0,
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"body": "[]"},
        {"status": 200},
        {"status": 199, "body": ""},
        {"result": 1},
        {"status": 429, "result": 1, "body": ""},
        {"hang": "never"},
        {"drop": "never"},
        {"operation": "Guess"},
        {"stale": 11},
        {"page": -1},
    ],
)
def test_a_rule_that_cannot_do_what_it_says_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**rule)
