"""The commands of the runbooks, and of the pages on deployment and disaster recovery, are understood as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from shared.bootstrap import utc_now
from shared.domain.dates import in_rome
from tests.ops.command_line import CODE, ROOT, Operator

DOCS = ROOT / "docs"
PAGES = [*sorted((DOCS / "runbooks").glob("*.md")), DOCS / "deployment.md", DOCS / "disaster-recovery.md"]
COMMAND = re.compile(r"python -m ops ([a-z-]+ [^`\n]*?)(?: [>|].*)?(?:`|$)", re.MULTILINE)
NUMBER = "347000000000000124"
ELSEWHERE = ("smoke",)
"""Commands that need an archive that runs. They have tests of their own."""


def commands(page: Path) -> list[str]:
    """Return the commands of a page. Those that are cut short are left out."""
    found = COMMAND.findall(page.read_text(encoding="utf-8").replace("\\\n", " "))
    return [each for each in found if "…" not in each and not each.startswith(ELSEWHERE)]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem)
def test_every_command_of_a_page_is_understood(page: Path, operator: Operator) -> None:
    operator.add_institution()
    operator.add_caller("an-ec")
    (key,) = operator.read("callers", "show", "an-ec")["keys"]
    ours = {
        "EC": CODE,
        "CODE": CODE,
        "NUMBER": NUMBER,
        "DAY": str(in_rome(utc_now()).date()),
        "NAME": "an-ec",
        "KEY": key["id"],
    }

    for command in commands(page):
        words = [ours.get(word, word) for word in shlex.split(command)]
        said = operator.enter(*words)
        # Exit code 2: the command is not understood. There is nobody to ask, and no debtor keys are here.
        if said.exit_code == 2:
            assert re.search("add --yes|No debtor keys are set", said.stderr), f"{command}: {said.stderr}"
