"""The consumer of the guide for teams that subscribe does each work once, whatever the order and wherever it dies."""

from collections import Counter
from contextlib import chdir
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from shared.bootstrap import Application
from shared.cloudevents import GAP, event_type
from shared.messages import Message
from shared.settings import EmbeddedStore
from tests.functions.lives import Lives
from tests.functions.queues import sent_to
from tests.guide import BLOCK
from tests.support import StillClock

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")
[PROGRAM] = [text for kind, text in BLOCK.findall(GUIDE) if kind == "python"]
LINES = 30


@pytest.fixture
async def messages(
    http: httpx.AsyncClient, application: Application, clock: StillClock, kept_in: EmbeddedStore
) -> list[Message]:
    """Return the messages of lives that have every event."""
    await Lives(http, application, clock).live(kept_in.path)
    return await sent_to(application)


class Consumer:
    """The program of the guide, which is started again and again on the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.works: Counter[str] = Counter()
        self.fails_at: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start the program, without its connection to Service Bus. Its work is counted."""
        self._names: dict[str, Any] = {"__name__": "consumer"}
        with chdir(self._folder):
            exec(compile(PROGRAM, "consumers.md", "exec"), self._names)
        self._names["print"] = self._work  # where the program prints, a team puts its work

    def take(self, message: Message) -> None:
        """Take a message. When it returns, the program completes the message."""
        self._names["handle"](message.body.decode())

    def stop(self) -> None:
        """End the program."""
        self._names["db"].close()

    def notices(self) -> dict[str, tuple[int, str | None]]:
        """Return the newest sequence and status of each notice that it holds."""
        rows = self._names["db"].execute("SELECT notice, sequence, status FROM notices")
        return {notice: (sequence, status) for notice, sequence, status in rows}

    def _work(self, event: dict[str, Any]) -> None:
        key = f"{event['id']} {event['type']}"
        if key in self.fails_at:
            self.fails_at.remove(key)
            raise RuntimeError("the process dies")
        self.works[key] += 1


def test_the_consumer_has_thirty_lines() -> None:
    assert len(PROGRAM.splitlines()) <= LINES


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_consumer_does_each_work_once_whatever_order_and_crashes(
    messages: list[Message], tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    consumer = Consumer(tmp_path)
    deliveries = [*messages, *chance.sample(messages, len(messages) // 2)]
    chance.shuffle(deliveries)
    events = [orjson.loads(message.body) for message in messages]
    consumer.fails_at = {f"{event['id']} {event['type']}" for event in chance.sample(events, 10)}

    while deliveries:
        message = deliveries.pop(0)
        try:
            consumer.take(message)
        except RuntimeError:
            # The message was not completed: it comes again, to a new process.
            deliveries.insert(chance.randint(0, len(deliveries)), message)
            consumer.stop()
            consumer.start()
        if chance.random() < 0.1:  # it dies before it completes the message
            deliveries.append(message)
            consumer.stop()
            consumer.start()

    assert consumer.fails_at == set()
    assert consumer.works == {f"{event['id']} {event['type']}": 1 for event in events}
    assert consumer.notices() == newest(events)
    consumer.stop()


async def test_the_consumer_takes_the_event_that_comes_after_its_gap(messages: list[Message], tmp_path: Path) -> None:
    consumer = Consumer(tmp_path)
    [gap] = [orjson.loads(each.body) for each in messages if each.properties["type"] == event_type(GAP)]
    data = {**gap["data"], "statusAfter": "ACTIVE"}
    repaired = {**gap, "id": gap["id"].removesuffix(".gap"), "type": event_type("published"), "data": data}

    for event in (gap, repaired, gap):
        consumer.take(Message("a-message", orjson.dumps(event)))

    assert consumer.notices() == {gap["subject"]: (gap["sequence"], "ACTIVE")}
    assert consumer.works.total() == 2
    consumer.stop()


def newest(events: list[dict[str, Any]]) -> dict[str, tuple[int, str | None]]:
    """Return the newest sequence and status of each notice."""
    found: dict[str, tuple[int, str | None]] = {}
    for event in sorted(events, key=lambda each: int(each["sequence"])):
        found[event["subject"]] = (event["sequence"], event["data"].get("statusAfter"))
    return found
