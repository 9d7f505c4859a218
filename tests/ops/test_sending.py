"""`send` puts events into the inbound queue as they are, and says which of them the archive will reject."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from typer.testing import CliRunner

from ops.__main__ import app
from shared.messages import CLOUD_EVENT, INBOUND_EVENTS, Message
from tests.ops.command_line import CODE, Operator
from tests.ops.embedded import Archive, publication, receipt
from tests.support import a_number

ESCAPES = "\x1b[2J\x9b31m\u202e"
"""Texts that a terminal would obey."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for the files of events."""
    folder = tmp_path / "events"
    folder.mkdir()
    return folder


def written(folder: Path, body: object, name: str = "event.json") -> str:
    """Return the path of a file with an event. Bytes are written as they are, others as JSON."""
    path = folder / name
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return str(path)


def test_an_event_is_put_into_the_queue_under_its_own_id_and_applied(
    operator: Operator, archive: Archive, folder: Path
) -> None:
    said = operator.ask("send", written(folder, publication(1)))

    assert (said.stdout, said.stderr) == (f"Sent publish-{CODE}-1.\n", "")
    assert archive.ids(INBOUND_EVENTS) == [f"publish-{CODE}-1:o"]
    assert archive.consume() == ["applied"]


def test_the_body_is_sent_byte_for_byte(operator: Operator, archive: Archive, folder: Path) -> None:
    body = json.dumps(publication(1), indent=4).encode() + b"\n\n"

    operator.ask("send", written(folder, body))

    [sent] = archive.drain(INBOUND_EVENTS)
    assert sent == Message(sent.id, body, {}, None, CLOUD_EVENT)


def test_several_files_are_sent_in_their_order(operator: Operator, archive: Archive, folder: Path) -> None:
    files = [written(folder, body, f"{n}.json") for n, body in enumerate((publication(1), receipt(1), publication(2)))]

    said = operator.ask("send", *files).stdout

    names = [f"publish-{CODE}-1", f"paid-{CODE}-1", f"publish-{CODE}-2"]
    assert said == "".join(f"Sent {name}.\n" for name in names)
    assert archive.ids(INBOUND_EVENTS) == [f"{name}:o" for name in names]


def test_an_event_can_come_from_standard_input(operator: Operator, archive: Archive) -> None:
    terminal = CliRunner(env={"DATA": str(operator.data), "ARCHIVE_STORE": None})

    said = terminal.invoke(app, ["send", "-"], input=json.dumps(publication(1)))

    assert (said.exit_code, said.stdout) == (0, f"Sent publish-{CODE}-1.\n")
    assert archive.consume() == ["applied"]


def test_each_event_is_recorded(operator: Operator, archive: Archive, folder: Path) -> None:
    operator.ask("send", written(folder, publication(1)), written(folder, receipt(1), "other.json"))

    items = operator.read("audit", "--messages")["items"]

    assert [(item["action"], item["message"], item["fields"]["queue"]["to"]) for item in items] == [
        ("sent", f"paid-{CODE}-1", "inbound-events"),
        ("sent", f"publish-{CODE}-1", "inbound-events"),
    ]


def test_the_same_event_within_an_hour_is_swallowed_by_the_bus(
    operator: Operator, archive: Archive, folder: Path
) -> None:
    file = written(folder, publication(1))

    operator.ask("send", file)
    operator.ask("send", file)

    assert archive.ids(INBOUND_EVENTS) == [f"publish-{CODE}-1:o"]


def test_an_event_that_was_corrected_is_sent_though_it_has_its_old_id(
    operator: Operator, archive: Archive, folder: Path
) -> None:
    operator.ask("send", written(folder, publication(1, amount=0)))
    operator.ask("send", written(folder, publication(1)))

    assert archive.consume() == ["rejected", "applied"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no JSON", "malformed"),
        (b"", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, "malformed"),
        ([], "malformed"),
        ({"id": "no-event"}, "malformed"),
        (publication(1) | {"type": "it.pagopa.notice.publish.v2"}, "unsupported_version"),
        (publication(1) | {"type": "it.pagopa.notice.buy.v1"}, "unknown_type"),
        (publication(1) | {"subject": f"{CODE}/{a_number(2)}"}, "address_mismatch"),
        (publication(1) | {"data": {}}, "invalid_data"),
        (publication(1, description="x" * 200_000), "malformed"),
    ],
)
def test_an_event_that_will_be_rejected_is_sent_all_the_same_and_said(
    body: object, reason: str, operator: Operator, archive: Archive, folder: Path
) -> None:
    said = operator.ask("send", written(folder, body))

    assert re.match(f"The archive will reject .+[.] {reason}: .+\n$", said.stderr)
    assert archive.consume() == ["rejected"]
    assert [item["reason"] for item in operator.read("dead-letters", "list")["items"]] == [reason]


@pytest.mark.parametrize("given", [None, 5, "", "x" * 121, "a\nb", ESCAPES])
def test_an_event_without_a_good_id_gets_one_of_its_own(
    given: object, operator: Operator, archive: Archive, folder: Path
) -> None:
    operator.ask("send", written(folder, publication(1) | {"id": given}))

    (name,) = archive.ids(INBOUND_EVENTS)
    assert re.fullmatch("unnamed-[0-9a-f]{16}:o", name)


def test_no_text_of_an_event_commands_the_terminal(operator: Operator, archive: Archive, folder: Path) -> None:
    body = publication(1) | {"source": f"/{ESCAPES}", ESCAPES: ESCAPES, "type": ESCAPES}

    said = operator.ask("send", written(folder, body))

    assert [letter for letter in said.stdout + said.stderr if not letter.isprintable() and letter != "\n"] == []


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_sent(
    operator: Operator, archive: Archive, folder: Path
) -> None:
    good = written(folder, publication(1))

    missing = operator.refused("send", good, str(folder / "missing.json"), exit_code=2)
    directory = operator.refused("send", good, str(folder), exit_code=2)

    assert missing == f"{folder}/missing.json cannot be read: No such file or directory.\n"
    assert directory == f"{folder} cannot be read: Is a directory.\n"
    assert archive.ids(INBOUND_EVENTS) == []
    assert operator.read("audit", "--messages")["items"] == []


def test_without_a_file_it_is_not_understood(operator: Operator) -> None:
    assert operator.refused("send", exit_code=2).startswith("Missing argument 'FILE...'")


def test_an_archive_that_is_not_there_is_named_and_not_made(operator: Operator, folder: Path) -> None:
    refusal = operator.refused("send", written(folder, publication(1)))

    assert refusal.startswith(f"There is no archive in {operator.data}. ")
    assert not operator.data.exists()


def test_it_waits_while_another_process_writes(operator: Operator, archive: Archive, folder: Path) -> None:
    with closing(sqlite3.connect(archive.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.5, other.execute, ["COMMIT"])
        release.start()

        operator.ask("send", written(folder, publication(1)))

        release.join()
    assert archive.ids(INBOUND_EVENTS) == [f"publish-{CODE}-1:o"]


def test_a_bus_that_does_not_answer_is_named(operator: Operator, archive: Archive, folder: Path) -> None:
    archive.execute("DROP TABLE deliveries")

    refusal = operator.refused("send", written(folder, publication(1)), exit_code=3)

    assert refusal.startswith("The bus does not answer (BusUnavailable caused by StoreUnavailable")
