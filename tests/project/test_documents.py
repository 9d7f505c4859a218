"""What the documents list is what the code knows: errors, violations, what is generated."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from shared import errors
from shared.errors import catalogue
from shared.wire.violations import VIOLATIONS

ROOT = Path(__file__).parents[2]
NAMES_A_CODE = {"InvalidValue": 0, "violation": 0, "Violation": 1}
"""What makes a violation, and which of its arguments is the code."""


def test_the_generated_documents_are_current() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


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
