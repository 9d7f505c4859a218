"""The guide for teams that subscribe or send is true: its tables are the code's, its examples and its consumer work."""

import json
import re
import shlex
import sqlite3
from collections import Counter
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from docs.asyncapi.examples import EXAMPLES
from docs.asyncapi.inbound import MEANINGS as INBOUND, REFUSALS
from docs.asyncapi.outbound import MEANINGS as OUTBOUND
from shared.bootstrap import Application
from shared.cloudevents import FILTERED, GAP, event_type
from shared.domain.lifecycle import Anomaly, Status
from shared.inbound import Outcome
from shared.messages import CLOUD_EVENT, NOTICE_EVENTS, Message, entities, subscriptions
from shared.settings import EmbeddedStore
from shared.wire.inbound import MAX_BODY, REASONS
from tests import curl
from tests.asyncapi_check import document, payload_faults
from tests.functions.lives import Lives
from tests.functions.queues import say, sent_to
from tests.guide import BLOCK, sections
from tests.ops.command_line import Operator
from tests.support import StillClock

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")
LINES = 30
AFTER = datetime(2026, 11, 27, 10, tzinfo=UTC)
"""After the times of the examples."""


@pytest.fixture
async def messages(
    http: httpx.AsyncClient, application: Application, clock: StillClock, kept_in: EmbeddedStore
) -> list[Message]:
    """Return the messages of lives that have every event."""
    await Lives(http, application, clock).live(kept_in.path)
    return await sent_to(application)


def blocks(kind: str) -> list[str]:
    """Return the blocks of a kind."""
    return [text for found, text in BLOCK.findall(GUIDE) if found == kind]


def table(*head: str, part: str = GUIDE) -> list[list[str]]:
    """Return the rows of the one table with this head, without the signs of code."""
    [text] = re.findall(rf"^\| {re.escape(' | '.join(head))} \|\n\|[-| ]+\|\n((?:\|.+\|\n)+)", part, re.MULTILINE)
    return [
        [re.sub("^`(.+)`$", r"\1", cell.strip()) for cell in row.strip("|").split(" | ")] for row in text.splitlines()
    ]


