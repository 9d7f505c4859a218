"""What the documents list is what the code knows: errors, violations, what is generated."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from shared import errors
from shared.domain.lifecycle import TRANSITIONS, Anomaly, EventType, Fault, Status
from shared.errors import catalogue
from shared.wire.violations import VIOLATIONS

ROOT = Path(__file__).parents[2]
NAMES_A_CODE = {"InvalidValue": 0, "violation": 0, "Violation": 1}
"""What makes a violation, and which of its arguments is the code."""


GENERATED = [
    "docs/lifecycle.md",
    "docs/errors.md",
    "docs/settings.md",
    "docs/openapi.yaml",
    "docs/asyncapi.yaml",
    "contract/openapi.json",
]


def test_the_generated_documents_are_current() -> None:
    assert checked(ROOT) == (0, "")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the generated documents follow from."""
    copy = tmp_path_factory.mktemp("checkout") / "archive"
    return copytree(ROOT, copy, ignore=ignore_patterns(".*", "tests", "bench"))


def test_every_generated_document_that_is_not_current_is_named(checkout: Path) -> None:
    kept = {path: (checkout / path).read_text(encoding="utf-8") for path in GENERATED}
    for path, text in kept.items():
        (checkout / path).write_text(f"{text} ", encoding="utf-8")

    found = checked(checkout)

    assert found == (1, f"Not current: {', '.join(GENERATED)}. Run `make docs`.\n")


def test_the_list_of_errors_is_the_catalogue() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

    listed = {
        (int(status), code, title, advice)
        for status, part in re.findall(r"^## (\d+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        for code, title, advice in re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", part, re.MULTILINE)
    }

    assert listed == {(error.status, error.code, error.title, error.advice) for error in catalogue()}


def test_the_table_of_the_life_cycle_has_a_cell_for_every_status_and_event() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")

    table = text.partition("## What declarations and facts do")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| **")]
    assert [row[0].strip("*") for row in rows] == [status or "(unknown)" for status in TRANSITIONS]
    assert {len(row) for row in rows} == {1 + len(TRANSITIONS[None])}
    for kind in (Status, EventType, Anomaly, Fault):
        assert [member for member in kind if not re.search(rf"\b{member}\b", text)] == []


def checked(root: Path) -> tuple[int, str]:
    """Return the exit code and the message of `docs/generate.py --check` in a checkout."""
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in catalogue()]

    assert len(codes) == len(set(codes))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)


def test_the_tree_of_errors_is_the_tree_of_the_classes() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b", errors.__doc__ or "")) & set(vars(errors))
    branches = {
        parent for error in catalogue() for parent in error.__mro__[1:] if issubclass(parent, errors.ArchiveError)
    }

    assert drawn == {error.__name__ for error in (*catalogue(), *branches)}


def test_every_violation_the_code_can_make_is_documented_and_none_else() -> None:
    made = {code for path in (ROOT / "shared").rglob("*.py") for code in _codes(path)}

    assert made == set(VIOLATIONS)


def _codes(path: Path) -> list[str]:
    codes = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES_A_CODE:
            argument = node.args[NAMES_A_CODE[node.func.id]]
            codes += [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_CODES":
            codes += [pair.elts[0].value for pair in node.value.values]  # type: ignore[attr-defined]
    return codes
