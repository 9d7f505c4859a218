"""What the double charges is what its documentation says."""

import re
from pathlib import Path

import pytest

from emulators.cosmos import charges

DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
KIB = 1024


def test_the_tables_are_the_documented_ones() -> None:
    rows = {cells[0]: cells[1:] for cells in map(cells_of, DOCUMENT.splitlines()) if cells}

    for table, name in ((charges.READ, "a point read"), (charges.WRITE, "a write, without its indexes")):
        documented = zip(map(float, rows["KiB"]), map(float, rows[name]), strict=True)
        assert list(documented) == list(table)


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        ("added or removed is {}", charges.TERM),
        ("step of a patch is {}", charges.PATCH_STEP),
        ("cost {} times as much", charges.STRICT_READ),
        ("a query is {}", charges.QUERY),
        ("{} for each item that it reads", charges.LOOKED_AT),
        ("{} for each item that it returns", charges.RETURNED),
        ("refused request is {}", charges.REFUSED),
    ],
)
def test_the_figures_beside_the_tables_are_the_documented_ones(sentence: str, figure: float) -> None:
    assert sentence.format(figure) in " ".join(DOCUMENT.split())


@pytest.mark.parametrize(
    ("size", "charge"), [(0, 1.0), (KIB, 1.0), (3 * KIB, 1.09), (256 * KIB, 20.28), (512 * KIB, 40.56)]
)
def test_a_read_between_two_rows_costs_what_lies_between(size: int, charge: float) -> None:
    assert charges.read(size) == charge


def test_a_replacement_costs_both_sizes_and_each_value_that_changes_in_an_index() -> None:
    assert charges.write(None, KIB, terms=10) == 6.95
    assert charges.write(KIB, 2 * KIB, terms=2) == 11.64
    assert charges.write(KIB, None, terms=0) == 4.95


def cells_of(line: str) -> list[str]:
    """Return the cells of a line that is a row of a table, without marks."""
    return [re.sub("[`*]", "", cell).strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
