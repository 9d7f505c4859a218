"""The figures of the benchmarks, as a document: from what the programs of the bench wrote as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

PROGRAMS = {
    "embedded": ("Beside FastAPI and aiosqlite", "make bench"),
    "cosmos": ("On Cosmos DB, beside FastAPI and azure-cosmos", "make bench-on-cosmos"),
    "worker": ("In Microsoft's worker, beside FastAPI", "make bench-worker"),
    "start": ("Cold starts", "make bench-start"),
    "growth": ("From 10,000 to 1,000,000 notices", "make bench-growth"),
    "memory": ("Memory", "make bench-memory"),
    "events": ("Events through Service Bus", "make bench-events"),
}
"""What each file in docs/benchmarks holds, and the command that makes it."""

_COLUMNS = {
    "rate": ("{counted}/s", "{:,.0f}"),
    "cpu_us": ("CPU µs", "{:,.0f}"),
    "p50_ms": ("p50 ms", "{:,.1f}"),
    "p95_ms": ("p95 ms", "{:,.1f}"),
    "p99_ms": ("p99 ms", "{:,.1f}"),
    "memory_mib": ("MiB", "{:,.1f}"),
}
_FIGURES = {name: title for name, (title, _) in _COLUMNS.items()} | {"rate": "rate", "cpu_us": "CPU", "p99_ms": "p99"}


def figures(folder: Path) -> str:
    """Return the document of all runs whose JSON is in a folder."""
    parts = [
        "# Figures of the benchmarks\n",
        "Medians of the rounds. A ratio is the median of the ratios of each round. Its IQR is the interquartile range\n"
        "of the rounds in percent of the median. Above 15 % a ratio is unstable. The meaning of the figures is in\n"
        "[performance](performance.md).\n",
    ]
    for name, (title, command) in PROGRAMS.items():
        run = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        parts.append(_section(name, title, command, run))
    return "\n".join(parts)


def _section(name: str, title: str, command: str, run: Mapping[str, Any]) -> str:
    machine = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in run["machine"].items())
    sides = "\n".join(f"- {side}: {meaning}" for side, meaning in run["sides"].items())
    parts = [f"## {title}\n", f"`{command}`. {machine}.\n", f"{sides}\n" if sides else "", _medians(run)]
    if run["ratios"]:
        parts.append(_ratios(run["ratios"]))
    parts.append(f"![{title}](benchmarks/{name}.svg)\n")
    return "\n".join(filter(None, parts))


def _medians(run: Mapping[str, Any]) -> str:
    columns = [name for name in _COLUMNS if any(one.get(name) is not None for one in run["measurements"])]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in run["measurements"]:
        groups.setdefault((one["load"], one["side"]), []).append(one)
    rows = [
        [load, side, *(_cell(name, [one[name] for one in group if one.get(name) is not None]) for name in columns)]
        for (load, side), group in groups.items()
    ]
    titles = (_COLUMNS[name][0].format(counted=run.get("counted", "requests")) for name in columns)
    return _table(["load", "side", *titles], rows)


def _cell(name: str, values: Sequence[float]) -> str:
    return _COLUMNS[name][1].format(median(values)) if values else ""


def _ratios(ratios: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            ratio["name"],
            _FIGURES[ratio["figure"]],
            f"{ratio['median']:.3g}",
            f"{100 * ratio['iqr'] / ratio['median']:.0f} %",
            _aim(ratio),
            _verdict(ratio),
        ]
        for ratio in ratios
    ]
    return _table(["ratio", "of", "median", "IQR", "aim", ""], rows)


def _aim(ratio: Mapping[str, Any]) -> str:
    if ratio["at_least"] is not None:
        return f"≥ {ratio['at_least']:.3g}"
    return "" if ratio["at_most"] is None else f"≤ {ratio['at_most']:.3g}"


def _verdict(ratio: Mapping[str, Any]) -> str:
    found = [] if ratio["met"] is None else ["met" if ratio["met"] else "missed"]
    return ", ".join(found + ["unstable"] * ratio["unstable"])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
