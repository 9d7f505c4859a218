"""What a run reports: the ratios with their aims, and the panels of the chart."""

from bench.chart import Panel
from bench.loads import LOADS
from bench.measurements import Figure, Of, Ratio
from bench.open_loop import SHAPES
from bench.validation import NAME as VALIDATION


def _beside(
    load: str, side: str, figure: Figure = "rate", *, at_least: float | None = None, at_most: float | None = None
) -> Ratio:
    """Return the ratio of the archive to another side under the same load."""
    return Ratio(f"{load}: archive / {side}", figure, Of("archive", load), Of(side, load), at_least, at_most)


_CLOSED = tuple(load.name for load in LOADS)
_OPEN = tuple(shape.name for shape in SHAPES)

RATIOS = (
    _beside("get", "constant", at_least=0.25),
    _beside("get", "fastapi", at_least=3.2),
    _beside("list", "fastapi", at_least=3.8),
    _beside("history", "fastapi"),
    _beside("republish", "fastapi", at_least=2.4),
    _beside("publish", "fastapi", at_least=4.5),
    _beside("publish", "fastapi", "p99_ms", at_most=1 / 3),
    _beside("publish", "disk"),
    *(_beside(load, "fastapi", "cpu_us") for load in _CLOSED),
    _beside("70/s", "fastapi", "p99_ms", at_most=1.5),
    *(Ratio(f"{load}: archive", "p99_ms", Of("archive", load), at_most=20) for load in _OPEN),
    _beside(VALIDATION, "pydantic", "cpu_us", at_most=0.4),
)

PANELS = (
    Panel("Requests per second, 64 connections", "rate", _CLOSED),
    Panel("CPU of the server in µs per request", "cpu_us", _CLOSED),
    Panel("Publications: 99th percentile of the latency in ms", "p99_ms", ("publish", *_OPEN), digits=1),
    Panel("Validation in µs per notice", "cpu_us", (VALIDATION,), digits=1),
)
