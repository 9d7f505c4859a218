"""The rules of CONTRIBUTING are enforced: each is broken here, and `make check` sees it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = "shared/domain/rule.py"
HANDLER = "get_notice/rule.py"
TOOLS = Path(sys.executable).parent
IMPURE = [
    "azure", "json", "orjson", "pydantic", "sqlite3",
    "http", "io", "logging", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "urllib",
    "asyncio", "concurrent", "random", "secrets", "threading", "time", "uuid",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("shared/archive.py", "import os\n\nFOUND = os.environ\n", "TID251"),
        ("shared/adapters/cosmos.py", "import os\n\nFOUND = os.getenv('A')\n", "TID251"),
        ("shared/settings.py", "from os import environ\n\nFOUND = environ\n", "TID251"),
        (HANDLER, "import os\n\nFOUND = os.environ\n", "TID251"),
        ("local/host.py", "import os\n\nFOUND = os.environ\n", "TID251"),
        (DOMAIN, "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n", "TID251"),
        ("shared/adapters/sqlite.py", "import time\n\nNOW = time.time()\n", "TID251"),
        ("shared/archive.py", "from time import time_ns\n\nNOW = time_ns()\n", "TID251"),
        (DOMAIN, "from datetime import date\n\nTODAY = date.today()\n", "TID251"),
        (DOMAIN, "import datetime\n\nNOW = datetime.datetime.utcnow()\n", "TID251"),
        (DOMAIN, "from datetime import datetime\n\nNOW = datetime.today()\n", "TID251"),
        ("shared/archive.py", "import os\n\nFOUND = os.environb\n", "TID251"),
        (DOMAIN, "with open('file') as file:\n    TEXT = file.read()\n", "PTH123"),
        (DOMAIN, "print('a notice')\n", "T201"),
        (HANDLER, "import azure.functions as func\n\nREFUSAL = func.HttpResponse(status_code=404)\n", "TID251"),
        (HANDLER, "from azure.functions import HttpResponse\n\nREFUSAL = HttpResponse(status_code=404)\n", "TID251"),
    ],
)
def test_the_linter_refuses_what_a_file_must_not_use(path: str, source: str, rule: str) -> None:
    assert rule in refused(path, source)


@pytest.mark.parametrize("path", ["function_app.py", "shared/bootstrap.py", "local/__main__.py", "ops/opening.py"])
def test_the_start_of_a_process_reads_the_environment(path: str) -> None:
    assert refused(path, "import os\n\nFOUND = os.environ\n") == set()


def test_the_import_linter_refuses_what_a_module_must_not_import(tmp_path: Path) -> None:
    broken = {
        "shared.domain.notice": IMPURE,
        "shared.errors.of_requests": ["os", "time"],
        "local.cosmos": ["tests"],
        "emulators.cosmos.double": ["local", "shared", "tests"],
        "ops.opening": ["emulators"],
    }
    copytree(ROOT, tmp_path / "copy", ignore=ignore_patterns(".*", "tests", "docs", "bench"))
    for module, imports in broken.items():
        source = tmp_path / "copy" / f"{module.replace('.', '/')}.py"
        source.write_text("".join(f"import {name}\n" for name in imports) + source.read_text())

    command = [str(TOOLS / "lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path / "copy", capture_output=True, text=True, check=False)

    assert done.returncode == 1
    seen = re.findall(r"-\s+([\w.]+) -> (\w+) \(l\.", done.stdout)
    assert set(seen) == {(module, name) for module, imports in broken.items() for name in imports}, done.stdout


def test_no_function_answers_with_an_error_of_its_own() -> None:
    functions = sorted({source.parent for source in ROOT.glob("[!.]*/__init__.py") if "bp = " in source.read_text()})

    found = {
        str(source): [*error_answers(source.read_text())] for folder in functions for source in folder.glob("*.py")
    }

    assert len(functions) >= 7
    assert {source: errors for source, errors in found.items() if errors} == {}


@pytest.mark.parametrize(
    "source",
    ["Response(404)", "answer(status=422)", "status = 503 if full else 200", 'kind = "application/problem+json"'],
)
def test_an_error_answer_is_seen_however_it_is_made(source: str) -> None:
    assert [*error_answers(source)] != []


def refused(path: str, source: str) -> set[str]:
    """Return the rules of the linter that a source breaks as a file at `path`."""
    command = [str(TOOLS / "ruff"), "check", "--output-format", "concise", "--no-cache", "--stdin-filename", path, "-"]
    done = subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    return set(re.findall(r"^\S+ ([A-Z]+\d+) ", done.stdout, re.MULTILINE))


def error_answers(source: str) -> Iterator[object]:
    """Yield the statuses of errors and their media type, where a source names them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant):
            is_status = isinstance(node.value, int) and 400 <= node.value < 600
            if is_status or node.value == "application/problem+json":
                yield node.value
