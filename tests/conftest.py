"""The archive as tests use it: whole, in this process, on a store of its own, under a clock that stands still."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import copyfile

import httpx
import pytest
from hypothesis import settings

from emulators.cosmos import CosmosDouble
from emulators.servicebus import ServiceBusDouble
from local.host import Host
from local.seed import seed
from shared import bootstrap
from shared.bootstrap import Application
from shared.messages import entities
from shared.settings import CosmosStore, EmbeddedStore, ServiceBusNamespace, Settings
from tests.openapi_check import as_documented
from tests.stores import AZURE, SQLITE, account_of, an_account
from tests.support import DEBTOR_KEYS, StillClock

# What is drawn is judged by its answer, not by the time that a busy machine needs for it.
settings.register_profile("any-pace", deadline=None)
settings.load_profile("any-pace")
# A test run in the background ignores Ctrl-C, and so would the programs that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The app does not start without a store; each test opens one of its own.
os.environ.setdefault("ARCHIVE_STORE", "sqlite:/dev/null/archive.db")

ROOT = Path(__file__).parent.parent
BASE = "http://archive.test/api/v1"
EC_KEY = {"Ocp-Apim-Subscription-Key": "local-ec"}
PLATFORM_KEY = {"Ocp-Apim-Subscription-Key": "local-platform"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the stories. They are the longest tests: at the end, the last one would run alone."""
    items.sort(key=lambda item: "stories" not in item.path.parts)


@pytest.fixture
def clock() -> StillClock:
    """Return the clock of the archive under test."""
    return StillClock()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of the embedded store with the local seeds, for tests to copy: making one takes longer."""
    path = tmp_path_factory.mktemp("seeded") / "archive.db"

    async def make() -> None:
        bootstrap.open_application(Settings(EmbeddedStore(path)))
        await seed()
        await bootstrap.close()

    asyncio.run(make())
    return path


@pytest.fixture(scope="session")
def local_host() -> Host:
    """Return the real Function App in the local host; it holds nothing of any test."""
    return Host.load(ROOT)


@pytest.fixture
async def cosmos() -> AsyncIterator[CosmosDouble]:
    """Yield an account with the archive's containers, each of two physical partitions."""
    async with an_account(ranges=2) as double:
        yield double


@pytest.fixture
def kept_in(request: pytest.FixtureRequest, seeded: Path, tmp_path: Path) -> EmbeddedStore | CosmosStore:
    """Return where the archive keeps its notices: in SQLite, or where a test says that it is for both stores."""
    if getattr(request, "param", SQLITE) == SQLITE:
        path = tmp_path / "archive.db"
        copyfile(seeded, path)
        return EmbeddedStore(path)
    double: CosmosDouble = request.getfixturevalue("cosmos")
    return account_of(double)


@pytest.fixture
async def service_bus() -> AsyncIterator[ServiceBusDouble]:
    """Yield a namespace with the archive's queues and topic."""
    async with ServiceBusDouble.started(entities()) as double:
        yield double


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> ServiceBusNamespace | None:
    """Return the namespace of the archive, if a test says that it has one."""
    # A test names its store and its bus together, as the parameter of `kept_in`.
    if _parameter(request) != AZURE:
        return None
    double: ServiceBusDouble = request.getfixturevalue("service_bus")
    return ServiceBusNamespace(connection_string=double.connection_string)


def _parameter(request: pytest.FixtureRequest) -> object:
    callspec = getattr(request.node, "callspec", None)
    return callspec.params.get("kept_in") if callspec else None


@pytest.fixture
async def application(
    kept_in: EmbeddedStore | CosmosStore, bus: ServiceBusNamespace | None, clock: StillClock
) -> AsyncIterator[Application]:
    """Yield the application of this process, with the local seeds."""
    application = bootstrap.open_application(Settings(kept_in, bus, DEBTOR_KEYS), clock)
    if isinstance(kept_in, CosmosStore):
        await seed()
    yield application
    await bootstrap.close()


@pytest.fixture
async def http(application: Application, local_host: Host) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the real Function App, in the local host without a network; its key is the seeded EC's.

    Whatever is answered to it must be what the contract promises.
    """
    transport = httpx.ASGITransport(local_host)
    hooks = {"response": [as_documented]}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=EC_KEY, event_hooks=hooks) as client:
        yield client


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what an SDK of Azure left open, while that may be done without a warning."""
    yield
    gc.collect()
