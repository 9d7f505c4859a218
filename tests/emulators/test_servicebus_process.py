"""The double as a process of its own: what it acknowledged outlives it, and nobody but this machine reaches it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from emulators.servicebus.amqp.message import DATA, encode_section
from emulators.servicebus.amqp.performatives import Disposition
from emulators.servicebus.amqp.states import Accepted, Rejected
from tests.conformance.servicebus.support import leaves_sockets_open
from tests.emulators.amqp_client import connected_to as connected_raw

pytestmark = leaves_sockets_open

ROOT = Path(__file__).parents[2]
DEAD = "/$DeadLetterQueue"
STARTS_WITHIN = 20.0
"""Seconds that a start may take, on a machine that has much else to do."""
ENTITIES = """{
  "queues": {
    "q": {"maxDeliveryCount": 5},
    "once": {"requiresDuplicateDetection": true, "maxDeliveryCount": 5}
  }
}"""


@dataclass(frozen=True, slots=True)
class Process:
    """A double that runs by itself."""

    process: subprocess.Popen[bytes]
    said: list[str]

    @property
    def control(self) -> str:
        """Return the address of its side door."""
        return self.said[1]

    @property
    def connection_string(self) -> str:
        """Return the connection string for a client."""
        return self.said[2]

    @property
    def port(self) -> int:
        """Return its port."""
        found = re.search(r"127\.0\.0\.1:(\d+);", self.connection_string)
        assert found
        return int(found[1])

    def kill(self) -> None:
        """End it in the midst of what it does: nothing is finished, nothing is said."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class Client:
    """The links to one queue."""

    sender: ServiceBusSender
    receiver: ServiceBusReceiver
    dead_letters: ServiceBusReceiver

    async def take(self, number: int) -> list[ServiceBusReceivedMessage]:
        """Receive so many messages."""
        messages: list[ServiceBusReceivedMessage] = []
        async with asyncio.timeout(STARTS_WITHIN):
            while len(messages) < number:
                messages += await self.receiver.receive_messages(number - len(messages), max_wait_time=5)
        return messages


@pytest.fixture
def entities(tmp_path: Path) -> Path:
    """Return the file that describes the queues."""
    file = tmp_path / "entities.json"
    file.write_text(ENTITIES, encoding="utf-8")
    return file


@pytest.fixture
def options(tmp_path: Path, entities: Path) -> list[str]:
    """Return the options of a double with a journal."""
    return ["--entities", str(entities), "--journal", str(tmp_path / "journal.db")]


async def test_what_was_acknowledged_is_there_after_a_kill(options: list[str]) -> None:
    sent: set[str] = set()
    completing: set[str] = set()
    completed: set[str] = set()
    enough = asyncio.Event()
    with running(*options) as process:
        async with connected(process, "q") as client:
            tasks = [
                asyncio.create_task(_send(client, sent, enough)),
                asyncio.create_task(_complete(client, completing, completed)),
            ]
            async with asyncio.timeout(STARTS_WITHIN):
                await enough.wait()
            process.kill()
            await asyncio.gather(*tasks, return_exceptions=True)

    with running(*options) as process:
        counted = await ask(process, "counts/q")
        async with connected(process, "q") as client:
            kept = [str(message) for message in await client.take(counted["active"])]

    assert len(sent) >= 200
    assert len(completed) >= 1
    assert len(kept) == len(set(kept)) == counted["active"]
    # The kill may have lost the answer to the last completion.
    assert len(completing - completed) <= 1
    assert sent - completing - set(kept) == set(), "a message that was acknowledged is lost"
    assert completed & set(kept) == set(), "a message that was completed is back"


async def test_counts_dead_letters_and_message_ids_outlive_a_kill(options: list[str]) -> None:
    with running(*options) as process:
        async with connected(process, "once") as client:
            for name in ("dead", "abandoned", "locked"):
                await client.sender.send_messages(ServiceBusMessage(name, message_id=name))
            dead, abandoned, _ = await client.take(3)
            await client.receiver.dead_letter_message(dead, reason="NoticeUnknown", error_description="d")
            await client.receiver.abandon_message(abandoned)
            process.kill()

    with running(*options) as process:
        async with connected(process, "once") as client:
            await client.sender.send_messages(ServiceBusMessage("again", message_id="dead"))
            left = await client.take(2)
            (buried,) = await client.dead_letters.receive_messages(1, max_wait_time=5)
            counted = await ask(process, "counts/once")

    assert counted == {"active": 0, "locked": 2}
    # The lock of the third one was lost with the process: that delivery counts.
    assert [(str(message), message.delivery_count) for message in left] == [("abandoned", 1), ("locked", 1)]
    assert (str(buried), buried.dead_letter_reason) == ("dead", "NoticeUnknown")


async def test_without_a_journal_nothing_is_kept(entities: Path) -> None:
    with running("--entities", str(entities)) as process:
        assert await sent_raw(process) == Accepted.CODE
        assert await ask(process, "counts/q") == {"active": 1, "locked": 0}

    with running("--entities", str(entities)) as process:
        assert await ask(process, "counts/q") == {"active": 0, "locked": 0}


