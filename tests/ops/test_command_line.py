"""The command line as a shell meets it: exit codes, one sentence for a refusal, whose data, who can be asked."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from threading import Timer
from time import sleep

import pytest

from tests.ops.command_line import CODE, IBAN, Operator, start
from tests.ops.terminal import Terminal
from tests.server import PATIENCE

ADD = ("institutions", "add", CODE, "--name", "Comune di Esempio", "--iban", IBAN)
LONG_NAME = "Comune di Esempio con un nome molto lungo, che non sta in una riga"
A_MOMENT = 0.5
"""Seconds that an operator takes to press a key. Python sees an earlier Ctrl-C only with the next key."""
REMOVE = ("institutions", "remove", CODE)


def test_a_first_institution_begins_an_archive_and_says_where(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"

    process = start(data, *ADD)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, f"Creating a new archive in {data}.\n")
    assert out.startswith("Registered.\n")
    assert (data / "archive.db").is_file()


@pytest.mark.parametrize("command", [["institutions", "list"], ["callers", "show", "an-ec"], ["keys", "list", "an-ec"]])
def test_looking_begins_no_archive(command: list[str], operator: Operator) -> None:
    assert operator.refused(*command).startswith(f"There is no archive in {operator.data}. ")
    assert not operator.data.exists()


def test_the_folder_named_on_the_command_line_comes_before_data(operator: Operator, tmp_path: Path) -> None:
    operator.ask("--data", str(tmp_path / "other"), *ADD)

    assert not operator.data.exists()
    assert (tmp_path / "other" / "archive.db").is_file()


@pytest.mark.parametrize("place", [0, 1, 2, 3, 5, 7])
@pytest.mark.parametrize("is_one_word", [False, True])
def test_the_folder_may_be_named_anywhere_in_the_command(
    place: int, is_one_word: bool, operator: Operator, tmp_path: Path
) -> None:
    folder = str(tmp_path / "other")
    named = (f"--data={folder}",) if is_one_word else ("--data", folder)

    operator.ask(*ADD[:place], *named, *ADD[place:])

    assert not operator.data.exists()
    assert (tmp_path / "other" / "archive.db").is_file()


def test_what_follows_two_dashes_is_no_folder(operator: Operator) -> None:
    operator.add_institution()

    assert "CODE '--data' must be 11 digits" in operator.refused("institutions", "show", "--", "--data", exit_code=2)


def test_help_needs_nothing_else(operator: Operator) -> None:
    assert operator.ask("callers", "add", "--help").stdout.startswith("Usage: ")


def test_the_folder_of_a_new_archive_is_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        Operator(data).ask(*ADD)
    finally:
        os.umask(before)

    assert stat.filemode(data.stat().st_mode) == "drwx------"


def test_a_store_that_is_named_comes_before_data(operator: Operator, tmp_path: Path) -> None:
    named = {"ARCHIVE_STORE": f"sqlite:{tmp_path}/named.db"}

    operator.ask(*ADD, env=named)

    assert not operator.data.exists()
    assert CODE in operator.ask("institutions", "list", env=named).stdout


def test_two_stores_named_at_once_are_refused(operator: Operator, tmp_path: Path) -> None:
    result = operator.ask(
        *("--data", str(tmp_path), "institutions", "list"), exit_code=2, env={"ARCHIVE_STORE": f"sqlite:{tmp_path}/a"}
    )

    assert result.stderr == "Both --data and ARCHIVE_STORE name a store: use only one of them.\n"


def test_a_store_that_is_not_understood_is_told(operator: Operator) -> None:
    result = operator.ask("institutions", "list", exit_code=2, env={"ARCHIVE_STORE": "somewhere"})

    assert result.stderr == "ARCHIVE_STORE must name the store: sqlite:<path>.\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ([], "Usage: "),
        (["keys"], "Usage: "),
        (["institution"], "No such command 'institution'. Did you mean 'institutions'?"),
        (["institutions", "add", CODE], "Missing option '--name'.\n"),
        (
            ["callers", "add", "--scope", "notices:read"],
            "Missing argument 'NAME'.\nMissing option '--role'.\nMissing option '--grant'.\n",
        ),
        (["keys", "revoke", "--yes"], "Missing argument 'NAME'.\nMissing argument 'KEYID'.\n"),
        (["institutions", "show", "--data"], "--data must be followed by a folder.\n"),
        (["--data", "a", "institutions", "list", "--data=b"], "--data is given twice.\n"),
        (["audit", "--limit", "0"], "Invalid value for '--limit'"),
        (["institutions", "list", "--everything"], "No such option: --everything"),
    ],
)
def test_a_command_that_is_not_understood_is_told(command: list[str], sentence: str, operator: Operator) -> None:
    assert operator.refused(*command, exit_code=2).startswith(sentence)


@pytest.mark.parametrize(
    "command", [[], ["institutions"], ["callers"], ["keys"], ["events"], ["dead-letters"], ["send"], ["uncommunicated"]]
)
def test_the_exit_codes_are_in_the_help(command: list[str], operator: Operator) -> None:
    said = " ".join(operator.ask(*command, "--help").stdout.split())

    assert (
        "Exit codes: 0 success. 1 refused, declined, not found, or changed by another operator. 2 not understood"
        in said
    )


def test_a_file_that_is_not_the_archives_does_not_answer(operator: Operator) -> None:
    operator.data.mkdir()
    (operator.data / "archive.db").write_bytes(b"not a database, but long enough to be looked at" * 30)

    assert "cannot be opened as the archive's file" in operator.refused("institutions", "list", exit_code=3)


def test_a_folder_that_cannot_be_made_does_not_answer(operator: Operator) -> None:
    operator.data.touch()

    result = operator.ask("--data", str(operator.data / "data"), *ADD, exit_code=3, env={"DATA": None})

    assert result.stderr == f"The folder {operator.data}/data cannot be created: Not a directory.\n"


@pytest.mark.parametrize("command", [["institutions", "list"], ["institutions", "change", CODE, "--lenient"]])
def test_a_store_that_fails_does_not_answer(command: list[str], operator: Operator) -> None:
    operator.add_institution()
    with closing(sqlite3.connect(operator.data / "archive.db")) as other:
        other.execute("DROP TABLE registry")

    sentence = operator.refused(*command, exit_code=3)
    assert sentence == (
        "The store does not answer (StoreUnavailable caused by OperationalError(SQLITE_ERROR)). "
        "Before you repeat a change, look in `audit` whether it was made.\n"
    )


@pytest.mark.parametrize(
    "command", [["institutions", "list"], ["dead-letters", "list"]], ids=["the store", "the store and the bus"]
)
def test_without_a_managed_identity_the_operator_is_sent_to_a_machine_that_has_one(
    command: list[str], tmp_path: Path
) -> None:
    process = start(
        tmp_path,
        *command,
        COSMOS__accountEndpoint="https://127.0.0.1:1/",
        SERVICEBUS__fullyQualifiedNamespace="127.0.0.1",
        STORE_BUDGET_SECONDS="0.5",
        # Where the SDK asks for the identity of a machine. Nothing answers here.
        AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:1",
    )
    _, answer = process.communicate(timeout=PATIENCE)

    assert process.returncode == 3
    assert "This command signs in with a managed identity, which only a machine in Azure has." in answer
    assert "Traceback" not in answer


def test_a_store_with_a_key_is_no_question_of_identities(operator: Operator) -> None:
    account = {"DATA": None, "COSMOS": "AccountEndpoint=http://127.0.0.1:1/;AccountKey=QQ==;"}

    answer = operator.ask("institutions", "list", exit_code=3, env={**account, "STORE_BUDGET_SECONDS": "0.5"}).stderr

    assert answer.startswith("The store does not answer (")
    assert "managed identity" not in answer


def test_a_change_waits_while_another_process_writes(operator: Operator) -> None:
    operator.add_institution()
    with closing(sqlite3.connect(operator.data / "archive.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.5, other.execute, ["COMMIT"])
        release.start()

        changed = operator.read("institutions", "change", CODE, "--lenient")

        release.join()
    assert changed["lenient"] is True


def test_two_operators_begin_one_archive(tmp_path: Path) -> None:
    data = tmp_path / "data"
    processes = [start(data, "institutions", "add", f"{code:011}", "--name", "a name") for code in range(4)]

    said = [process.communicate(timeout=30)[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, said
    assert len(Operator(data).read("institutions", "list")["items"]) == 4


@pytest.mark.parametrize(
    "command", [REMOVE, ("callers", "remove", "an-ec"), ("keys", "revoke", "an-ec", "0123456789ab")]
)
def test_what_cannot_be_undone_is_not_done_where_nobody_can_be_asked(
    command: tuple[str, ...], operator: Operator
) -> None:
    operator.add_institution()
    operator.add_caller()

    refusal = operator.refused(*command, exit_code=2)

    assert refusal == "This cannot be undone, and there is no terminal to ask: add --yes.\n"
    assert len(operator.read("institutions", "list")["items"]) == len(operator.read("callers", "list")["items"]) == 1


@pytest.mark.parametrize(
    ("answer", "exit_code", "sentence", "left"), [("y", 0, f"Removed {CODE}.", 0), ("", 1, "Nothing was done.", 1)]
)
def test_in_a_terminal_the_operator_is_asked(
    answer: str, exit_code: int, sentence: str, left: int, operator: Operator
) -> None:
    operator.add_institution()
    terminal = Terminal(operator.data, *REMOVE)

    question = terminal.read_until("[y/N]: ")
    terminal.type(answer)

    assert f"Remove {CODE}, Comune di Esempio?" in question
    assert sentence in terminal.rest()
    assert terminal.process.returncode == exit_code
    assert len(operator.read("institutions", "list")["items"]) == left


@pytest.mark.parametrize("end", ["\x04", "\x03"])
def test_an_operator_who_leaves_the_question_changes_nothing(end: str, operator: Operator) -> None:
    operator.add_institution()
    terminal = Terminal(operator.data, *REMOVE)

    terminal.read_until("[y/N]: ")
    sleep(A_MOMENT)
    terminal.press(end)

    assert "Nothing was done." in terminal.rest()
    assert terminal.process.returncode == 1
    assert len(operator.read("institutions", "list")["items"]) == 1


def test_what_was_changed_while_the_operator_was_asked_is_not_removed(operator: Operator) -> None:
    operator.add_institution()
    terminal = Terminal(operator.data, *REMOVE)
    terminal.read_until("[y/N]: ")

    operator.read("institutions", "change", CODE, "--lenient")
    terminal.type("y")

    assert (
        "Another operator has changed it, so nothing was done. Look at it with `show`, then repeat." in terminal.rest()
    )
    assert terminal.process.returncode == 1
    assert operator.read("institutions", "show", CODE)["lenient"] is True


def test_a_wide_list_is_broken_within_its_columns_on_a_terminal(operator: Operator) -> None:
    operator.add_institution(CODE, "--name", LONG_NAME)

    shown = Terminal(operator.data, "institutions", "list", COLUMNS="90", NO_COLOR="1").rest()

    head, first, second, third = shown.splitlines()[:4]
    assert max(map(len, shown.splitlines())) <= 90 + len("\x1b[1m\x1b[0m")
    assert first.split("  ")[0] == CODE
    assert second.startswith(" " * head.replace("\x1b[1m", "").index("name"))
    assert third.split()[-1] in LONG_NAME


def test_a_narrow_terminal_loses_nothing_and_no_color_is_honoured(operator: Operator) -> None:
    operator.add_institution(CODE, "--name", LONG_NAME)

    shown = Terminal(operator.data, "institutions", "list", COLUMNS="40", NO_COLOR="1").rest()

    assert IBAN in shown
    assert [word for word in LONG_NAME.split() if word not in shown] == []
    assert "\x1b[3" not in shown


def test_a_reader_that_goes_away_is_no_error(operator: Operator) -> None:
    operator.add_institution()
    process = start(operator.data, "institutions", "list")
    assert process.stdout is not None
    process.stdout.close()

    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(20)


def test_a_terminal_that_cannot_show_a_letter_shows_its_code(operator: Operator) -> None:
    operator.add_institution(CODE, "--name", "Forli – Cesena")

    out, err = start(operator.data, "institutions", "list", PYTHONIOENCODING="latin-1").communicate(timeout=20)

    assert (r"\u2013 Cesena" in out, err) == (True, "")
