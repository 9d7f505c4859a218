"""Where the conformance tests go: to a double of each test's own, or to the service that the environment names."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from emulators.cosmos import CosmosDouble
from tests.conformance.cosmos.support import Cosmos, Target, a_name, a_number, an_institution, missing

CONNECTION_STRING = os.environ.get("CONFORMANCE_COSMOS")
"""Of Microsoft's emulator or of an account; without it, the double."""
DATABASE = os.environ.get("CONFORMANCE_COSMOS_DATABASE", "conformance")


@pytest.fixture
def ranges() -> int:
    """Return how many physical partitions a container begins with; a test that says otherwise is the double's."""
    return 1


@pytest.fixture
def consistency() -> str:
    """Return how consistent the account is; a test that says otherwise is the double's."""
    return "Session"


@pytest.fixture(scope="session")
def service() -> Iterator[Target | None]:
    """Yield the service that the environment names, with containers for this run: there, each costs money."""
    if CONNECTION_STRING is None:
        yield None
        return
    target = Target(CONNECTION_STRING, DATABASE, f"{a_name()}-notices", f"{a_name()}-registry")
    asyncio.run(target.make())
    yield target
    asyncio.run(target.delete())


@pytest.fixture
async def target(service: Target | None, ranges: int, consistency: str) -> AsyncIterator[Target]:
    """Yield where the test goes."""
    if service is None:
        async with CosmosDouble.started(ranges=ranges, consistency=consistency) as double:
            target = Target(double.connection_string, DATABASE, "notices", "registry", double)
            await target.make()
            double.log.clear()
            yield target
    elif (ranges, consistency) != (1, "Session"):
        pytest.skip("How a service is partitioned and how consistent it is, is not up to a test.")
    else:
        yield service


@pytest.fixture
def double(target: Target) -> CosmosDouble:
    """Return the double, for a test that makes it fail, split, or let time pass."""
    if target.double is None:
        pytest.skip("A service does not fail, split or let time pass on command.")
    return target.double


@pytest.fixture
async def cosmos(target: Target) -> AsyncIterator[Cosmos]:
    """Yield a client."""
    async with target.connected() as cosmos:
        yield cosmos


@pytest.fixture
async def other(target: Target) -> AsyncIterator[Cosmos]:
    """Yield another client, which knows nothing of what the first one did."""
    async with target.connected() as other:
        yield other


@pytest.fixture
def institution() -> str:
    """Return an institution that has no notices yet."""
    return an_institution()


@pytest.fixture
async def archive(cosmos: Cosmos, double: CosmosDouble) -> Cosmos:
    """Return a client that knows its way already, so that the log holds nothing but what the test asks."""
    await missing(cosmos.notices, "notice", [an_institution(), a_number(1)])
    double.log.clear()
    return cosmos
