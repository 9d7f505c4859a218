"""The locks: everything pinned and hashed, nothing for development deployed, no registry named."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOYED = "requirements.txt"
RUN = "requirements-run.txt"
TESTED = ["requirements-dev.txt", "tests/functions/worker.txt"]
MEASURED = "bench/bench.txt"
SCANNED = "infra/checks/checkov.txt"
NODE = "tests/conformance/javascript/node.txt"
LOCKS = [DEPLOYED, RUN, *TESTED, MEASURED, SCANNED, NODE]

NOT_RUN = ["bench", "docs", "tests"]

PINNED = re.compile(r"(?P<pin>(?P<name>[a-z0-9-]+)==[^\s;]+( ; [^\\]+?)?)(\s+--hash=sha256:[0-9a-f]{64})+")


def lines(path: str) -> list[str]:
    """A requirement file's lines, the continued ones joined, without comments and blank lines."""
    joined = (ROOT / path).read_text().replace("\\\n", " ").splitlines()
    return [line.strip() for line in joined if line.strip() and not line.strip().startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """The pins of a lock with the condition on which each holds, and the name of what is pinned."""
    found = [PINNED.fullmatch(line) for line in lines(lock)]
    return {match["pin"]: match["name"] for match in found if match}


def wanted(requirements: str) -> set[str]:
    """What a *.in file asks for by name."""
    return {re.split(r"[^a-z0-9-]", line, maxsplit=1)[0] for line in lines(requirements) if line[0] != "-"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    assert lines(lock)
    assert [line for line in lines(lock) if not PINNED.fullmatch(line)] == []


def test_a_line_without_a_hash_is_not_taken_for_pinned() -> None:
    assert not PINNED.fullmatch("pydantic==2.0.0")
    assert not PINNED.fullmatch("pydantic>=2 --hash=sha256:" + "0" * 64)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_its_source_asks_for(lock: str) -> None:
    assert wanted(lock.replace(".txt", ".in")) <= set(pins(lock).values()), "`make lock` locks it."


@pytest.mark.parametrize("used", [RUN, *TESTED, MEASURED])
def test_what_runs_here_and_what_is_tested_is_what_is_deployed(used: str) -> None:
    assert pins(DEPLOYED).keys() <= pins(used).keys()


@pytest.mark.parametrize("used", ["requirements-dev.txt", MEASURED])
def test_what_runs_here_is_tested_and_measured(used: str) -> None:
    assert pins(RUN).keys() <= pins(used).keys()


@pytest.mark.parametrize("used", [RUN, *TESTED, MEASURED])
def test_nothing_for_development_is_deployed(used: str) -> None:
    assert wanted(used.replace(".txt", ".in")) & set(pins(DEPLOYED).values()) == set()


def test_a_first_run_waits_for_no_tool_of_the_tests() -> None:
    assert wanted("requirements-dev.in") & set(pins(RUN).values()) == set()


@pytest.mark.parametrize("target", ["run", "run-azure", "ops"])
def test_what_runs_here_has_an_environment_with_its_lock_and_nothing_else(target: str) -> None:
    command = ["make", "--dry-run", "--always-make", target]

    steps = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout

    assert set(re.findall(r"\S+\.txt", steps)) == {RUN}
    assert set(re.findall(r"\.venv\S*/bin/python", steps)) == {".venv-run/bin/python"}
    assert steps.count(" >&2") >= 3, "The steps of a first start are told, and not among what `ops` prints."


def test_what_runs_here_imports_only_what_its_lock_holds() -> None:
    folders = {package.parent for package in ROOT.glob("[!.]*/__init__.py")} - {ROOT / name for name in NOT_RUN}
    sources = [source for folder in folders for source in folder.rglob("*.py")]
    packages = packages_distributions()

    used = {name for source in sources for name in imported(source.read_text(encoding="utf-8"))} & packages.keys()

    assert {"uvicorn", "typer", "orjson", "azure", "lark", "mmh3"} <= used
    assert used - {name for name in used if set(map(canonical, packages[name])) & set(pins(RUN).values())} == set()


def imported(source: str) -> Iterator[str]:
    """Yield the top-level name of each module that a source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_package_of_javascript_is_pinned_and_hashed() -> None:
    folder = ROOT / "tests" / "conformance" / "javascript"
    asked = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: package for path, package in lock["packages"].items() if path}

    assert lock["lockfileVersion"] == 3
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
    assert [path for path, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_no_file_names_a_registry() -> None:
    # In two parts each, so that this file does not name one either.
    registries = ["".join(parts) for parts in (("pypi", ".org"), ("python", "hosted.org"), ("npm", "js."))]
    indexes = [f"--{option}[= ]" for option in ("index-url", "extra-index-url", "find-links")]

    answer = subprocess.run(
        ["git", "grep", "--untracked", "-nIE", "-e", "|".join([*registries, *indexes])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    # 1 is git's word for a search that found nothing.
    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 1)
