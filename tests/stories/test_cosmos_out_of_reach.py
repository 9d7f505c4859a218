"""A store beyond the budget: every request is answered in time, and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from itertools import count
from time import monotonic

import httpx
import pytest
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import CosmosDouble, Fault
from local.seed import seed
from shared import bootstrap
from shared.bootstrap import Application
from shared.domain.notice import Address
from shared.errors import StoreUnavailable
from shared.settings import CosmosStore, Settings
from tests.server import unanswered_port
from tests.stores import account_of
from tests.support import INSTITUTION, StillClock, a_body, a_number

NOTICES = f"/creditor-institutions/{INSTITUTION}/notices"
BUDGET = 0.4
"""Seconds."""

serials = count(1)


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> CosmosStore:
    """Return the account that fails."""
    return account_of(cosmos)


@pytest.fixture
async def application(kept_in: CosmosStore, clock: StillClock) -> AsyncIterator[Application]:
    """Yield the archive with little patience."""
    bootstrap.open_application(Settings(kept_in), clock)
    await seed()
    await bootstrap.close()
    yield bootstrap.open_application(Settings(kept_in, store_budget=BUDGET), clock)
    await bootstrap.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(delay=30),
        Fault(drop="before"),
        Fault(drop="after"),
        Fault(status=429, retry_after=60),
        Fault(status=429, retry_after=0.01),
        Fault(status=449),
        Fault(status=410, substatus=1002),
        Fault(status=503),
        Fault(status=503, after_commit=True),
        Fault(status=403),
        Fault(status=400),
        Fault(status=413),
        Fault(status=404, substatus=1003),
    ],
    ids=lambda fault: f"{fault.status or fault.drop or 'silence'}-{fault.retry_after or fault.after_commit}",
)
async def test_a_store_that_does_not_answer_is_503_in_time_and_leaves_a_whole_notice_or_none(
    http: httpx.AsyncClient, cosmos: CosmosDouble, fault: Fault
) -> None:
    known, unknown = (f"{NOTICES}/{an_address().number}" for _ in range(2))
    assert (await http.put(known, json=a_body())).status_code == 201
    cosmos.inject(replace(fault, times=None))

    await asyncio.gather(
        refused(http.put(unknown, json=a_body())),
        refused(http.patch(known, json={"description": "b"})),
        refused(http.get(known)),
        refused(http.get(f"{known}/events")),
        refused(http.get(NOTICES)),
    )

    cosmos.faults.clear()
    for address in (known, unknown):
        versions = [item["version"] for item in (await http.get(f"{address}/events")).json().get("items", [])]
        notice = await http.get(address)
        assert versions == list(range(1, len(versions) + 1))
        assert notice.json().get("version", 0) == len(versions)


async def test_an_account_that_is_not_there_is_503(kept_in: CosmosStore, clock: StillClock) -> None:
    with unanswered_port() as port:
        nowhere = replace(kept_in, endpoint=f"http://127.0.0.1:{port}/")
        archive = bootstrap.open_application(Settings(nowhere, store_budget=BUDGET), clock).archive

        with pytest.raises(StoreUnavailable):
            await archive.get(an_address())

        await bootstrap.close()


@pytest.mark.parametrize("missing", ["archive", "notices", "registries", "checkpoints"])
async def test_a_container_that_is_not_there_is_no_empty_archive(
    kept_in: CosmosStore, clock: StillClock, http: httpx.AsyncClient, missing: str
) -> None:
    await bootstrap.close()
    async with CosmosClient(kept_in.endpoint, kept_in.key or "") as client:
        if missing == "archive":
            await client.delete_database(missing)
        else:
            await client.get_database_client("archive").delete_container(missing)
    # Nothing is waited for: on a busy machine the time must not be up first.
    bootstrap.open_application(Settings(kept_in, store_budget=30), clock)

    answer = await http.get(f"{NOTICES}/{an_address().number}")
    health = await http.get("/health")

    code = "notice_not_found" if missing == "checkpoints" else "store_unavailable"
    assert answer.json()["code"] == code
    # Health writes to the container of the checkpoints alone.
    assert health.status_code == (503 if missing in ("archive", "checkpoints") else 200)


async def refused(request: Awaitable[httpx.Response]) -> None:
    """Check that the answer to a request is 503, in time."""
    began = monotonic()
    answer = await request
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert monotonic() - began < 2 * BUDGET + 1


def an_address() -> Address:
    """Return the address of a notice that is not there yet."""
    return Address(INSTITUTION, a_number(next(serials)))
