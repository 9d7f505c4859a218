"""python -m infra.checks.scan CHECKOV: scan the committed snapshots with checkov.

Each check that fails must have an entry with a reason in infra/checkov-suppressions.yaml, and each entry must fit a
check that fails.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from infra.checks.compiler import INFRA, Finding
from infra.checks.snapshots import SNAPSHOTS

SUPPRESSIONS = INFRA / "checkov-suppressions.yaml"
SHORTEST_REASON = 20

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_FIELDS = ("id", "resource", "reason")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A check that may fail for a resource. Both may have wildcards."""

    id: str
    resource: str
    reason: str

    def fits(self, failure: "Failure") -> bool:
        """Return whether this is the failure."""
        return fnmatchcase(failure.check, self.id) and fnmatchcase(failure.resource, self.resource)


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed."""

    environment: str
    check: str
    resource: str
    text: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The answer of checkov for one environment."""

    environment: str
    failures: list[Failure]
    findings: list[Finding]


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 if every failure has a reason, else 1."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    suppressions, found = read_suppressions(SUPPRESSIONS.read_text(encoding="utf-8"))
    paths = sorted(SNAPSHOTS.glob("*.json"))
    if not paths:
        found.append(Finding("infra/snapshots", "there is no snapshot, `make snapshots` writes them"))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        scans = [*pool.map(lambda path: scan(arguments[0], path, Path(folder)), paths)]
    failures = [failure for each in scans for failure in each.failures]
    found += [finding for each in scans for finding in each.findings]
    found += unexplained(failures, suppressions)
    for finding in found:
        print(f"error: {finding}", file=sys.stderr)
    accepted = sum(_is_accepted(failure, suppressions) for failure in failures)
    print(f"checkov: {accepted} accepted findings ({len(suppressions)} reasons), {len(found)} errors.")
    return 1 if found else 0


def read_suppressions(text: str) -> tuple[list[Suppression], list[Finding]]:
    """Return the entries, and those that lack something."""
    entries, found = [], []
    for entry in yaml.safe_load(text) or []:
        if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
            found.append(Finding(SUPPRESSIONS.name, f"an entry has {', '.join(_FIELDS)} and nothing else: {entry}"))
        elif len(str(entry["reason"]).strip()) < SHORTEST_REASON:
            found.append(Finding(SUPPRESSIONS.name, f"{entry['id']} has no reason"))
        else:
            entries.append(Suppression(**entry))
    return entries, found


def unexplained(failures: list[Failure], suppressions: list[Suppression]) -> Iterator[Finding]:
    """Yield the failures without an entry, and the entries without a failure."""
    for failure in failures:
        if not _is_accepted(failure, suppressions):
            yield Finding(failure.environment, f"{failure.check} {failure.resource}: {failure.text}")
    for suppression in suppressions:
        if not any(suppression.fits(failure) for failure in failures):
            yield Finding(SUPPRESSIONS.name, f"{suppression.id} for {suppression.resource} fits no failure: remove it")


def _is_accepted(failure: Failure, suppressions: list[Suppression]) -> bool:
    return any(each.fits(failure) for each in suppressions)


def scan(checkov: str, snapshot: Path, folder: Path) -> Scan:
    """Scan the resources of one environment, as one flat template: checkov does not understand modern Bicep."""
    environment = snapshot.stem
    resources = [_flat(each) for each in json.loads(snapshot.read_text(encoding="utf-8"))["predictedResources"]]
    template = folder / f"{environment}.json"
    content = {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}
    template.write_text(json.dumps(content, indent=2), encoding="utf-8")
    answer = _run(checkov, template)
    summary = answer.get("summary", answer)
    return Scan(
        environment,
        [
            Failure(environment, each["check_id"], each["resource"], each["check_name"])
            for each in answer.get("results", {}).get("failed_checks", [])
        ],
        [*_incomplete(environment, summary, resources)],
    )


def _incomplete(environment: str, summary: dict[str, Any], resources: list[dict[str, Any]]) -> Iterator[Finding]:
    """Yield what checkov left out. It passes what it cannot parse."""
    if summary.get("parsing_errors", 0):
        yield Finding(environment, "checkov could not parse the template")
    expected = len({(each["type"], each["name"]) for each in resources})
    count = summary.get("resource_count", 0)
    if count != expected:
        yield Finding(environment, f"checkov looked at {count} resources of {expected}")


def _run(checkov: str, template: Path) -> dict[str, Any]:
    result = subprocess.run(
        [checkov, "--framework=arm", "--file", template, "--output=json", "--compact", "--quiet", "--skip-download"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        check=False,
        timeout=300,
    )
    try:
        answer = json.loads(result.stdout)
    except json.JSONDecodeError:
        sys.exit(f"checkov gave no answer: {(result.stderr or result.stdout).strip()[-400:]}")
    if not isinstance(answer, dict):
        sys.exit("checkov gave more than one answer")
    return answer


def _flat(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: _without_nulls(value) for name, value in resource.items() if name != "id"}


def _without_nulls(value: Any) -> Any:
    """ARM leaves out what is null."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
