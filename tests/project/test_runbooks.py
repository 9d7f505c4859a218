"""The pages for operators in Azure: what they name exists. tests/infra compares the runbooks with the alerts."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ops.__main__ import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OVERVIEW = DOCS / "runbooks" / "README.md"
RUNBOOKS = {path.stem: path for path in (DOCS / "runbooks").glob("*.md") if path != OVERVIEW}
PAGES = [*RUNBOOKS.values(), OVERVIEW, *(DOCS / name for name in ("cost.md", "deployment.md", "disaster-recovery.md"))]
PARTS = [
    r"^# (.+)",
    r"^\*\*Who is hurt\*\*: ",
    "^## First look$",
    "^## Likely causes, in this order$",
    "^## What to do$",
    r"^\*\*Call\*\* ",
    "^## Over when$",
]
SOURCES = ["shared", "apply_due_changes", "consume_events", "project_debtors", "relay_events"]


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_has_each_part_in_its_place(name: str) -> None:
    text = RUNBOOKS[name].read_text(encoding="utf-8")
    found = [re.search(part, text, re.MULTILINE) for part in PARTS]

    assert [part for part, each in zip(PARTS, found, strict=True) if each is None] == []
    places = [each.start() for each in found if each]
    assert places == sorted(places)
    assert text.startswith(f"# {name}\n")


def test_the_overview_lists_each_runbook() -> None:
    listed = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.md\) ", OVERVIEW.read_text(encoding="utf-8"), re.MULTILINE)

    assert {name for name, _ in listed} == RUNBOOKS.keys()
    assert all(name == file for name, file in listed)


def _page_name(path: Path) -> str:
    return path.relative_to(DOCS).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_page_name)
def test_an_event_in_a_query_is_one_that_the_archive_logs(page: Path) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for name in SOURCES for path in (ROOT / name).rglob("*.py"))
    logged = set(re.findall(r'log_(?:event|failure|bug|critical)\(\s*"(\w+)"', code))
    logged |= {f"{reader}_{end}" for reader in ("relay", "debtors") for end in ("turn", "failed")} | {"function_failed"}
    queries = re.findall(r"^```kusto\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [
        line for query in queries for line in query.splitlines() if "Message has" in line or "record.event)" in line
    ]
    named = {name for line in lines for name in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', line)}

    assert named <= logged


@pytest.mark.parametrize("page", PAGES, ids=_page_name)
def test_a_command_of_operators_exists_with_its_options(page: Path) -> None:
    faults = [fault for command in _commands(page.read_text(encoding="utf-8")) for fault in _faults(command)]

    assert faults == []


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command, without what the shell does with its output."""
    for command in re.findall(r"python -m ops ([^`\n]+)", text.replace("\\\n", " ")):
        words = shlex.split(re.sub(r"\s[>|].*", "", command))
        if words:
            yield words


def _faults(words: list[str]) -> Iterator[str]:
    found, rest = typer.main.get_command(app), list(words)
    while isinstance(found, TyperGroup) and rest:
        inner = found.commands.get(rest.pop(0))
        if inner is None:
            yield " ".join(words)
            return
        found = inner
    known = {name for each in found.params for name in (*each.opts, *each.secondary_opts)}
    yield from (f"{word} in {' '.join(words)}" for word in rest if word.startswith("-") and word not in known)


@pytest.mark.parametrize("page", PAGES, ids=_page_name)
def test_a_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

    assert [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith("https://"):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in {
        _anchor(title) for title in re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
    }


def _anchor(title: str) -> str:
    """Return the anchor that GitHub makes of a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
