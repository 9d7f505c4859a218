"""An account that is asked too much: callers wait apart, and not longer than their budget."""

import asyncio
from itertools import count
from time import monotonic

import httpx
import orjson
import pytest

from emulators.cosmos import CosmosDouble, Fault
from shared import bootstrap
from shared.bootstrap import Application
from shared.domain.notice import Address, Change
from shared.ports import Search
from shared.settings import CosmosStore, Settings
from tests.stores import account_of
from tests.support import INSTITUTION, NOW, StillClock, a_number, a_publication, an_act, an_institution

STRICT = an_institution()
NOTICES = f"/creditor-institutions/{INSTITUTION}/notices"

serials = count(1)


@pytest.fixture
def kept_in(cosmos: CosmosDouble) -> CosmosStore:
    """Return the account that is asked too much."""
    return account_of(cosmos)


async def test_throttled_often_all_is_done_and_nothing_is_lost(
    kept_in: CosmosStore, clock: StillClock, cosmos: CosmosDouble
) -> None:
    # On a busy machine two hundred publications take longer than the time of one request.
    application = bootstrap.open_application(Settings(kept_in, store_budget=60), clock)
    addresses = [an_address() for _ in range(200)]
    cosmos.inject(Fault(status=429, substatus=3200, retry_after=0.02, probability=0.3, times=None))

    await asyncio.gather(*(publish(application, address) for address in addresses))

    cosmos.faults.clear()
    listed = await application.archive.list(Search(INSTITUTION, NOW, limit=500))
    numbers = {orjson.loads(notice.json)["noticeNumber"] for notice in listed.notices}
    assert numbers == {address.number for address in addresses}
    for address in addresses[:20]:
        assert [event.type for event in (await application.archive.history(address)).events] == ["published"]
    await bootstrap.close()


async def test_those_who_were_throttled_together_do_not_come_back_together(
    application: Application, cosmos: CosmosDouble
) -> None:
    address = an_address()
    await publish(application, address)
    came: list[float] = []
    cosmos.inject(Fault("Read", status=429, retry_after=0.5, times=20))
    began = monotonic()

    async def read() -> None:
        await application.archive.get(address)
        came.append(monotonic() - began)

    cosmos.log.clear()
    await asyncio.gather(*(read() for _ in range(20)))

    assert cosmos.log.count("Read") == 40, "each was asked again once"
    assert max(came) - min(came) > 0.2


async def test_throttled_without_a_word_how_long_a_reader_does_not_hammer(
    application: Application, cosmos: CosmosDouble
) -> None:
    address = an_address()
    await publish(application, address)
    cosmos.log.clear()
    cosmos.inject(Fault("Read", status=429, times=None))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await application.archive.get(address)

    assert 3 < cosmos.log.count("Read") < 12


async def test_a_wait_beyond_the_budget_is_answered_at_once_with_that_wait(
    http: httpx.AsyncClient, cosmos: CosmosDouble
) -> None:
    assert (await http.get(f"{NOTICES}/{an_address().number}")).status_code == 404
    cosmos.log.clear()
    cosmos.inject(Fault("Read", container="notices", status=429, retry_after=12, times=None))

    answer = await http.get(f"{NOTICES}/{an_address().number}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "12")
    assert cosmos.log.count("Read", container="notices") == 1


async def publish(application: Application, address: Address) -> Change:
    return await application.archive.publish(a_publication(address), STRICT, an_act())


def an_address() -> Address:
    """Return the address of a notice that is not there yet."""
    return Address(INSTITUTION, a_number(next(serials)))
