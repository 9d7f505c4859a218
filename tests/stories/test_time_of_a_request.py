"""The time that a request has: all of its calls to the store share it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from emulators.cosmos import CosmosDouble, Fault
from local.host import Host
from shared import bootstrap
from shared.settings import Settings
from tests.conftest import BASE, EC_KEY
from tests.functions.client import NOTICE, STATUS_OF
from tests.functions.positions import CALL, a_position
from tests.stores import COSMOS, account_of
from tests.support import StillClock

SECONDS = 1.0
LONGER_THAN_A_THIRD = 0.35


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> object:
    """Return the account whose answers are slow."""
    return account_of(cosmos)


@pytest.fixture
async def slow(
    application: object, cosmos: CosmosDouble, clock: StillClock, local_host: Host
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of an archive on Cosmos DB, where every read takes more than a third of the time of a request."""
    await bootstrap.close()
    bootstrap.open_application(Settings(account_of(cosmos), store_budget=SECONDS), clock)
    transport = httpx.ASGITransport(local_host)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=EC_KEY, timeout=None) as client:
        assert (await client.get(NOTICE)).status_code == 404  # the account is open, the registry is in the cache
        cosmos.inject(Fault("Read", container="notices", delay=LONGER_THAN_A_THIRD, times=None))
        yield client


async def test_a_request_of_one_slow_call_is_answered(slow: httpx.AsyncClient) -> None:
    assert (await slow.get(NOTICE)).status_code == 404


async def test_a_request_of_slow_calls_is_refused_when_its_time_is_up(
    slow: httpx.AsyncClient, cosmos: CosmosDouble
) -> None:
    # It reads the number, the claim of the IUV, and on a lenient institution the number again.
    body = a_position(paFiscalCode="77777777777", iuv="IUV1")

    answer = await slow.post(CALL, json=body)

    # On a busy machine its turn to write may come too late before its time is up.
    assert (answer.status_code, answer.headers["x-error-code"]) in {
        (503, "store_unavailable"),
        (503, "not_done_in_time"),
    }
    assert answer.headers["retry-after"] == "1"
    assert STATUS_OF[answer.headers["x-error-code"]] == 503
    assert cosmos.log.count("Batch") == 0, COSMOS
