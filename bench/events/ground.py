"""Where a measurement works: the archive on doubles, with notices that are saved before the clock starts."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from local import seed
from shared import bootstrap
from shared.bootstrap import Application, utc_now
from shared.domain import declarations
from shared.domain.dates import DueDate
from shared.domain.notice import Address
from shared.settings import Settings
from tests.support import INSTITUTION, a_number, a_publication, an_act

_AT_ONCE = 16
"""Notices that are saved at the same time."""
_DUE = DueDate.parse("2099-12-16")


@asynccontextmanager
async def opened(account: str, namespace: str) -> AsyncIterator[Application]:
    """Yield the archive of this process on a double of each service, named by their connection strings."""
    settings = Settings.from_environment({"COSMOS": account, "SERVICEBUS": namespace})
    try:
        await seed.prepare(settings)
        yield bootstrap.application()
    finally:
        await bootstrap.close()


async def publish(application: Application, serials: Iterable[int]) -> None:
    """Save a new notice for each serial number, with its event."""
    left = iter(serials)

    async def some() -> None:
        for serial in left:
            publication = a_publication(address_of(serial), due_date=_DUE)
            await application.archive.store.save(declarations.publish(None, publication, an_act(utc_now())))

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


def address_of(serial: int) -> Address:
    """Return the address of the notice with this serial number."""
    return Address(INSTITUTION, a_number(serial))


@dataclass(slots=True)
class Watch:
    """The time and the CPU of this process that a block took."""

    seconds: float = 0
    cpu_seconds: float = 0


@contextmanager
def watch() -> Iterator[Watch]:
    """Measure a block."""
    taken, began, used = Watch(), time.perf_counter(), time.process_time()
    yield taken
    taken.seconds, taken.cpu_seconds = time.perf_counter() - began, time.process_time() - used
