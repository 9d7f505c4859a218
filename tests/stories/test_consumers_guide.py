"""The guide for teams that subscribe or send is true: its tables are the code's, its requests and examples work."""

import json
import re
import shlex
import sqlite3
from collections import Counter
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from docs.asyncapi.examples import EXAMPLES
from docs.asyncapi.inbound import MEANINGS as INBOUND, REFUSALS
from docs.asyncapi.outbound import MEANINGS as OUTBOUND
from shared.bootstrap import Application
from shared.cloudevents import FILTERED
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
    assert {row[0] for row in table("result", "when")} == {*Outcome, "delivered again"}


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