async def test_it_does_to_a_client_what_it_is_told_to(entities: Path) -> None:
    with running("--entities", str(entities)) as process:
        rule = {"operation": "Send", "condition": "com.microsoft:server-busy"}
        async with httpx.AsyncClient() as door:
            assert (await door.put(f"{process.control}faults", json=[rule])).status_code == 200

        assert await sent_raw(process) == Rejected.CODE
        assert await sent_raw(process) == Accepted.CODE


def test_it_says_where_it_is_and_for_whom(entities: Path) -> None:
    with running("--entities", str(entities)) as process:
        assert "this machine only" in process.said[0]
        assert process.control.startswith("http://127.0.0.1:")
        assert "UseDevelopmentEmulator=true" in process.connection_string


def test_only_this_machine_reaches_it(entities: Path) -> None:
    """Every address that begins with 127 is this machine's: what listens on all of them answers on the second, too."""
    with running("--entities", str(entities)) as process:
        for port in (process.port, httpx.URL(process.control).port):
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                pass
            with pytest.raises(OSError, match=r"."), socket.create_connection(("127.0.0.2", port), timeout=1):
                pass


def test_it_ends_when_it_is_told_to(options: list[str]) -> None:
    with running(*options) as process:
        process.process.send_signal(signal.SIGTERM)

        assert process.process.wait(timeout=5) == 0


def test_a_port_that_is_taken_is_said_in_one_sentence(entities: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        ended = _ended("--entities", str(entities), "--port", str(taken.getsockname()[1]))

    assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (1, 1)
    assert "in use" in ended.stderr


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ("[]", "queues and topics"),
        ("{", "does not start"),
        ('{"queues": {"q": {"requiresSession": true}}}', "requires"),
    ],
)
def test_entities_that_it_cannot_serve_are_said_in_one_sentence(entities: Path, described: str, said: str) -> None:
    entities.write_text(described, encoding="utf-8")

    ended = _ended("--entities", str(entities), "--port", "0")

    assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (1, 1)
    assert said in ended.stderr


def test_a_journal_of_another_program_is_said_in_one_sentence(entities: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    journal.write_bytes(b"not a database, but long enough to be looked at" * 30)

    ended = _ended("--entities", str(entities), "--port", "0", "--journal", str(journal))

    assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (1, 1)
    assert "journal.db" in ended.stderr


@contextmanager
def running(*options: str) -> Iterator[Process]:
    """Yield a double on free ports, ready to answer; in the end it is killed, if it still runs."""
    command = [sys.executable, "-m", "emulators.servicebus", "--port", "0", *options]
    read, write = os.pipe()
    process = subprocess.Popen(command, cwd=ROOT, stdout=write, stderr=subprocess.STDOUT)
    os.close(write)
    try:
        said = _first_words(read)
        assert "Endpoint=sb://" in said, f"The double did not start: {said}"
        yield Process(process, said.splitlines())
    finally:
        process.kill()
        process.wait()
        os.close(read)


@asynccontextmanager
async def connected(process: Process, queue: str) -> AsyncIterator[Client]:
    """Yield a client of a queue that does not repeat."""
    client = ServiceBusClient.from_connection_string(process.connection_string, retry_total=0)
    links = client.get_queue_sender(queue), client.get_queue_receiver(queue), client.get_queue_receiver(queue + DEAD)
    await asyncio.gather(*(link.__aenter__() for link in links))
    yield Client(*links)
    await asyncio.gather(*(link.close() for link in links))
    await client.close()


def _first_words(pipe: int) -> str:
    os.set_blocking(pipe, False)
    said = b""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and said.count(b"\n") < 3:
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
    command = [sys.executable, "-m", "emulators.servicebus", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=STARTS_WITHIN, check=False)


async def ask(process: Process, what: str) -> Any:
    """Return what the side door says."""
    async with httpx.AsyncClient() as door:
        return (await door.get(f"{process.control}{what}")).json()


async def sent_raw(process: Process) -> object:
    """Send a message to the queue `q` without the SDK, and return the code of the outcome."""
    async with connected_raw(process.port) as client:
        await client.open()
        await client.put_token("q")
        await client.attach(0, "q", receives=False)
        client.transfer(0, encode_section(DATA, b"a"))
        outcome = (await client.expect(Disposition)).state
        assert outcome
        return outcome.descriptor


async def _send(client: Client, acknowledged: set[str], enough: asyncio.Event) -> None:
    """Send batches until the double is gone, and tell when 200 messages are acknowledged."""
    for turn in count():
        names = [f"{turn}-{n}" for n in range(10)]
        await client.sender.send_messages([ServiceBusMessage(name) for name in names])
        acknowledged.update(names)
        if len(acknowledged) >= 200:
            enough.set()


async def _complete(client: Client, completing: set[str], completed: set[str]) -> None:
    """Complete messages until the double is gone."""
    while True:
        for message in await client.receiver.receive_messages(5, max_wait_time=5):
            completing.add(str(message))
            await client.receiver.complete_message(message)
            completed.add(str(message))
