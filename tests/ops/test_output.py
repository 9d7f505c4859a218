"""Lists are aligned whatever their texts are, and shown at once however long they are."""

from time import process_time

import pytest

from ops.output import show_table
from tests.ops.command_line import CODE, Operator


def test_columns_are_as_wide_as_their_widest_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name", "n"), [("a", "1"), ("Città", ""), ("市役所", "3")])

    assert capsys.readouterr().out == "name    n\na       1\nCittà\n市役所  3\n"


def test_a_program_that_reads_a_list_gets_a_line_for_each_row_however_narrow_the_terminal_is(
    operator: Operator,
) -> None:
    name = "a name of many words " * 6 + "and its end"
    operator.add_institution(CODE, "--name", name)

    lines = operator.ask("institutions", "list", env={"COLUMNS": "20"}).stdout.splitlines()

    assert len(lines) == 2
    assert name in lines[1]


def test_twenty_two_thousand_rows_are_shown_within_two_seconds_of_work(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        (f"{n:011}", f"Comune numero {n}", "strict", "enabled", "IT60X0542811101000000123456") for n in range(22000)
    ]
    began = process_time()

    show_table(("fiscal code", "name", "checks", "Stand-In", "default IBAN"), rows)

    assert process_time() - began < 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22001
    assert lines[-1].split() == ["00000021999", "Comune", "numero", "21999", "strict", "enabled", rows[0][4]]
    assert {line.index("IT60") for line in lines[1:]} == {lines[0].index("default IBAN")}
