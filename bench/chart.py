"""The chart of a report, as SVG. Its text is readable on a light and on a dark page.

Each load has a bar for each side. The longest bar of a load has the full width, so bars of one load can be compared. A
thin line shows the interquartile range.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from xml.sax.saxutils import escape

from bench.measurements import Figure, Measurement
from bench.report import Report

WIDTH = 760
_BAR_LEFT, _BAR_RIGHT = 130, 640
_ROW, _BAR = 20, 12
_COLOURS = ("#2f81f7", "#db6d28", "#8b949e", "#a371f7", "#3fb950", "#d4a72c")
"""Of the sides in their order. Each can be seen on white and on black."""

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.note { fill: #57606a; }
.range { stroke: #24292f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9da7b3; }
  .range { stroke: #e6edf3; }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the chart: one figure under some loads."""

    title: str
    figure: Figure
    loads: tuple[str, ...]
    digits: int = 0


def write_chart(report: Report, panels: Sequence[Panel], path: Path) -> None:
    """Write the chart of the panels that were measured."""
    path.write_text(chart(report, panels), encoding="utf-8")


def chart(report: Report, panels: Sequence[Panel]) -> str:
    """Return the chart of the panels that were measured."""
    sides = [*dict.fromkeys(one.side for one in report.measurements)]
    colours = {side: _COLOURS[position % len(_COLOURS)] for position, side in enumerate(sides)}
    parts, top = [*_legend(colours)], 40
    for panel in panels:
        drawn, height = _panel(panel, report.measurements, colours, top)
        parts += drawn
        top += height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
            ' role="img">',
            "<title>The archive beside its alternatives</title>",
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def _legend(colours: Mapping[str, str]) -> Iterator[str]:
    left = 10.0
    for side, colour in colours.items():
        yield f'<rect x="{left:g}" y="12" width="{_BAR}" height="{_BAR}" fill="{colour}"/>'
        yield _text(left + 18, 23, side)
        left += 40 + 7.5 * len(side)


def _panel(
    panel: Panel, measurements: Sequence[Measurement], colours: Mapping[str, str], top: int
) -> tuple[list[str], int]:
    """Return the elements of a panel and its height. A panel without measurements has neither."""
    parts, below = [_text(10, top + 16, panel.title, "title")], top + 30
    for load in panel.loads:
        bars = _values(panel.figure, load, measurements)
        widest = max((max(values) for values in bars.values()), default=0)
        for position, (side, values) in enumerate(bars.items()):
            if position == 0:
                parts.append(_text(10, below + 10, load))
            parts += _bar(values, widest, below, colours[side], panel.digits)
            below += _ROW
        below += 8 if bars else 0
    return (parts, below + 10 - top) if len(parts) > 1 else ([], 0)


def _values(figure: Figure, load: str, measurements: Sequence[Measurement]) -> dict[str, list[float]]:
    bars: dict[str, list[float]] = {}
    for one in measurements:
        if one.load == load and (value := one.figure(figure)) is not None:
            bars.setdefault(one.side, []).append(value)
    return bars


def _bar(values: Sequence[float], widest: float, top: int, colour: str, digits: int) -> Iterator[str]:
    def place(value: float) -> float:
        return _BAR_LEFT + (_BAR_RIGHT - _BAR_LEFT) * value / (widest or 1)

    middle = median(values)
    first, _, third = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (middle, middle, middle)
    yield (f'<rect x="{_BAR_LEFT}" y="{top}" width="{place(middle) - _BAR_LEFT:.1f}" height="{_BAR}" fill="{colour}"/>')
    yield (
        f'<line class="range" x1="{place(first):.1f}" x2="{place(third):.1f}" y1="{top + 6}" y2="{top + 6}"'
        ' stroke-width="1.5"/>'
    )
    yield _text(place(max(middle, third)) + 6, top + 11, f"{middle:,.{digits}f}", "note")


def _text(left: float, base: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{left:.1f}" y="{base}"{named}>{escape(text)}</text>'
