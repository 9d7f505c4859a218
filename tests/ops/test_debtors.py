"""`debtors rebuild`: writes the lists of the debtors again, with the keys that the archive has."""

import asyncio
import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.debtor_keys import read_or_make
from ops.debtors import STEP, _rebuild
from shared import bootstrap
from shared.debtor_hashes import DebtorHashes
from shared.feed_reader import PAGE
from shared.settings import EmbeddedStore, Settings
from tests.ops.command_line import ROOT, Operator
from tests.ops.embedded import Archive
from tests.ops.terminal import Terminal
from tests.support import DEBTOR_KEYS, StillClock, a_number

DEBTOR = "RSSMRA80A01H501U"


def hashes_with(keys: str) -> DebtorHashes:
    """Return the hashes with these keys."""
    return DebtorHashes(Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "DEBTOR_KEYS": keys}).debtor_keys)


def listed(archive: Archive, keys: str) -> list[str]:
    """Return the numbers in the list of the debtor under each of the keys."""
    hashes = hashes_with(keys).of(DEBTOR)
    rows = archive.rows("SELECT debtor, number FROM notices_by_debtor WHERE place IS NOT NULL ORDER BY place")
    return [number for debtor, number in rows if debtor in hashes]


def test_the_lists_are_written_with_the_keys_of_the_folder(operator: Operator, archive: Archive) -> None:
    keys = read_or_make(operator.data)
    archive.publish(1, 2)

    answer = operator.ask("debtors", "rebuild")

    assert answer.stdout == "Rebuilt the lists from 2 events, under the key local.\n"
    assert listed(archive, keys) == [a_number(1), a_number(2)]


def test_a_second_rebuild_begins_at_the_beginning(operator: Operator, archive: Archive) -> None:
    read_or_make(operator.data)
    archive.publish(1)
    operator.ask("debtors", "rebuild")
    archive.publish(2)

    assert operator.ask("debtors", "rebuild").stdout == "Rebuilt the lists from 2 events, under the key local.\n"
    assert archive.rows("SELECT id FROM checkpoints WHERE id LIKE 'rebuild%'") == []


def test_a_new_key_in_the_environment_moves_the_lists_to_it(operator: Operator, archive: Archive) -> None:
    old = read_or_make(operator.data)
    new = "new:" + "QUJD" * 11
    archive.publish(1)
    operator.ask("debtors", "rebuild")

    answer = operator.ask("debtors", "rebuild", env={"DEBTOR_KEYS": f"{new},{old}"})

    assert answer.stdout == "Rebuilt the lists from 1 events, under the key new. None are left under local.\n"
    assert listed(archive, new) == [a_number(1)]
    assert listed(archive, old) == []


def test_a_rebuild_without_the_old_key_brings_the_notices_back_and_leaves_the_old_entries(
    operator: Operator, archive: Archive
) -> None:
    old = read_or_make(operator.data)
    new = "new:" + "QUJD" * 11
    archive.publish(1)
    operator.ask("debtors", "rebuild")
    assert listed(archive, new) == []

    operator.ask("debtors", "rebuild", env={"DEBTOR_KEYS": new})

    assert listed(archive, new) == [a_number(1)]
    assert listed(archive, old) == [a_number(1)]


def test_one_that_was_stopped_goes_on_where_it_was_unless_it_is_told_to_begin_again(
    operator: Operator, archive: Archive
) -> None:
    read_or_make(operator.data)
    archive.publish(1, 2, 3)
    operator.ask("debtors", "rebuild")
    place = f"rebuild_debtors-{hashes_with(read_or_make(operator.data)).fingerprint}:all"
    checkpoint = {"id": place, "schema": 1, "range": "all", "token": "2"}

    archive.execute("INSERT INTO checkpoints VALUES (?,?)", place, json.dumps(checkpoint))
    assert operator.ask("debtors", "rebuild").stdout == "Rebuilt the lists from 1 events, under the key local.\n"

    archive.execute("INSERT INTO checkpoints VALUES (?,?)", place, json.dumps(checkpoint))
    assert (
        operator.ask("debtors", "rebuild", "--from-beginning").stdout
        == "Rebuilt the lists from 3 events, under the key local.\n"
    )


