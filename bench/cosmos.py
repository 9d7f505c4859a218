"""Measures a client of Cosmos DB against the double, which runs as a process of its own: `make bench-cosmos`.

Two clients take turns: the archive's store, and the same calls through the SDK as it comes. So what the machine does
meanwhile falls on both. Figures are medians of the rounds; a ratio compares both sides of one round, without what both
do to turn documents into notices and back.
"""

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from azure.cosmos.aio import ContainerProxy, CosmosClient

from emulators.cosmos import KEY
from local.cosmos import make_containers
from shared.adapters.cosmos import CosmosNoticeStore
from shared.adapters.cosmos_calls import Cosmos
from shared.adapters.cosmos_lists import NOTICES
from shared.codecs import Document
from shared.documents import decode_notice, event_document, notice_document
from shared.domain import declarations
from shared.domain.notice import Address, Change
from shared.settings import CosmosStore
from tests.support import INSTITUTION, a_number, a_publication, an_act

ROUNDS = 7
CALLS = 1500
"""Calls of a kind in a round, for each client."""
KNOWN = 100
"""Notices that are read."""

serials = count(KNOWN)
Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one kind of call went: calls a second, and microseconds of this process's CPU for each."""

    rate: float
    cpu: float


async def main() -> None:
    """Measure, and print what came out."""
    with _double() as endpoint:
        account = CosmosStore(endpoint, "archive", KEY)
        await make_containers(account)
        cosmos = Cosmos(account, budget=5)
        async with CosmosClient(endpoint, KEY) as client:
            store = CosmosNoticeStore(cosmos)
            container = client.get_database_client("archive").get_container_client(NOTICES)
            for serial in range(KNOWN):
                await store.save(_change(serial))
            for at_once in (1, 32):
                stored = await container.read_item("notice", _key(_address(0)))
                await _compare("point read", at_once, _loads(store), _loads_as_it_comes(container), _reads(stored))
                changes = iter([_change(next(serials)) for _ in range(3 * ROUNDS * CALLS)])
                gc.freeze()  # what waits to be saved is no client's, and would be gone through again and again
                ours, as_it_comes = _saves(store, changes), _saves_as_it_comes(container, changes)
                await _compare("save", at_once, ours, as_it_comes, _writes(changes))
        await cosmos.close()


async def _compare(what: str, at_once: int, ours: Call, as_it_comes: Call, converting: Call) -> None:
    rounds = [[await _pace(call, at_once) for call in (ours, as_it_comes, converting)] for _ in range(ROUNDS)][1:]
    archive, sdk, both = ([taken[side] for taken in rounds] for side in range(3))
    ratio = median((a.cpu - c.cpu) / (s.cpu - c.cpu) for a, s, c in zip(archive, sdk, both, strict=True))
    print(
        f"{what:10} {at_once:3} at once: the archive {median(pace.rate for pace in archive):6,.0f}/s"
        f" {median(pace.cpu for pace in archive):5.0f} µs, the SDK as it comes"
        f" {median(pace.rate for pace in sdk):6,.0f}/s {median(pace.cpu for pace in sdk):5.0f} µs,"
        f" documents {median(pace.cpu for pace in both):3.0f} µs of both; CPU ratio of the rest {ratio:.2f}"
    )


async def _pace(call: Call, at_once: int) -> Pace:
    async def some(first: int) -> None:
        for n in range(first, CALLS, at_once):
            await call(n)

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(some, range(at_once)))
    return Pace(CALLS / (time.perf_counter() - began), (time.process_time() - used) / CALLS * 1e6)


def _loads(store: CosmosNoticeStore) -> Call:
    return lambda n: store.load(_address(n % KNOWN))


def _loads_as_it_comes(container: ContainerProxy) -> Call:
    async def load(n: int) -> object:
        return decode_notice(await container.read_item("notice", _key(_address(n % KNOWN))))

    return load


def _saves(store: CosmosNoticeStore, changes: Iterator[Change]) -> Call:
    return lambda _: store.save(next(changes))


def _saves_as_it_comes(container: ContainerProxy, changes: Iterator[Change]) -> Call:
    async def save(_: int) -> object:
        change = next(changes)
        batch = [("create", (document,)) for document in _documents(change)]
        return await container.execute_item_batch(batch, _key(change.notice.address))

    return save


def _reads(stored: Document) -> Call:
    async def read(_: int) -> object:
        return decode_notice(stored)

    return read


def _writes(changes: Iterator[Change]) -> Call:
    async def write(_: int) -> object:
        return _documents(next(changes))

    return write


def _documents(change: Change) -> list[Document]:
    return [event_document(change.events[0]), notice_document(change.notice).whole]


def _key(address: Address) -> list[str]:
    return [address.creditor_institution, address.number]


def _change(serial: int) -> Change:
    return declarations.publish(None, a_publication(_address(serial)), an_act())


def _address(serial: int) -> Address:
    return Address(INSTITUTION, a_number(serial))


@contextmanager
def _double() -> Iterator[str]:
    """Run the double, with its data in a file as a user's would be; yield where it is."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", "0", "--data", str(Path(folder) / "cosmos.db"), "--consistency", "BoundedStaleness"]
        command = [sys.executable, "-m", "emulators.cosmos", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if word.startswith("http")).rstrip(",;")
            process.terminate()


if __name__ == "__main__":
    asyncio.run(main())
