"""The guide for pull payments is true: its requests are answered as it shows, its tables are those of the code."""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest

from docs.openapi.operations import OPERATIONS
from shared.bootstrap import Application
from shared.domain.lifecycle import Status
from shared.errors import ArchiveError, InternalError, NotConfigured, catalogue
from shared.wire.debtors import DEFAULT_LIMIT, MAX_LIMIT, PARAMETERS
from tests import curl
from tests.functions.queues import project
from tests.guide import BLOCK, VARIES, Exchange, Section, sections
from tests.openapi_check import contract
from tests.ops.command_line import Operator
from tests.server import PATIENCE, ROOT, Server, running
from tests.stores import COSMOS, SQLITE, account_for
from tests.support import NOW, SECOND, StillClock

GUIDE = (ROOT / "docs" / "pull-payments.md").read_text(encoding="utf-8")
LATER = datetime(2030, 2, 3, 9, 15, tzinfo=UTC)
LIST = "/v1/debtors/notices"


def parts() -> list[Section]:
    """Return the sections of the guide. A cursor follows from the debtor keys, which each archive makes."""
    return sections(GUIDE, VARIES | {"nextCursor"})


@pytest.fixture(params=[SQLITE, COSMOS])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Yield a server without notices, on either store."""
    with running(tmp_path, account_for(request.param, tmp_path)) as server:
        yield server


def test_every_request_of_the_guide_is_answered_as_it_shows_within_seconds(server: Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    sent = 0

    with httpx.Client(timeout=30) as client:
        for section in parts():
            for exchange, command in section.commands():
                send = partial(client.send, curl.request_of(command, origin))
                _check_when_ready(section, exchange, send, patience=PATIENCE if LIST in command else 0.0)
                sent += 1

    assert sent >= 20


@pytest.mark.parametrize(("now", "seed"), [(NOW, 1), (LATER, 2), (LATER, 3)])
async def test_a_reader_may_begin_with_any_section_on_any_day(
    http: httpx.AsyncClient, application: Application, clock: StillClock, now: datetime, seed: int
) -> None:
    clock.now = now
    shuffled = parts()
    Random(seed).shuffle(shuffled)

    for section in shuffled:
        for exchange, command in section.commands():
            await project(application)
            section.check(exchange, await http.send(curl.request_of(command, "http://archive.test")))
            clock.advance(SECOND)

    assert len(shuffled) >= 6


def test_every_block_of_the_guide_is_sent_or_is_an_answer() -> None:
    blocks = BLOCK.findall(GUIDE)

    assert {kind for kind, _ in blocks} == {"sh", "http", "console"}
    assert all(text.startswith("curl -i ") for kind, text in blocks if kind == "sh")
    assert len(blocks) == GUIDE.count("```") / 2


def test_the_command_that_registers_a_service_is_one_of_the_operators(tmp_path: Path) -> None:
    ((program, what, arguments),) = [
        shlex.split(text.removeprefix("$ ")) for kind, text in BLOCK.findall(GUIDE) if kind == "console"
    ]

    answer = Operator(tmp_path / "data").ask(*shlex.split(arguments.removeprefix("ARGS="))).stdout

    assert (program, what) == ("make", "ops")
    assert re.search(r"^scopes +debtors:read$", answer, re.MULTILINE)


def test_no_tax_code_is_in_an_address_of_the_guide() -> None:
    codes = set(re.findall(r"x-tax-code: (\w+)", GUIDE))
    addresses = re.findall(r"http://localhost\S+", GUIDE)

    assert len(codes) >= 6
    assert [address for address in addresses for code in codes if code in address] == []


def test_the_table_of_parameters_is_that_of_the_code() -> None:
    rows = dict(_table("parameter", "meaning"))

    assert rows.keys() == {*PARAMETERS}
    assert f"1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}" in rows["limit"]


def test_the_table_of_statuses_has_each_status_and_only_active_notices_are_in_a_list() -> None:
    rows = _table("status now", "in the list", "")

    assert sorted(row[0] for row in rows) == sorted(Status)
    assert [row[0] for row in rows if row[1] == "yes"] == [Status.ACTIVE]


def test_the_table_of_errors_has_each_refusal_of_the_operation() -> None:
    refusals: set[type[ArchiveError]] = {*OPERATIONS["list_open_notices"].refusals, InternalError, NotConfigured}

    rows = _table("", "code", "correction")

    assert {(int(status), code) for status, code, _ in rows} == {(error.status, error.code) for error in refusals}


def test_each_field_that_takes_the_place_of_one_of_gpd_is_in_the_answer() -> None:
    shown = contract()["components"]["schemas"]["OpenNotice"]["properties"].keys()

    fields = [here for _, here, _ in _table("`gpd-payments-pull`", "here", "note")]

    assert {field for field in fields if field} <= shown
    assert len(fields) >= 16


def test_the_whole_item_that_the_guide_shows_has_every_field_that_an_answer_always_has() -> None:
    [whole] = [text for kind, text in BLOCK.findall(GUIDE) if kind == "http" and '"ibanSource"' in text]

    [item] = json.loads(whole.partition("\n\n")[2])["items"]

    assert sorted(item) == sorted(contract()["components"]["schemas"]["OpenNotice"]["required"])


def test_the_guide_names_no_code_that_does_not_exist() -> None:
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", GUIDE)) <= {error.code for error in catalogue()}


def test_every_link_of_the_guide_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", GUIDE):
        file, _, part = link.partition("#")
        text = (ROOT / "docs" / file).read_text(encoding="utf-8") if file else GUIDE
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert not part or part in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, link


def _check_when_ready(
    section: Section, exchange: Exchange, send: Callable[[], httpx.Response], *, patience: float
) -> None:
    """Assert that the answer becomes the one that is shown, in this number of seconds."""
    deadline = time.monotonic() + patience
    known = dict(section.ours)
    while True:
        try:
            section.check(exchange, send())
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            section.ours.clear()
            section.ours.update(known)
            time.sleep(0.1)
        else:
            return


def _table(*head: str) -> list[list[str]]:
    """Return the rows of the one table with this head, without the signs of code."""
    line = re.escape(f"| {' | '.join(head)} |".replace("|  |", "| |"))
    [text] = re.findall(rf"^{line}\n\|[-| ]+\|\n((?:\|.+\|\n)+)", GUIDE, re.MULTILINE)
    rows = [re.split(r" ?\| ?", row)[1:-1] for row in text.splitlines()]
    return [[re.sub("^`([^`]+)`$", r"\1", cell) for cell in row] for row in rows]
