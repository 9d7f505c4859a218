"""Print tables for people and JSON for programs."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import zip_longest
from json import dumps
from textwrap import wrap
from typing import Any

import typer
from rich.cells import cell_len, chop_cells
from rich.console import Console

Json = dict[str, Any]
Row = Sequence[str]

_GAP = "  "
_NARROWEST = 12
"""The least width of a column that may be wrapped, in cells."""


def printable(text: str) -> str:
    """Return a text with an escape sequence for each character that a terminal would obey, or that cannot be seen."""
    return text if text.isprintable() else "".join(map(_visible, text))


def show_json(data: Json, *, in_one_line: bool = False) -> None:
    """Print JSON."""
    text = dumps(data, ensure_ascii=False, indent=None if in_one_line else 2)
    # JSON itself escapes only the first 32 characters.
    lines = (line if line.isprintable() else "".join(map(_json_visible, line)) for line in text.split("\n"))
    typer.echo("\n".join(lines))


def show_one(data: Json, fields: Sequence[tuple[str, str]], message: str | None = None, *, json: bool) -> None:
    """Print one thing: its JSON, or a message and its fields."""
    if json:
        show_json(data)
        return
    if message:
        typer.echo(message)
    show_fields(fields)


def show_list(
    heads: Row,
    rows: Iterable[Row],
    items: Iterable[Json],
    *,
    json: bool,
    unwrapped: Collection[str] = (),
    **more: object,
) -> None:
    """Print rows as a table, or items as JSON. The JSON also has the fields of `more`."""
    if json:
        show_json({"items": list(items), **more})
    elif lines := list(rows):
        show_table(heads, lines, unwrapped)
    else:
        typer.echo("None.")


def show_table(heads: Row, rows: Sequence[Row], unwrapped: Collection[str] = ()) -> None:
    """Print a table. The columns named in `unwrapped` are never wrapped.

    On a terminal, the other columns are wrapped to its width. Elsewhere each row is one line.
    """
    # A table of Rich takes ten seconds for 22,000 rows.
    rows = [[printable(text) for text in row] for row in rows]
    widths = _widths([heads, *rows], [n for n, head in enumerate(heads) if head not in unwrapped])
    for line in _lines(heads, widths):
        typer.echo(typer.style(line, bold=True))
    if rows:
        typer.echo("\n".join(line for row in rows for line in _lines(row, widths)))


def show_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print a name and a value on each line. A value may have several lines."""
    rows = [
        (name if n == 0 else "", printable(line)) for name, value in fields for n, line in enumerate(value.split("\n"))
    ]
    widths = _widths(rows, [1])
    for row in rows:
        for line in _lines(row, widths):
            typer.echo(typer.style(line[: widths[0]], bold=True) + line[widths[0] :])


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _json_visible(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if character <= "\uffff" else dumps(character)[1:-1]


def _widths(rows: Sequence[Row], wrappable: list[int]) -> list[int]:
    """Return the widths of the columns, in cells. On a terminal, the widest wrappable columns are narrowed to fit."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    console = Console()
    missing = sum(widths) + len(_GAP) * (len(widths) - 1) - console.width if console.is_terminal else 0
    while missing > 0 and wrappable:
        widest = max(wrappable, key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        missing -= 1
    return widths


def _lines(row: Row, widths: list[int]) -> Iterator[str]:
    """Yield the lines of a row. There are several if a text is wrapped."""
    for texts in zip_longest(*map(_wrapped, row, widths), fillvalue=""):
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(texts, widths, strict=True))
        yield _GAP.join(cells).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """Return the parts of a text that fit into a column, divided at spaces if there are any."""
    if cell_len(text) <= width:
        return [text]
    # A character can be two cells wide.
    return [part for line in wrap(text, width, break_on_hyphens=False) for part in chop_cells(line, width)]
