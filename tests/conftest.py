"""The archive as tests use it: whole, in this process, on a file of its own, under a clock that stands still."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from local.host import Host
from local.seed import seed
from shared import bootstrap
from shared.bootstrap import Application
from shared.settings import Settings
from tests.support import StillClock

# The app does not start without a store; each test opens one of its own.
os.environ.setdefault("ARCHIVE_STORE", "sqlite:no/such/folder/archive.db")

ROOT = Path(__file__).parent.parent
BASE = "http://archive.test/api/v1"
EC_KEY = {"Ocp-Apim-Subscription-Key": "local-ec"}
PLATFORM_KEY = {"Ocp-Apim-Subscription-Key": "local-platform"}


@pytest.fixture
def clock() -> StillClock:
    """Return the clock of the archive under test."""
    return StillClock()


@pytest.fixture
async def application(tmp_path: Path, clock: StillClock) -> AsyncIterator[Application]:
    """Yield the application of this process, with the local seeds."""
    yield bootstrap.open_application(Settings(store=tmp_path / "archive.db"), clock)
    await bootstrap.close()


@pytest.fixture
async def http(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the real Function App, in the local host without a network; its key is the seeded EC's."""
    await seed()
    transport = httpx.ASGITransport(Host.load(ROOT))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=EC_KEY) as client:
        yield client
