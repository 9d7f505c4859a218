"""docs/events.md is true: its requests and commands, in their order, answer what it shows on a running archive."""

import json
import re
import shlex
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

import httpx
import pytest

from local import cosmos, service_bus
from shared.wire.inbound import Rejected, parse_event
from tests import curl
from tests.guide import BLOCK, Exchange, Section
from tests.ops.command_line import Operator
from tests.server import PATIENCE, ROOT, Server, running
from tests.stores import AZURE, SQLITE

GUIDE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"
VARIES = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d|^\d+(?=  )|(?<=rejected:)\d+|(?<=:o)\d+", re.MULTILINE
)
"""Moments, positions and the numbers of repetitions."""


@pytest.mark.parametrize("ground", [SQLITE, AZURE])
def test_each_story_ends_as_it_shows(tmp_path: Path, ground: str) -> None:
    account, named = None, dict[str, str]()
    if ground == AZURE:
        account, namespace = cosmos.start_double(tmp_path / "cosmos.db"), service_bus.start_double(tmp_path / "bus.db")
        named = {"COSMOS": account, "SERVICEBUS": namespace}
    with running(tmp_path, account, **named) as server, httpx.Client(timeout=30) as client:
        for title, blocks in stories():
            for (kind, text), (_, following) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
                if kind == "sh":
                    section = Section(title, [Exchange(text.strip(), following)])
                    until(lambda section=section: ask(client, server, section))  # type: ignore[misc]
                elif kind == "console":
                    for command, output in re.findall(r"^\$ (.+)\n((?:[^$].*\n)*)", text, re.MULTILINE):
                        until(lambda command=command, output=output: run(tmp_path, named, command, output))  # type: ignore[misc]

    assert len(stories()) == 9


def test_every_example_is_used_and_all_but_one_can_be_applied() -> None:
    files = sorted(EXAMPLES.glob("*.json"))

    unused = [file.name for file in files if file.name not in GUIDE]
    wrong = [file.name for file in files if not is_parsed(file)]
    assert (unused, wrong) == ([], ["malformed.json"])


def test_no_two_documents_use_the_same_notice_on_the_machine_of_a_reader() -> None:
    used = {name: notices(name) for name in ("README.md", "docs/events.md", "docs/consumers.md")}
    used["docs/events.md"] |= {json.loads(file.read_bytes())["subject"] for file in EXAMPLES.glob("*.json")}

    assert all(used.values())
    assert [pair for pair in combinations(used, 2) if used[pair[0]] & used[pair[1]]] == []


def notices(document: str) -> set[str]:
    """Return the notices of the institution of `make run` that a document names."""
    found = re.findall(r"77777777777(?:/notices)?[/.]([0-9]{18})", (ROOT / document).read_text(encoding="utf-8"))
    return {f"77777777777/{number}" for number in found}


def stories() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the title of each story, and its blocks of code."""
    parts = re.split(r"^(?=## )", GUIDE, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0].strip("# "), BLOCK.findall(part)) for part in parts]


def until(check: Callable[[], None]) -> None:
    """Repeat a check until it holds: events go in and out within a few seconds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def ask(client: httpx.Client, server: Server, section: Section) -> None:
    """Send the request, and compare the answer with the one shown."""
    [exchange] = section.exchanges
    request = curl.request_of(exchange.command, f"http://127.0.0.1:{server.port}")
    section.check(exchange, client.send(request))


def run(data: Path, named: Mapping[str, str], command: str, shown: str) -> None:
    """Run an operator's command, and compare its output with the one shown."""
    program, what, options = shlex.split(command)
    assert (program, what) == ("make", "ops")
    answered = Operator(data).ask(*shlex.split(options.removeprefix("ARGS=")), env=named)
    # Standard error comes last here, as a terminal shows it for these commands.
    assert comparable(f"{answered.stdout}{answered.stderr}") == comparable(shown)


def comparable(output: str) -> str:
    """Return what is the same each time. Columns are as wide as what varies in them."""
    return re.sub(" +\n", "\n", re.sub(" {2,}", "  ", VARIES.sub("…", output)))


def is_parsed(file: Path) -> bool:
    """Return whether an event has the form of its type."""
    try:
        parse_event(file.read_bytes()).check_form()
    except Rejected:
        return False
    return True
