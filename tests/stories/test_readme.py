"""The README is true: its commands are sent as they stand, and answered as it shows; its links lead somewhere."""

import re
from pathlib import Path

import httpx
import pytest

from tests import curl
from tests.guide import sections
from tests.server import ROOT, running

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_every_command_of_the_readme_is_answered_as_it_shows(tmp_path: Path) -> None:
    (section,) = sections(README)

    with running(tmp_path) as server, httpx.Client(timeout=30) as client:
        for exchange, command in section.commands():
            section.check(exchange, client.send(curl.request_of(command, f"http://127.0.0.1:{server.port}")))

    assert len(section.exchanges) == 3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_folder_of_code_is_named() -> None:
    folders = {path.parent.name for path in ROOT.glob("[!.]*/__init__.py")}

    assert [folder for folder in sorted(folders - {"shared"}) if f"`{folder}/`" not in README] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = re.findall(
        r"`((?:[a-z_]+/)+(?:[a-z_][\w.-]*\.(?:py|json|txt|md|yml|in))?)`", document.read_text(encoding="utf-8")
    )

    assert [path for path in named if not (ROOT / path).exists()] == []
