"""The double as a process of its own: what it acknowledged outlives it, and nobody but this machine reaches it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest

from emulators.cosmos import KEY
from tests.conformance.cosmos.support import (
    Cosmos,
    Target,
    a_notice,
    an_event,
    ask,
    content,
    feed_ranges,
    key_of,
    read_feed,
    refused,
    save,
    serials,
)

ROOT = Path(__file__).parents[3]
STARTS_WITHIN = 20.0
"""Seconds that a start may take, on a machine that has much else to do."""
PAID = [{"op": "set", "path": "/status", "value": "PAID"}]


@dataclass(frozen=True, slots=True)
class Process:
    """A double that runs by itself."""

    process: subprocess.Popen[bytes]
    port: int
    said: str

    @property
    def target(self) -> Target:
        """Return where a client goes."""
        endpoint = f"http://127.0.0.1:{self.port}/"
        return Target(f"AccountEndpoint={endpoint};AccountKey={KEY};", "conformance", "notices", "registry")

    def kill(self) -> None:
        """End it in the midst of what it does: nothing is finished, nothing is said."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True)
def not_elsewhere(service: Target | None) -> None:
    """Skip where the environment names a service: how it runs is not up to a test."""
    if service is not None:
        pytest.skip("A service is not started and killed by a test.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the file that keeps the data."""
    return tmp_path / "cosmos.db"


async def test_what_was_acknowledged_is_there_after_a_kill(data: Path, institution: str) -> None:
    acknowledged: list[int] = []
    enough = asyncio.Event()
    with running("--data", str(data)) as process:
        await process.target.make()
        async with process.target.connected(retry_total=0) as cosmos:
            writers = [asyncio.create_task(_write(cosmos, institution, n, acknowledged, enough)) for n in range(8)]
            await enough.wait()
            process.kill()
            await asyncio.gather(*writers, return_exceptions=True)

    with running("--data", str(data)) as process:
        async with process.target.connected() as cosmos:
            kept = await ask(cosmos.notices, "SELECT * FROM c", partition_key=[institution])

    by_id = {id_: {serials([item])[0] for item in kept if item["id"] == id_} for id_ in ("notice", "event-00000001")}
    assert len(acknowledged) >= 100
    assert set(acknowledged) - by_id["notice"] == set()
    # A batch is there whole or not at all, acknowledged or not.
    assert by_id["notice"] == by_id["event-00000001"]


async def test_etags_tokens_and_partitions_outlive_the_process(data: Path, institution: str) -> None:
    notice = a_notice(institution)
    with running("--data", str(data), "--ranges", "3") as process:
        await process.target.make()
        async with process.target.connected() as cosmos:
            created = await cosmos.notices.create_item(notice)
            _, token = await read_feed(cosmos.notices, start_time="Beginning")
            await cosmos.notices.create_item(an_event(notice))
        process.kill()

    with running("--data", str(data)) as process:
        async with process.target.connected() as cosmos:
            items, _ = await read_feed(cosmos.notices, continuation=token)
            assert [content(item) for item in items] == [an_event(notice)]
            assert await cosmos.notices.read_item("notice", key_of(notice)) == created
            assert len(await feed_ranges(cosmos.notices)) == 3
            with refused(409):
                await cosmos.notices.create_item(notice)


async def test_without_a_file_nothing_is_kept() -> None:
    with running() as process:
        await process.target.make()
        process.kill()

    with running() as process:
        async with process.target.connected() as cosmos:
            with refused(404):
                await cosmos.database.read()


async def test_it_does_to_a_client_what_it_is_told_to(institution: str) -> None:
    """What a test of the same process does by calling, one outside does by asking."""
    notice = a_notice(institution)
    with running() as process:
        await process.target.make()
        async with process.target.connected() as cosmos, httpx.AsyncClient(base_url=_side_door(process)) as door:
            await save(cosmos.notices, notice)
            await door.delete("log")
            rule = {"operation": "Patch", "status": 449, "key": [institution]}
            assert (await door.put("faults", json=[rule])).status_code == 200
            with refused(449):
                await cosmos.notices.patch_item("notice", key_of(notice), PAID)
            await cosmos.notices.patch_item("notice", key_of(notice), PAID)
            split = await door.post("split", json={"database": "conformance", "container": "notices"})
            assert len(split.json()["ranges"]) == 2
            assert len(await feed_ranges(cosmos.notices)) == 2
            log = (await door.get("log")).json()["requests"]

    assert [request["status"] for request in log if request["operation"] == "Patch"] == [449, 200]


def test_it_says_in_one_line_where_it_is_and_for_whom() -> None:
    with running() as process:
        line, connection_string = process.said.splitlines()

    assert connection_string == process.target.connection_string
    assert f"http://127.0.0.1:{process.port}/" in line
    assert "this machine only" in line


def test_only_this_machine_reaches_it() -> None:
    """Every address that begins with 127 is this machine's: what listens on all of them answers on the second, too."""
    with running() as process:
        with socket.create_connection(("127.0.0.1", process.port), timeout=1):
            pass
        with pytest.raises(OSError, match=r"."), socket.create_connection(("127.0.0.2", process.port), timeout=1):
            pass


def test_it_ends_when_it_is_told_to() -> None:
    with running() as process:
        process.process.send_signal(signal.SIGTERM)

        assert process.process.wait(timeout=5) == 0


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        ended = _ended("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "in use" in ended.stderr


def test_a_file_that_is_no_data_of_its_own_is_said_in_one_sentence(data: Path) -> None:
    data.write_bytes(b"not a database, but long enough to be looked at" * 30)

    ended = _ended("--port", "0", "--data", str(data))

    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "cosmos.db" in ended.stderr


@contextmanager
def running(*options: str) -> Iterator[Process]:
    """Yield a double on a free port, ready to answer; in the end it is killed, if it still runs."""
    command = [sys.executable, "-m", "emulators.cosmos", "--port", "0", *options]
    read, write = os.pipe()
    process = subprocess.Popen(command, cwd=ROOT, stdout=write, stderr=subprocess.STDOUT)
    os.close(write)
    try:
        said = _first_words(process, read)
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found is not None, f"The double did not start: {said}"
        yield Process(process, int(found[1]), said)
    finally:
        process.kill()
        process.wait()
        os.close(read)


def _first_words(process: subprocess.Popen[bytes], pipe: int) -> str:
    os.set_blocking(pipe, False)
    said = b""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and not said.endswith(b"\n"):
        try:
            more = os.read(pipe, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        said += more
        if not more:
            break
    return said.decode()


def _ended(*options: str) -> subprocess.CompletedProcess[str]:
    """Return how a double ended that did not start."""
    command = [sys.executable, "-m", "emulators.cosmos", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=STARTS_WITHIN, check=False)


def _side_door(process: Process) -> str:
    return f"http://127.0.0.1:{process.port}/_double/"


async def _write(cosmos: Cosmos, institution: str, writer: int, acknowledged: list[int], enough: asyncio.Event) -> None:
    """Save notices with an event each, until the service is gone; tell when a hundred are acknowledged."""
    for turn in count():
        notice = a_notice(institution, writer * 10_000 + turn)
        await cosmos.notices.execute_item_batch(
            [("create", (notice,)), ("create", (an_event(notice),))], key_of(notice)
        )
        acknowledged.append(writer * 10_000 + turn)
        if len(acknowledged) == 100:
            enough.set()
