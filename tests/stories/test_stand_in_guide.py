"""The guide for Stand-In is true: its requests and its receipt, in their order, are answered as it shows."""

import json
import re
import shlex
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
import pytest

from docs.openapi.operations import OPERATIONS
from shared.domain.lifecycle import FAULTS, Fault
from shared.domain.payability import MAX_DESCRIPTION, MAX_FULL_NAME
from shared.errors import ArchiveError, InternalError, NotConfigured
from shared.inbound import Outcome
from shared.settings import VARIABLES
from tests import curl
from tests.functions.queues import say
from tests.guide import BLOCK, Exchange, Section, sections
from tests.openapi_check import contract
from tests.ops.command_line import Operator
from tests.stores import both_stores
from tests.support import NOW, SECOND, StillClock

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "stand-in.md").read_text(encoding="utf-8")
LATER = datetime(2030, 2, 3, 9, 15, tzinfo=UTC)


@both_stores
@pytest.mark.parametrize(("now", "seed"), [(NOW, 0), (NOW, 1), (LATER, 2)])
async def test_every_request_is_answered_as_shown_whichever_section_a_reader_begins_with(
    http: httpx.AsyncClient, clock: StillClock, now: datetime, seed: int
) -> None:
    clock.now = now
    parts = [part for part in re.split(r"^(?=## )", GUIDE, flags=re.MULTILINE) if "\ncurl " in part]
    Random(seed).shuffle(parts)
    sent = 0

    for part in parts:
        blocks = BLOCK.findall(part)
        for (kind, text), (_, following) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
            if kind == "sh":
                section = Section(part.partition("\n")[0], [Exchange(text.strip(), following)])
                answer = await http.send(curl.request_of(text.strip(), "http://archive.test"))
                section.check(section.exchanges[0], answer)
                sent += 1
            elif kind == "json":
                assert await say(json.loads(text)) is Outcome.APPLIED
            clock.advance(SECOND)

    assert sent == sum(len(section.exchanges) for section in sections(GUIDE)) >= 16


async def test_the_whole_answer_is_shown(http: httpx.AsyncClient) -> None:
    [section] = [section for section in sections(GUIDE) if section.title == "A notice that can be paid"]

    answers = [
        await http.send(curl.request_of(exchange.command, "http://archive.test")) for exchange in section.exchanges
    ]

    assert json.loads(section.exchanges[-1].shown.partition("\n\n")[2]) == answers[-1].json()


def test_the_commands_of_the_guide_are_those_of_the_operators(tmp_path: Path) -> None:
    operator = Operator(tmp_path / "data")
    (tmp_path / "receipt.json").write_text(blocks("json")[0], encoding="utf-8")
    commands = [line.removeprefix("$ ") for text in blocks("console") for line in text.splitlines()]

    with chdir(tmp_path):
        for command in commands:
            program, what, arguments = shlex.split(command)
            assert (program, what) == ("make", "ops")
            assert "will reject" not in operator.ask(*shlex.split(arguments.removeprefix("ARGS="))).output

    assert len(commands) == 4


def test_each_block_of_the_guide_is_sent_or_run() -> None:
    kinds = [kind for kind, _ in BLOCK.findall(GUIDE)]

    assert {*kinds} == {"sh", "http", "json", "console"}
    assert all(text.startswith("curl -i ") for text in blocks("sh"))
    assert len(kinds) == GUIDE.count("```") / 2


def test_the_table_of_faults_is_that_of_the_life_cycle() -> None:
    rows = table("case", "`fault`")
    by_status = {case.partition(":")[0]: fault for case, fault in rows if re.match("[A-Z]+:", case)}

    assert by_status == {status: f"`{fault}`" for status, fault in FAULTS.items() if fault}
    # The guards before the status.
    assert [fault for _, fault in rows[: -len(by_status)]] == [f"`{Fault.UNKNOWN}`"] * 3


def test_the_table_of_errors_is_that_of_the_contract() -> None:
    refusals: set[type[ArchiveError]] = {*OPERATIONS["get_payability"].refusals, InternalError, NotConfigured}

    named = {
        (int(status), code) for status, codes, _ in table("status", "`code`", "what to do") for code in codes_of(codes)
    }

    assert named == {(error.status, error.code) for error in refusals}


def test_the_table_of_fields_names_every_field_of_the_contract() -> None:
    schemas = contract()["components"]["schemas"]
    answer, debtor, transfer = (
        schemas[name]["properties"] for name in ("Payability", "PayableDebtor", "PayableTransfer")
    )
    institution = answer["creditorInstitution"]["properties"]
    fields = {*answer} - {"payable", "fault", "creditorInstitution", "debtor", "transfers"}
    fields |= {f"creditorInstitution.{name}" for name in institution} | {f"debtor.{name}" for name in debtor}
    fields |= {f"transfers[].{name}" for name in transfer}

    assert {name for names, _, _ in table("field", "verify", "activate") for name in codes_of(names)} == fields


def test_the_numbers_of_the_guide_are_those_of_the_code() -> None:
    (budget,) = (variable.default for variable in VARIABLES if variable.name == "STORE_BUDGET_SECONDS")

    assert f"cut to {MAX_FULL_NAME} characters" in GUIDE
    assert f"computed transfer to {MAX_DESCRIPTION}." in GUIDE
    assert f"answers within {budget} seconds" in GUIDE


def test_every_link_of_the_guide_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", GUIDE)

    assert links
    assert [link for link in links if not (ROOT / "docs" / link.partition("#")[0]).is_file()] == []
    assert "\n## Answers of the platform\n" in (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """Return the blocks of a kind."""
    return [text for found, text in BLOCK.findall(GUIDE) if found == kind]


def codes_of(cell: str) -> list[str]:
    """Return the texts of a cell that have the signs of code."""
    return re.findall("`([^`]+)`", cell)


def table(*head: str) -> list[list[str]]:
    """Return the rows of the one table with this head."""
    [text] = re.findall(rf"^\| {re.escape(' | '.join(head))} \|\n\|[-| ]+\|\n((?:\|.+\|\n)+)", GUIDE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in text.splitlines()]
