"""New versions are proposed for every lock and every action, and each action is pinned."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OLDEST = ROOT / "tests" / "conformance" / "oldest.in"
"""It pins the oldest versions that work, so nothing newer is proposed for it."""


def test_new_versions_are_proposed_for_every_lock() -> None:
    (python,) = (update for update in updates() if update["package-ecosystem"] == "pip")

    folders = (ROOT / name for name in ("bench", "infra", "tests"))
    sources = [*ROOT.glob("*.in"), *(source for folder in folders for source in folder.rglob("*.in"))]

    watched = {folder.strip("/") or "." for folder in python["directories"]}
    assert {str(source.parent.relative_to(ROOT)) for source in sources if source != OLDEST} == watched


def test_new_versions_are_proposed_for_the_actions() -> None:
    assert [update["directory"] for update in updates() if update["package-ecosystem"] == "github-actions"] == ["/"]


def test_new_versions_are_proposed_for_the_sdks_for_javascript() -> None:
    watched = [update["directory"] for update in updates() if update["package-ecosystem"] == "npm"]

    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*package-lock.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [f"/{Path(lock).parent}" for lock in listed] == watched


def test_a_new_version_is_a_week_old_before_it_is_proposed() -> None:
    assert [update["cooldown"]["default-days"] >= 7 for update in updates()] == [True, True, True]


def test_every_action_is_pinned_by_its_commit_and_names_its_version() -> None:
    used = [
        line.split("uses: ")[1]
        for workflow in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in workflow.read_text(encoding="utf-8").splitlines()
        if "uses: " in line
    ]
    others = [action for action in used if not action.startswith("$/")]  # $/ is this repository at the same commit

    assert others
    assert [action for action in others if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


def updates() -> list[dict[str, Any]]:
    """Return what Dependabot watches."""
    settings = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["updates"]
    return found
