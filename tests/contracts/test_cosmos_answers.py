"""Answers that are not the service's own, or cannot be used: none of them becomes a fact about a notice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from emulators.cosmos import CosmosDouble, Fault
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_registry import CosmosRegistry
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address
from shared.errors import StoreUnavailable
from shared.ports import Search, VersionConflict
from tests.contracts.notice_store import IUV, a_claim, published
from tests.stores import account_of, an_account
from tests.support import INSTITUTION, NOW, StillClock, a_caller, a_number, shown_in, shown_of

OWN = {"content-type": "application/json", "x-ms-request-charge": "1"}
"""Headers of the service."""
PAGE = "<html><h1>Not Found</h1></html>"
REFUSAL = '{"code": "NotFound", "message": "Entity with the specified id does not exist."}'


pytestmark = pytest.mark.asyncio(loop_scope="module")

serials = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account() -> AsyncIterator[CosmosDouble]:
    """Yield an account as the archive's; each test asks for notices of its own."""
    async with an_account() as double:
        yield double


@pytest.fixture
def double(account: CosmosDouble) -> CosmosDouble:
    """Return the account without the faults and the requests of the test before."""
    account.faults.clear()
    account.log.clear()
    return account


@asynccontextmanager
async def opened(double: CosmosDouble, budget: float) -> AsyncIterator[Cosmos]:
    """Yield the archive's way into the account, once it knows where the containers lie."""
    cosmos = Cosmos(account_of(double), budget)
    is_open = False
    while not is_open:
        with suppress(StoreUnavailable):
            await CosmosNoticeStore(cosmos).search(Search(INSTITUTION, NOW, limit=1))
            await CosmosRegistry(cosmos, StillClock()).caller_named("nobody")
            is_open = True
    yield cosmos
    await cosmos.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(account: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield a way into the account with time enough."""
    async with opened(account, budget=30) as cosmos:
        yield cosmos


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hurried(account: CosmosDouble) -> AsyncIterator[Cosmos]:
    """Yield a way into the account that gives up soon."""
    async with opened(account, budget=0.3) as cosmos:
        yield cosmos


@pytest.fixture
def store(patient: Cosmos) -> CosmosNoticeStore:
    """Return the store under test."""
    return CosmosNoticeStore(patient)


@pytest.fixture
def address() -> Address:
    """Return an address without a notice, below an institution of its own."""
    serial = next(serials)
    return Address(InstitutionCode(f"{serial:011}"), a_number(serial))


BATCHES = {
    "no result": (207, "[]"),
    "an object": (200, "{}"),
    "one result of two": (200, '[{"statusCode":201}]'),
    "three results of two": (200, '[{"statusCode":201},{"statusCode":201},{"statusCode":201}]'),
    "not modified": (207, '[{"statusCode":304},{"statusCode":304}]'),
    "one of them not modified": (200, '[{"statusCode":201},{"statusCode":304}]'),
    "each waits for another": (207, '[{"statusCode":424},{"statusCode":424}]'),
    "a conflict, and no word of the other": (207, '[{"statusCode":409}]'),
    "no status": (200, "[{},{}]"),
    "a status that is text": (200, '[{"statusCode":"201"},{"statusCode":"201"}]'),
    "numbers": (200, "[201,201]"),
    "null": (200, "null"),
    "nothing": (200, ""),
    "no JSON": (200, PAGE),
}


@pytest.mark.parametrize("committed", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("answer", BATCHES)
async def test_a_save_is_done_once_whatever_the_answer_to_its_batch_holds(
    store: CosmosNoticeStore, double: CosmosDouble, address: Address, answer: str, committed: bool
) -> None:
    status, body = BATCHES[answer]
    double.inject(Fault("Batch", status=status, body=body, headers=OWN, after_commit=committed))
    change = published(address)

    await store.save(change)

    assert await store.load(address) == change.notice
    assert await store.history(address) == list(change.events)


@pytest.mark.parametrize("answer", ["no result", "one result of two", "not modified", "null"])
async def test_a_save_that_never_gets_a_usable_answer_is_not_acknowledged(
    hurried: Cosmos, double: CosmosDouble, address: Address, answer: str
) -> None:
    status, body = BATCHES[answer]
    double.inject(Fault("Batch", status=status, body=body, headers=OWN, times=None))

    with pytest.raises(StoreUnavailable):
        await CosmosNoticeStore(hurried).save(published(address))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((status, body) for status, body in BATCHES.values() if "409" not in body),
        (200, '[{"statusCode":200},{"statusCode":200}]'),
        (200, '[{"statusCode":200,"resourceBody":{}},{"statusCode":200,"resourceBody":{}}]'),
        (200, '[{"statusCode":200,"resourceBody":{"id":"event-00000001"}},{"statusCode":200,"resourceBody":null}]'),
        (207, '[{"statusCode":404}]'),
    ],
)
async def test_a_refused_save_learns_the_current_notice_from_a_usable_answer_alone(
    store: CosmosNoticeStore, double: CosmosDouble, address: Address, status: int, body: str
) -> None:
    first = published(address)
    await store.save(first)
    double.inject(Fault("Batch", skip=1, status=status, body=body, headers=OWN))

    with pytest.raises(VersionConflict) as overtaken:
        await store.save(published(address, amount=1))

    assert overtaken.value.current == first.notice


async def test_a_replica_that_lags_in_a_batch_of_reads_does_not_make_a_notice_unknown(
    store: CosmosNoticeStore, double: CosmosDouble, address: Address
) -> None:
    first = published(address)
    await store.save(first)
    double.inject(Fault("Batch", skip=1, status=404, substatus=1002, result=0))
    double.log.clear()

    with pytest.raises(VersionConflict) as overtaken:
        await store.save(published(address, amount=1))

    assert overtaken.value.current == first.notice
    assert double.log.statuses("Batch") == [207, 207, 200]


@pytest.mark.parametrize("status", [409, 412])
async def test_reads_in_a_batch_that_are_refused_as_a_write_is_are_no_missing_notice(
    store: CosmosNoticeStore, hurried: Cosmos, double: CosmosDouble, address: Address, status: int
) -> None:
    await store.save(published(address))
    double.inject(Fault("Batch", skip=1, status=status, times=None))

    with pytest.raises(StoreUnavailable):
        await CosmosNoticeStore(hurried).save(published(address, amount=1))


READS: dict[str, dict[str, Any]] = {
    "the page of a gateway": {"status": 404, "body": PAGE, "headers": {"content-type": "text/html"}},
    "the page of a gateway with headers of the service": {"status": 404, "body": PAGE, "headers": OWN},
    "a 404 of another service": {"status": 404, "body": REFUSAL, "headers": {"content-type": "application/json"}},
    "a 404 with another content": {"status": 404, "body": '{"message": "no such route"}', "headers": OWN},
    "a 404 with a substatus that is no number": {"status": 404, "headers": {"x-ms-substatus": "none"}},
    "a conflict": {"status": 409},
    "a failed precondition": {"status": 412},
    "nothing": {"status": 200, "body": "", "headers": OWN},
    "no JSON": {"status": 200, "body": PAGE, "headers": OWN},
    "an empty document": {"status": 200, "body": "{}", "headers": OWN},
    "another document": {"status": 200, "body": '{"id": "alias"}', "headers": OWN},
    "a list": {"status": 200, "body": "[]", "headers": OWN},
    "a document of another service": {"status": 200, "body": '{"id": "notice"}'},
    "not modified": {"status": 304, "body": "", "headers": OWN},
    "a redirection": {"status": 302, "body": "", "headers": {"location": "https://login.example/"}},
    "no gzip": {"status": 200, "body": "no gzip", "headers": OWN | {"content-encoding": "gzip"}},
    "no gzip in a refusal": {"status": 429, "body": "no gzip", "headers": OWN | {"content-encoding": "gzip"}},
    "a page in another encoding": {
        "status": 429,
        "body": "ÿ",
        "headers": {"content-type": "text/html; charset=utf-16"},
    },
    "a wait that is no number": {"status": 429, "headers": {"x-ms-retry-after-ms": "abc"}},
    "a wait for ever": {"status": 429, "headers": {"x-ms-retry-after-ms": "inf"}},
    "a wait that is no quantity": {"status": 429, "headers": {"x-ms-retry-after-ms": "nan"}},
}


@pytest.mark.parametrize("answer", READS)
async def test_an_answer_to_a_read_that_is_not_the_services_own_or_not_usable_is_asked_for_again(
    store: CosmosNoticeStore, double: CosmosDouble, address: Address, answer: str
) -> None:
    change = published(address)
    await store.save(change)
    double.inject(Fault("Read", **READS[answer]))

    assert await store.load(address) == change.notice


@pytest.mark.parametrize("answer", ["the page of a gateway", "a conflict", "no JSON", "another document", "no gzip"])
async def test_a_read_that_never_gets_a_usable_answer_is_refused(
    hurried: Cosmos, double: CosmosDouble, address: Address, answer: str
) -> None:
    double.inject(Fault("Read", **READS[answer], times=None))

    with pytest.raises(StoreUnavailable):
        await CosmosNoticeStore(hurried).load(address)


async def test_the_page_of_a_gateway_makes_no_key_unknown(
    patient: Cosmos, hurried: Cosmos, double: CosmosDouble
) -> None:
    registry, caller = CosmosRegistry(patient, StillClock()), a_caller()
    await registry.save_caller(caller)
    double.inject(Fault("Read", **READS["the page of a gateway"]))
    assert await registry.caller("a-hash") == caller

    double.inject(Fault("Read", **READS["the page of a gateway"], times=None))
    with pytest.raises(StoreUnavailable):
        await CosmosRegistry(hurried, StillClock()).caller("a-hash")


QUERIES: dict[str, dict[str, Any]] = {
    "not found": {"status": 404},
    "a conflict": {"status": 409},
    "a failed precondition": {"status": 412},
    "the page of a gateway": {"status": 404, "body": PAGE},
    "nothing": {"status": 200, "body": "", "headers": OWN},
    "an empty object": {"status": 200, "body": "{}", "headers": OWN},
    "a list": {"status": 200, "body": "[]", "headers": OWN},
    "null": {"status": 200, "body": "null", "headers": OWN},
    "documents that are null": {"status": 200, "body": '{"Documents": null}', "headers": OWN},
    "documents that are numbers": {"status": 200, "body": '{"Documents": [1, 2]}', "headers": OWN},
    "an empty list of another service": {"status": 200, "body": '{"Documents": []}'},
    "no JSON": {"status": 200, "body": PAGE, "headers": OWN},
    "no gzip": {"status": 200, "body": "no gzip", "headers": OWN | {"content-encoding": "gzip"}},
}


@pytest.mark.parametrize("answer", QUERIES)
async def test_an_answer_to_a_query_that_is_not_usable_is_asked_for_again(
    store: CosmosNoticeStore, double: CosmosDouble, address: Address, answer: str
) -> None:
    change = published(address)
    await store.save(change)

    double.inject(Fault("Query", **QUERIES[answer]))
    assert shown_in(await store.search(Search(address.creditor_institution, NOW))) == shown_of([change.notice])
    double.inject(Fault("Query", **QUERIES[answer]))
    assert await store.history(address) == list(change.events)


@pytest.mark.parametrize("answer", QUERIES)
async def test_a_query_that_never_gets_a_usable_answer_is_refused(
    hurried: Cosmos, double: CosmosDouble, answer: str
) -> None:
    double.inject(Fault("Query", **QUERIES[answer], times=None))

    with pytest.raises(StoreUnavailable):
        await CosmosNoticeStore(hurried).search(Search(INSTITUTION, NOW))


async def test_a_query_of_the_registry_that_is_not_found_is_no_empty_registry(
    hurried: Cosmos, double: CosmosDouble
) -> None:
    double.inject(Fault("Query", status=404, times=None))

    with pytest.raises(StoreUnavailable):
        await CosmosRegistry(hurried, StillClock()).institutions()


async def test_a_claim_that_another_service_answered_is_made(store: CosmosNoticeStore, double: CosmosDouble) -> None:
    double.inject(Fault("Create", status=201, body="{}"))

    assert await store.claim_iuv(INSTITUTION, IUV, a_claim(1)) == a_claim(1)

    assert await store.iuv_claim(INSTITUTION, IUV) == a_claim(1)
