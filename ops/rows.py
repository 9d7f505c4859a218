"""Shows a list of any length as a table, aligned, and at once.

Rich needs ten seconds for 22,000 rows, so here it only measures texts and the terminal.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

import typer
from rich.cells import cell_len, chop_cells
from rich.console import Console

Row = Sequence[str]

_GAP = "  "
_NARROWEST = 12
"""Cells of a column whose texts may be broken, at least."""
_AT_ONCE = 1000
"""Rows that are written together."""


def show_rows(heads: Row, rows: Sequence[Row], whole: Collection[str] = ()) -> None:
    """Show a table; texts in the columns named as `whole` are never broken.

    A program that reads the table gets a line for each row. On a terminal, texts are broken to fit its width. If it is
    too narrow even so, the terminal breaks the lines.
    """
    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    console = Console()
    if console.is_terminal:
        _narrow(widths, [n for n, head in enumerate(heads) if head not in whole], console.width)
    for line in _lines(heads, widths):
        typer.echo(typer.style(line, bold=True))
    for first in range(0, len(rows), _AT_ONCE):
        lines = (line for row in rows[first : first + _AT_ONCE] for line in _lines(row, widths))
        typer.echo("\n".join(lines))


def _narrow(widths: list[int], breakable: list[int], room: int) -> None:
    """Take the cells that do not fit into the room from the widest of the breakable columns."""
    missing = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while missing > 0 and breakable:
        widest = max(breakable, key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        missing -= 1


def _lines(row: Row, widths: list[int]) -> Iterator[str]:
    """Yield the lines of a row: one, unless a text is broken."""
    for texts in zip_longest(*map(_broken, row, widths), fillvalue=""):
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(texts, widths, strict=True))
        yield _GAP.join(cells).rstrip()


def _broken(text: str, width: int) -> list[str]:
    """Return the parts of a text that fit into a column, broken at blanks where there are any."""
    if cell_len(text) <= width:
        return [text]
    # Some letters take two cells.
    return [part for line in wrap(text, width, break_on_hyphens=False) for part in chop_cells(line, width)]