def test_without_keys_it_says_which_setting_is_missing(operator: Operator, archive: Archive) -> None:
    archive.publish(1)

    assert "set DEBTOR_KEYS" in operator.refused("debtors", "rebuild", exit_code=2)


def test_a_store_that_fails_ends_it_with_a_sentence(operator: Operator, archive: Archive) -> None:
    read_or_make(operator.data)
    archive.publish(1)
    archive.execute("DROP TABLE notices_by_debtor")

    assert "The store does not answer" in operator.refused("debtors", "rebuild", exit_code=3)


def test_an_event_of_a_later_archive_ends_it_with_a_sentence(operator: Operator, archive: Archive) -> None:
    read_or_make(operator.data)
    archive.publish(1)
    archive.execute("UPDATE events SET document = json_set(document, '$.schema', 99)")

    sentence = operator.refused("debtors", "rebuild")

    assert sentence.startswith("It stopped (LaterSchema). The same command goes on where it was.")


def test_ctrl_c_ends_it_and_the_same_command_goes_on(operator: Operator, archive: Archive) -> None:
    read_or_make(operator.data)
    archive.publish(*range(1, 1501))
    terminal = Terminal(operator.data, "debtors", "rebuild")
    checkpoint = "SELECT count(*) FROM checkpoints WHERE id LIKE 'rebuild%'"
    while archive.rows(checkpoint) == [(0,)]:
        pass
    terminal.press("\x03")

    assert "Stopped. The same command goes on where it was." in terminal.rest()
    assert terminal.process.returncode == 1
    assert archive.rows(checkpoint) == [(1,)]
    answer = operator.ask("debtors", "rebuild").stdout
    assert answer.startswith("Rebuilt the lists from ")
    assert answer != "Rebuilt the lists from 1,500 events, under the key local.\n"


def test_after_each_turn_it_says_how_far_it_is(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    archive.publish(*range(1, PAGE + 2))
    clock = StillClock(bootstrap.utc_now())
    clock.step = STEP

    async def rebuild() -> int:
        application = bootstrap.open_application(Settings(EmbeddedStore(archive.file), None, DEBTOR_KEYS), clock)
        try:
            assert application.debtors is not None
            return await _rebuild(application.debtors)
        finally:
            await bootstrap.close()

    assert asyncio.run(rebuild()) == PAGE + 1

    said = capsys.readouterr().err
    assert re.fullmatch(rf"{PAGE} events done, until [0-9-]+ [0-9:]+\+0[12]:00\.\n", said)


def test_wrong_keys_are_refused(operator: Operator, archive: Archive) -> None:
    archive.publish(1)

    for keys in ("x", "a:AAAA", "a:%%%"):
        answer = operator.ask("debtors", "rebuild", exit_code=2, env={"DEBTOR_KEYS": keys})
        assert "DEBTOR_KEYS" in answer.stderr
        assert keys not in answer.stderr or keys == "x"


def test_the_keys_of_a_folder_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first = read_or_make(tmp_path)

    assert read_or_make(tmp_path) == first
    [file] = tmp_path.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("debtor-keys", 0o600)
    assert hashes_with(first).of(DEBTOR)[0].startswith("local:")


def test_processes_that_make_the_keys_at_the_same_time_have_the_same(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from local.debtor_keys import read_or_make; data = Path(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.read(1)\n"
        "for n in range(50): folder = data / str(n); folder.mkdir(exist_ok=True); print(read_or_make(folder))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    answers = {process.communicate()[0] for process in processes}

    assert len(answers) == 1
    assert answers.pop().count("local:") == 50


def test_each_folder_has_other_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert read_or_make(tmp_path / "a") != read_or_make(tmp_path / "b")
