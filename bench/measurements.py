"""Measurements as plain data, and the ratios between them.

A ratio is computed in each round, from both sides of that round. So a change of the machine's speed falls on both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

SPREAD_LIMIT = 0.15
"""The interquartile range of a stable ratio is at most this share of its median."""

Figure = Literal["rate", "cpu_us", "p50_ms", "p95_ms", "p99_ms", "memory_mib"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of one side under one load in one round. None where a load has no such figure."""

    side: str
    load: str
    round: int
    rate: float | None = None
    """Requests per second, or events per second."""
    cpu_us: float | None = None
    """Microseconds of CPU of the side's process for each request."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    memory_mib: float | None = None
    """Memory of the side's process, without the pages of files."""
    failures: int = 0

    def figure(self, name: Figure) -> float | None:
        """Return one figure by its name."""
        value: float | None = getattr(self, name)
        return value


@dataclass(frozen=True, slots=True)
class Of:
    """A side under a load."""

    side: str
    load: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of one side, divided by the same figure of another, and the aim for it.

    Without `over` it is the figure itself. Without `at_least` and `at_most` it has no aim.
    """

    name: str
    figure: Figure
    of: Of
    over: Of | None = None
    at_least: float | None = None
    at_most: float | None = None

    def per_round(self, measurements: Iterable[Measurement]) -> list[float]:
        """Return the value of each round in which both sides were measured."""
        found = list(measurements)
        above = _by_round(self.of, self.figure, found)
        if self.over is None:
            return [*above.values()]
        below = _by_round(self.over, self.figure, found)
        return [value / below[number] for number, value in above.items() if below.get(number)]

    def result(self, measurements: Iterable[Measurement]) -> "RatioResult | None":
        """Return the ratio over all rounds, None if there is no round with both sides."""
        values = self.per_round(measurements)
        return RatioResult(self, tuple(values)) if values else None


@dataclass(frozen=True, slots=True)
class RatioResult:
    """A ratio and its value in each round."""

    ratio: Ratio
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median of the rounds."""
        return median(self.values)

    @property
    def iqr(self) -> float:
        """Return the interquartile range of the rounds."""
        return interquartile_range(self.values)

    @property
    def is_unstable(self) -> bool:
        """Return whether the rounds differ too much for the median to be reported without a warning."""
        return is_unstable(self.values)

    @property
    def is_met(self) -> bool | None:
        """Return whether the median reaches the aim, None if the ratio has no aim."""
        ratio = self.ratio
        if ratio.at_least is None and ratio.at_most is None:
            return None
        return (ratio.at_least is None or self.median >= ratio.at_least) and (
            ratio.at_most is None or self.median <= ratio.at_most
        )


def interquartile_range(values: Sequence[float]) -> float:
    """Return the distance between the first and the third quartile. One value has none."""
    if len(values) < 2:
        return 0.0
    first, _, third = quantiles(values, n=4, method="inclusive")
    return third - first


def is_unstable(values: Sequence[float]) -> bool:
    """Return whether the interquartile range exceeds SPREAD_LIMIT of the median."""
    return interquartile_range(values) > SPREAD_LIMIT * abs(median(values))


def results_of(ratios: Iterable[Ratio], measurements: Sequence[Measurement]) -> list["RatioResult"]:
    """Return the results of the ratios that were measured."""
    return [result for ratio in ratios if (result := ratio.result(measurements)) is not None]


def _by_round(of: Of, figure: Figure, measurements: Sequence[Measurement]) -> dict[int, float]:
    return {
        one.round: value
        for one in measurements
        if (one.side, one.load) == (of.side, of.load) and (value := one.figure(figure)) is not None
    }
