"""The README is true: its commands are sent as they stand, and answer what it shows."""

import re
from pathlib import Path

from tests.curl import answer
from tests.server import ROOT, running

SHOWN = re.compile(r"```console\n\$ (?P<command>curl .+)\n(?P<output>(?:.+\n)+)```")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_every_command_of_the_readme_answers_what_it_shows(tmp_path: Path) -> None:
    shown = SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    with running(tmp_path) as server:
        answered = [answer(command, f"http://127.0.0.1:{server.port}") for command, _ in shown]

    assert [MOMENT.sub("<moment>", output) for output in answered] == [
        MOMENT.sub("<moment>", output) for _, output in shown
    ]
    assert len(shown) == 3
