"""Reports what was measured: a table for the terminal, JSON, and a chart.

It takes any measurements and any ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import orjson
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

    @property
    def results(self) -> list[RatioResult]:
        """Return the ratios that were measured."""
        return results_of(self.ratios, self.measurements)

    @property
    def failures(self) -> int:
        """Return the number of requests that failed."""
        return sum(one.failures for one in self.measurements)

    def as_json(self) -> bytes:
        """Return everything as JSON: the measurement of each round, and each ratio."""
        document = {
            "machine": dict(self.machine),
            "sides": dict(self.meanings),
            "measurements": [asdict(one) for one in self.measurements],
            "ratios": [_ratio_as_json(result) for result in self.results],
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)

    def print(self, console: Console) -> None:
        """Print the tables of the figures and of the ratios."""
        console.print(self._figures())
        console.print(self._ratios())

    def _figures(self) -> Table:
        table = Table("load", "side", title="Medians of the rounds, with their interquartile range")
        for heading in ("requests/s", "CPU µs", "p50 ms", "p99 ms", "failures"):
            table.add_column(heading, justify="right")
        for load in dict.fromkeys(one.load for one in self.measurements):
            found = [one for one in self.measurements if one.load == load]
            for number, side in enumerate(dict.fromkeys(one.side for one in found)):
                rows = [one for one in found if one.side == side]
                figures = [_spread(rows, name, digits) for name, digits in _DIGITS]
                table.add_row("" if number else load, side, *figures, str(sum(one.failures for one in rows)))
            table.add_section()
        return table

    def _ratios(self) -> Table:
        table = Table("ratio", title="Ratios of each round: median and interquartile range")
        for heading in ("median", "IQR", "rounds", "aim"):
            table.add_column(heading, justify="right")
        table.add_column("")
        for result in self.results:
            words = [_VERDICTS[result.is_met], "unstable" if result.is_unstable else ""]
            table.add_row(
                result.ratio.name,
                f"{result.median:.3g}",
                f"{result.iqr:.2g}",
                str(len(result.values)),
                aim_of(result.ratio),
                " ".join(filter(None, words)),
            )
        return table


def aim_of(ratio: Ratio) -> str:
    """Return the aim as text, such as `≥ 4.5`."""
    aims = ((ratio.at_least, "≥"), (ratio.at_most, "≤"))
    return " ".join(f"{sign} {aim:g}" for aim, sign in aims if aim is not None)


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.write_bytes(report.as_json() + b"\n")


_DIGITS: Sequence[tuple[Figure, int]] = (("rate", 0), ("cpu_us", 1), ("p50_ms", 2), ("p99_ms", 2))
_VERDICTS = {None: "", True: "met", False: "[bold]missed[/bold]"}


def _spread(rows: Sequence[Measurement], name: Figure, digits: int) -> str:
    values = [value for one in rows if (value := one.figure(name)) is not None]
    return f"{median(values):,.{digits}f} ± {interquartile_range(values) / 2:,.{digits}f}" if values else ""


def _ratio_as_json(result: RatioResult) -> dict[str, object]:
    return {
        **asdict(result.ratio),
        "median": result.median,
        "iqr": result.iqr,
        "per_round": list(result.values),
        "unstable": result.is_unstable,
        "met": result.is_met,
    }
