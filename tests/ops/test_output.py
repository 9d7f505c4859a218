"""Lists are aligned whatever their texts are, and shown at once however long they are."""

import json
from time import process_time

import pytest

from ops.output import show_fields, show_json, show_table
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


ODD = {
    "escape": "\x1b[2J",
    "bell, backspace and line feed": "\x07\x08\n",
    "delete": "\x7f",
    "a sequence of eight bits": "\x9b31m",
    "right to left": "\u202eabc",
    "nothing to see": "\u200b\ufeff",
    "a tag outside the first plane": "\U000e0041",
    "a surrogate alone": "\ud800",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_character_that_a_terminal_obeys_or_does_not_show_is_an_escape_sequence(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_table(("name",), [(text,)])
    show_json({"name": text})
    show_json({"name": text}, in_one_line=True)
    show_fields([("name", text)])

    shown = capsys.readouterr().out
    assert [character for character in shown if not character.isprintable() and character != "\n"] == []


@pytest.mark.parametrize("text", [*ODD.values(), "città 市役所 😀", '"\\u001b'], ids=[*ODD, "plain", "quoted"])
@pytest.mark.parametrize("in_one_line", [False, True])
def test_a_program_reads_from_json_the_same_text(
    text: str, in_one_line: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show_json({"name": text, text: [text]}, in_one_line=in_one_line)

    assert json.loads(capsys.readouterr().out) == {"name": text, text: [text]}


def test_letters_of_any_language_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name",), [("Città di Forlì – 市役所 😀",)])
    show_json({"name": "Città di Forlì – 市役所 😀"})

    assert capsys.readouterr().out.count("Città di Forlì – 市役所 😀") == 2
