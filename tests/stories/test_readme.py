"""The README is true: its commands are sent as they stand, and answer what it shows."""

import re
import shlex
from pathlib import Path

import httpx

from tests.server import ROOT, running

SHOWN = re.compile(r"```console\n\$ (?P<command>curl .+)\n(?P<output>(?:.+\n)+)```")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LOCAL = "http://localhost:7071/api/v1"


def test_every_command_of_the_readme_answers_what_it_shows(tmp_path: Path) -> None:
    shown = SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    with running(tmp_path) as server:
        answered = [_answer(command, server.url) for command, _ in shown]

    assert [MOMENT.sub("<moment>", output) for output in answered] == [
        MOMENT.sub("<moment>", output) for _, output in shown
    ]
    assert len(shown) == 3


def _answer(command: str, url: str) -> str:
    """Return what curl would print: a machine may have none, so its arguments are read here."""
    arguments = iter(shlex.split(command)[1:])
    method, address, headers, body = "GET", "", {}, None
    for argument in arguments:
        match argument:
            case "-s":
                pass
            case "-w":
                assert next(arguments) == r"\n%{http_code}\n"
            case "-X":
                method = next(arguments)
            case "-H":
                name, _, value = next(arguments).partition(": ")
                headers[name] = value
            case "-d":
                body = next(arguments)
            case _:
                address = argument
    answer = httpx.request(method, address.replace(LOCAL, url), headers=headers, content=body)
    return f"{answer.text}\n{answer.status_code}\n"
