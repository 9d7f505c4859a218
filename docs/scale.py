"""The figures of docs/scale.md: inputs, and results with their calculations. Also for another load."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| (?P<value>[\d,.]+) \| (?P<unit>[^|]+) \| (?P<origin>[^|]+) \|$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of a table. `origin` is the kind of an input, or the calculation of a result."""

    name: str
    text: str
    unit: str
    origin: str

    @property
    def value(self) -> float:
        """Return the value that is shown."""
        return float(self.text.replace(",", ""))

    @property
    def calculation(self) -> str:
        """Return how the value follows from others. Empty for an input."""
        found = re.fullmatch("`(.+)`", self.origin)
        return found[1] if found else ""

    def shown(self, value: float) -> str:
        """Return a value with as many digits as this one is shown with."""
        return f"{value:,.{len(self.text.partition('.')[2])}f}"


def figures(page: str) -> list[Figure]:
    """Return the figures of a page, in their order."""
    return [Figure(*(row[key].strip() for key in ("name", "value", "unit", "origin"))) for row in _ROW.finditer(page)]


def calculated(found: Sequence[Figure], **inputs: float) -> dict[str, float]:
    """Return all values, also with other inputs. Results follow from exact values, not from shown ones."""
    values = {figure.name: figure.value for figure in found if not figure.calculation} | inputs
    for figure in found:
        if figure.calculation:
            values[figure.name] = _evaluate(figure.calculation, values)
    return values


def _evaluate(calculation: str, values: dict[str, float]) -> float:
    allowed = {"__builtins__": {}, "ceil": math.ceil, "max": max, "min": min}
    return float(eval(calculation, allowed, values))
