"""`make check-infra`: it needs a compiler, finds what is stale, and takes no failure of checkov without a reason."""

import json
import os
import stat
from pathlib import Path

import pytest

from infra.checks import compiler, scan, snapshots
from infra.checks.compiler import Finding, NoCompilerError, Sources, find_compiler
from infra.checks.scan import Failure, Suppression
from infra.checks.snapshots import Prediction

FAILURE = Failure("prod", "CKV_AZURE_206", "Microsoft.Storage/storageAccounts.avvisi", "Use replication")
MESSAGE = "{folder}/modules/a.bicep(7,3) : {level} {code}: A text. [https://aka.ms/bicep]"


def fake_compiler(folder: Path, script: str) -> str:
    """Write a program that answers as the compiler does. Return its path."""
    path = folder / "bicep"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def findings(folder: Path, script: str) -> set[Finding]:
    sources = Sources(fake_compiler(folder, script), folder, os.environ)
    return sources.compile("build", "main.bicep", "--stdout")


def test_without_a_compiler_the_check_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoCompilerError, match="Install one"):
        find_compiler({"PATH": str(tmp_path), "BICEP": str(tmp_path / "none")})


def test_the_compiler_that_is_named_comes_before_the_one_on_the_path(tmp_path: Path) -> None:
    named = fake_compiler(tmp_path, "exit 0")

    assert find_compiler({"PATH": os.environ["PATH"], "BICEP": named}) == named


@pytest.mark.parametrize("level", ["Error", "Warning"])
def test_a_warning_of_the_compiler_is_an_error(tmp_path: Path, level: str) -> None:
    message = MESSAGE.format(folder=tmp_path, level=level, code="BCP036")

    (finding,) = findings(tmp_path, f"echo '{message}' >&2")

    assert finding.is_error
    assert finding.where == f"{tmp_path.name}/modules/a.bicep:7"


def test_an_old_version_of_an_api_is_only_a_note(tmp_path: Path) -> None:
    message = MESSAGE.format(folder=tmp_path, level="Warning", code="use-recent-api-versions")

    (finding,) = findings(tmp_path, f"echo '{message}' >&2")

    assert not finding.is_error


@pytest.mark.parametrize("script", ["exit 1", "echo 'Unhandled exception.' >&2"])
def test_a_compiler_that_breaks_down_is_an_error(tmp_path: Path, script: str) -> None:
    assert any(finding.is_error for finding in findings(tmp_path, script))


def test_a_module_that_no_template_names_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "used.bicep").touch()
    (tmp_path / "unused.bicep").touch()
    (tmp_path / "dev.bicepparam").write_text("using 'used.bicep'", encoding="utf-8")

    found = Sources("bicep", tmp_path, {}).unused()

    assert [finding.where for finding in found] == [f"{tmp_path.name}/unused.bicep"]


def test_variables_of_this_machine_are_in_no_snapshot(tmp_path: Path) -> None:
    environment = {**os.environ, "BICEP": fake_compiler(tmp_path, "exit 0"), "ALERT_EMAIL": "me@example.org"}

    with compiler.copied_sources(environment) as sources:
        assert "ALERT_EMAIL" not in sources.environment
        assert "PATH" in sources.environment


def committed() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in snapshots.SNAPSHOTS.glob("*.json")}


def test_every_environment_has_a_snapshot() -> None:
    environments = {path.stem for path in compiler.INFRA.glob("*.bicepparam")} - {snapshots.FOR_AZD}

    assert committed().keys() == environments == {"dev", "uat", "prod"}


def test_a_resource_that_changed_makes_a_snapshot_stale() -> None:
    predictions = [Prediction(name, text, frozenset()) for name, text in committed().items()]
    assert snapshots.stale(predictions) == set()
    changed = json.loads(committed()["prod"])
    resource = next(each for each in changed["predictedResources"] if each["type"] == "Microsoft.Web/sites")
    resource["properties"]["httpsOnly"] = False
    others = [each for each in predictions if each.environment != "prod"]

    (finding,) = snapshots.stale([*others, Prediction("prod", json.dumps(changed), frozenset())])

    assert finding.where == "infra/snapshots/prod.json"
    assert f"~ {resource['id'].partition('/resourceGroups/')[2]}" in finding.text
    assert finding.text.count("~") == 1


def test_a_snapshot_of_an_environment_that_is_no_more_is_stale() -> None:
    predictions = [Prediction(name, text, frozenset()) for name, text in committed().items() if name != "uat"]

    assert {finding.where for finding in snapshots.stale(predictions)} == {"infra/snapshots/uat.json"}


def test_a_failure_needs_a_reason_of_its_own() -> None:
    fits = Suppression("CKV_AZURE_206", "Microsoft.Storage/*", "Italy North has no paired region.")
    another = Suppression("CKV_AZURE_206", "Microsoft.KeyVault/*", "Italy North has no paired region.")

    assert list(scan.unexplained([FAILURE], [fits])) == []
    assert [finding.where for finding in scan.unexplained([FAILURE], [another])] == ["prod", scan.SUPPRESSIONS.name]


@pytest.mark.parametrize(
    "entry",
    [
        "{id: CKV_AZURE_1, resource: '*', reason: no}",
        "{id: CKV_AZURE_1, resource: '*'}",
        "{id: CKV_AZURE_1, resource: '*', reason: Long enough to be a reason, until: 2027}",
        "CKV_AZURE_1",
    ],
)
def test_an_entry_without_a_reason_is_an_error(entry: str) -> None:
    entries, found = scan.read_suppressions(f"- {entry}\n")

    assert entries == []
    assert len(found) == 1


def test_the_last_line_tells_accepted_findings_from_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = {
        "check_id": "CKV_AZURE_206",
        "resource": "Microsoft.Storage/storageAccounts.a",
        "check_name": "Use replication",
    }
    new = accepted | {"check_id": "CKV_AZURE_9999"}
    answer = json.dumps({"results": {"failed_checks": [accepted, new]}})
    reasons, _ = scan.read_suppressions(scan.SUPPRESSIONS.read_text(encoding="utf-8"))

    code = scan.main([fake_compiler(tmp_path, f"echo '{answer}'")])

    # Of the two findings in each of the three environments, one has a reason.
    assert code == 1
    assert f"checkov: 3 accepted findings ({len(reasons)} reasons), " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("summary", "errors"),
    [({"parsing_errors": 0, "resource_count": 1}, 0), ({"parsing_errors": 1, "resource_count": 1}, 1), ({}, 1)],
)
def test_what_checkov_left_out_is_an_error(tmp_path: Path, summary: dict[str, int], errors: int) -> None:
    answer = json.dumps({"summary": summary, "results": {"failed_checks": []}})
    checkov = fake_compiler(tmp_path, f"echo '{answer}'")
    resource = {"id": "/a", "type": "Microsoft.Web/sites", "name": "a", "properties": {"x": None}}
    snapshot = tmp_path / "prod.json"
    snapshot.write_text(json.dumps({"predictedResources": [resource]}), encoding="utf-8")
    (tmp_path / "flat").mkdir()

    scanned = scan.scan(checkov, snapshot, tmp_path / "flat")

    assert len(scanned.findings) == errors
