"""The predicted resources of each environment, committed, so that a review sees what a change does in production."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.checks.compiler import DATED, INFRA, STAND_INS, Finding, Sources

SNAPSHOTS = INFRA / "snapshots"

FOR_AZD = "main"
"""The parameters file for azd. Its environment is that of dev, so it has no snapshot."""

_OPTIONS = [part for option in STAND_INS.items() for part in option]
_LINES = 20
"""Lines of a difference that are shown."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer of `bicep snapshot` for one environment."""

    environment: str
    text: str
    findings: frozenset[Finding]


def predict(sources: Sources, environment: str) -> Prediction:
    """Evaluate the template with the parameters of an environment."""
    written = sources.folder / f"{environment}.snapshot.json"
    result = sources.run("snapshot", f"{environment}.bicepparam", "--mode", "Overwrite", *_OPTIONS)
    if not written.is_file():
        # The rule that fails nothing speaks first, and a lot.
        reasons = [line for line in (result.stderr or result.stdout).strip().splitlines() if DATED not in line]
        return Prediction(environment, "", frozenset({Finding(environment, f"no prediction: {reasons}"[:600])}))
    answer = json.loads(written.read_text(encoding="utf-8"))
    found = {Finding(environment, f"{each.get('code')}: {each.get('message')}") for each in answer["diagnostics"]}
    # The compiler gives them in another order each time.
    answer["predictedResources"].sort(key=lambda resource: str(resource["id"]))
    answer["outputs"] = dict(sorted(answer["outputs"].items()))
    return Prediction(environment, json.dumps(answer, indent=2, ensure_ascii=False) + "\n", frozenset(found))


def write(predictions: list[Prediction]) -> None:
    """Write the snapshots, and remove those of environments that are no more."""
    texts = _texts(predictions)
    SNAPSHOTS.mkdir(exist_ok=True)
    for path in SNAPSHOTS.glob("*.json"):
        if path not in texts:
            path.unlink()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def stale(predictions: list[Prediction]) -> set[Finding]:
    """Return what is different in the committed snapshots."""
    texts = _texts(predictions)
    committed = {path: path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob("*.json")}
    return {
        Finding(str(path.relative_to(INFRA.parent)), f"stale, `make snapshots` writes it. {_difference(before, after)}")
        for path in texts.keys() | committed.keys()
        if (before := committed.get(path, "")) != (after := texts.get(path, ""))
    }


def _texts(predictions: list[Prediction]) -> Mapping[Path, str]:
    return {SNAPSHOTS / f"{each.environment}.json": each.text for each in predictions if each.environment != FOR_AZD}


def _difference(before: str, after: str) -> str:
    """Return the resources that were added, removed or changed."""
    old, new = _resources(before), _resources(after)
    changes = [
        *(f"- {name}" for name in sorted(old.keys() - new.keys())),
        *(f"+ {name}" for name in sorted(new.keys() - old.keys())),
        *(f"~ {name}" for name in sorted(old.keys() & new.keys()) if old[name] != new[name]),
    ]
    more = [f"… and {len(changes) - _LINES} more"] if len(changes) > _LINES else []
    return "\n    ".join(["Changed:", *changes[:_LINES], *more])


def _resources(text: str) -> dict[str, object]:
    return dict(_named(text)) if text else {}


def _named(text: str) -> Iterator[tuple[str, object]]:
    try:
        answer = json.loads(text)
        for resource in answer["predictedResources"]:
            yield str(resource["id"]).partition("/resourceGroups/")[2] or resource["id"], resource
        yield "outputs", answer.get("outputs")
    except (json.JSONDecodeError, KeyError):
        return  # Somebody wrote something else into the file: everything is new.
