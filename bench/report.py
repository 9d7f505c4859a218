"""Reports what was measured: a table for the terminal, JSON, and a chart.

It takes any measurements and any ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measurements import Figure, Measurement, Ratio, RatioResult, interquartile_range, results_of


@dataclass(frozen=True, slots=True)
class Report:
    """The measurements of one run, and the ratios to compute from them."""

    measurements: Sequence[Measurement]
    ratios: Sequence[Ratio]
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each side is, by its name."""
    machine: Mapping[str, object] = field(default_factory=dict)
    """On what it was measured."""
    counted: str = "requests"
    """What a rate counts."""

    @property
    def results(self) -> list[RatioResult]:
        """Return the ratios that were measured."""
        return results_of(self.ratios, self.measurements)

    @property
    def failures(self) -> int:
        """Return the number of requests, or events, that failed."""
        return sum(one.failures for one in self.measurements)

    def as_json(self) -> bytes:
        """Return everything as JSON: the measurement of each round, and each ratio."""
        document = {
            "machine": dict(self.machine),
            "sides": dict(self.meanings),
            "counted": self.counted,
            "measurements": [asdict(one) for one in self.measurements],
            "ratios": [_ratio_as_json(result) for result in self.results],
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)

    def print(self, console: Console) -> None:
        """Print the tables of the figures and of the ratios."""
        console.print(self._figures())
        if self.results:
            console.print(self._ratios())
        if self.failures:
            console.print(f"[bold]{self.failures:,} {self.counted} failed.[/bold]")

    def _figures(self) -> Table:
        table = _table("Medians of the rounds. ±: half of the interquartile range")
        table.add_column("load", no_wrap=True)
        table.add_column("side", no_wrap=True)
        figures = [name for name in FIGURES if any(one.figure(name) is not None for one in self.measurements)]
        for name in figures:
            table.add_column(FIGURES[name].format(counted=self.counted), justify="right", no_wrap=True)
        for load in dict.fromkeys(one.load for one in self.measurements):
            found = [one for one in self.measurements if one.load == load]
            for number, side in enumerate(dict.fromkeys(one.side for one in found)):
                rows = [one for one in found if one.side == side]
                table.add_row("" if number else load, side, *(_spread(rows, name) for name in figures))
            table.add_section()
        return table

    def _ratios(self) -> Table:
        table = _table("Ratios of each round, and the interquartile range of the rounds")
        table.add_column("ratio", no_wrap=True)
        table.add_column("of", no_wrap=True)
        for heading in ("median", "IQR", "aim"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for result in self.results:
            words = [_VERDICTS[result.is_met], "unstable" if result.is_unstable else ""]
            table.add_row(
                result.ratio.name,
                _SHORT[result.ratio.figure],
                f"{result.median:.3g}",
                f"{result.iqr / result.median:.0%}",
                aim_of(result.ratio),
                ", ".join(filter(None, words)),
            )
        return table


def aim_of(ratio: Ratio) -> str:
    """Return the aim as text, such as `≥ 4.5`."""
    aims = ((ratio.at_least, "≥"), (ratio.at_most, "≤"))
    return " ".join(f"{sign} {aim:.3g}" for aim, sign in aims if aim is not None)


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.write_bytes(report.as_json() + b"\n")


FIGURES: Mapping[Figure, str] = {
    "rate": "{counted}/s",
    "cpu_us": "CPU µs",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
    "memory_mib": "memory MiB",
}
_SHORT: Mapping[Figure, str] = {
    "rate": "rate",
    "cpu_us": "CPU",
    "p50_ms": "p50",
    "p95_ms": "p95",
    "p99_ms": "p99",
    "memory_mib": "memory",
}
_VERDICTS = {None: "", True: "met", False: "[bold]missed[/bold]"}


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False, collapse_padding=True)


def _spread(rows: Sequence[Measurement], name: Figure) -> str:
    values = [value for one in rows if (value := one.figure(name)) is not None]
    if not values:
        return ""
    middle = median(values)
    text = f"{middle:,.0f}" if middle >= 100 else f"{middle:.1f}"
    return f"{text} ±{interquartile_range(values) / 2 / middle:.0%}" if middle else text


def _ratio_as_json(result: RatioResult) -> dict[str, object]:
    return {
        **asdict(result.ratio),
        "median": result.median,
        "iqr": result.iqr,
        "per_round": list(result.values),
        "unstable": result.is_unstable,
        "met": result.is_met,
    }