def section(title: str) -> str:
    """Return a section of the guide."""
    return re.split(r"^##+ ", GUIDE.partition(f"## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


class Consumer:
    """The program of the guide, which is started again and again on the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.works: Counter[str] = Counter()
        self.fails_at: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start the program, without its connection to Service Bus. Its work is counted."""
        [program] = blocks("python")
        self._names: dict[str, Any] = {"__name__": "consumer"}
        with chdir(self._folder):
            exec(compile(program, "consumers.md", "exec"), self._names)
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
    [program] = blocks("python")

    assert len(program.splitlines()) <= LINES


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
    repaired = {**gap, "type": event_type("published"), "data": {**gap["data"], "statusAfter": "ACTIVE"}}

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


async def test_every_filter_of_the_guide_admits_messages_and_its_own_replays_only(messages: list[Message]) -> None:
    found = blocks("sql")

    for condition in found:
        with sqlite3.connect(":memory:") as db:
            statement = f"SELECT {condition} FROM (SELECT {', '.join(f'? AS {name}' for name in FILTERED)})"

            def admits(message: Message, statement: str = statement, db: sqlite3.Connection = db, **more: str) -> bool:
                properties = {**message.properties, **more}
                return bool(db.execute(statement, [properties.get(name) for name in FILTERED]).fetchone()[0])

            admitted = [message for message in messages if admits(message)]
            assert admitted, condition
            assert all(admits(message, replayFor="my-team") for message in admitted), condition
            assert not any(admits(message, replayFor="another") for message in messages), condition
        db.close()
    assert len(found) == 3


async def test_every_request_of_the_guide_is_answered_as_it_shows(http: httpx.AsyncClient) -> None:
    [part] = sections(GUIDE)

    for exchange, command in part.commands():
        part.check(exchange, await http.send(curl.request_of(command, "http://archive.test")))

    assert len(part.exchanges) == 2


async def test_every_inbound_example_is_applied(application: Application, clock: StillClock) -> None:
    clock.now = AFTER
    events = [json.loads(text) for text in blocks("json")[1:]]

    assert [await say(event) for event in events] == [Outcome.APPLIED] * 3
    assert events == [EXAMPLES[name][1] for name in ("publish", "paid", "reported")]


def test_the_event_that_is_shown_is_as_described() -> None:
    shown = json.loads(blocks("json")[0])
    examples = document()["components"]["messages"]["event-amended"]["examples"]

    assert payload_faults("event-amended", shown) == []
    assert [shown.keys(), shown["data"].keys()] == [
        examples[0]["payload"].keys(),
        examples[0]["payload"]["data"].keys(),
    ]


def test_the_commands_of_the_guide_are_those_of_the_operators(tmp_path: Path) -> None:
    operator = Operator(tmp_path / "data")
    operator.add_institution()
    [receipt] = [text for text in blocks("json") if '"/nodo/receipts"' in text]
    (tmp_path / "paid.json").write_text(receipt, encoding="utf-8")
    commands = [line for text in blocks("sh") for line in text.splitlines() if line.startswith("make ops")]

    with chdir(tmp_path):
        for command in commands:
            _, _, arguments = shlex.split(command)
            result = operator.ask(*shlex.split(arguments.removeprefix("ARGS=")))
            assert "will reject" not in result.output, command

    assert len(commands) == 5


def test_each_block_of_the_guide_is_run_or_compared() -> None:
    kinds = Counter(kind for kind, _ in BLOCK.findall(GUIDE))

    assert kinds.keys() == {"sh", "http", "sql", "json", "python"}
    assert all(text.startswith(("curl -i ", "make ops ")) for text in blocks("sh"))
    assert kinds.total() == GUIDE.count("```") / 2


def test_the_tables_of_events_statuses_and_anomalies_are_those_of_the_code() -> None:
    assert [row[:2] for row in table("event", "meaning", "what to do")] == [[*each] for each in OUTBOUND.items()]
    assert table("status", "meaning") == [[each.value, each.meaning] for each in Status]
    assert [row[:2] for row in table("anomaly", "meaning", "what to do")] == [
        [each.value, each.meaning] for each in Anomaly
    ]


def test_the_table_of_inbound_types_is_that_of_the_code() -> None:
    assert table("type", "fact") == [[type_.cloud_event_type, meaning] for type_, meaning in INBOUND.items()]


def test_the_table_of_reasons_is_that_of_the_code() -> None:
    codes = {error.code: f"{error.title}." for error in REFUSALS}

    assert dict(table("reason", "meaning")) == {**REASONS, **codes}


def test_the_table_of_results_has_each_outcome() -> None:
    assert [row[0] for row in table("result", "when")] == [*Outcome, "delivered again"]


def test_the_table_of_subscriptions_is_that_of_the_deployment() -> None:
    assert [row[0] for row in table("subscription", "gets")] == [*subscriptions()]


def test_the_table_of_properties_is_that_of_the_filters() -> None:
    assert [row[0] for row in table("property", "value")] == [*FILTERED]


@pytest.mark.parametrize("name", subscriptions())
def test_the_settings_of_each_subscription_are_those_of_the_guide(name: str) -> None:
    topic = entities()["topics"][NOTICE_EVENTS]
    settings = {**topic, **subscriptions()[name]}

    shown = {row[0]: row[1] for row in table("setting", "value", "meaning")}

    assert shown == {each: str(settings[each]).replace("True", "true") for each in shown}
    assert {*shown, "filter"} >= subscriptions()[name].keys()
    assert (topic["duplicateDetectionHistoryTimeWindow"], "one hour" in section("Order and duplicates")) == (
        "PT1H",
        True,
    )


def test_the_numbers_of_the_guide_are_those_of_the_code() -> None:
    queue = entities()["queues"]["inbound-events"]

    assert GUIDE.count(CLOUD_EVENT) == 2
    assert f"at most {MAX_BODY:,} bytes" in GUIDE
    assert f"After {queue['maxDeliveryCount']} deliveries" in section("The result of a message")
    assert queue["duplicateDetectionHistoryTimeWindow"] == "PT1H"


async def test_messages_are_much_shorter_than_the_guide_says(messages: list[Message]) -> None:
    assert max(len(message.body) for message in messages) < 2_000


def test_every_link_of_the_guide_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    }
    links = re.findall(r"\]\(([^)]+)\)", GUIDE)

    assert {link.removeprefix("#") for link in links if link.startswith("#")} - headings == set()
    assert [link for link in links if not link.startswith("#") and not (ROOT / "docs" / link).exists()] == []
