"""The locks: everything pinned and hashed, nothing for development deployed, no registry named."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOYED = "requirements.txt"
TESTED = ["requirements-dev.txt", "tests/functions/worker.txt"]
LOCKS = [DEPLOYED, *TESTED]

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


@pytest.mark.parametrize("tested", TESTED)
def test_what_is_tested_is_what_is_deployed(tested: str) -> None:
    assert pins(DEPLOYED).keys() <= pins(tested).keys()


@pytest.mark.parametrize("tested", TESTED)
def test_nothing_for_development_is_deployed(tested: str) -> None:
    assert wanted(tested.replace(".txt", ".in")) & set(pins(DEPLOYED).values()) == set()


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
