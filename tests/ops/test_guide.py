"""The guide for operators is true: its commands, one after the other, answer what it shows."""

import re
import shlex
from pathlib import Path

from tests import curl
from tests.ops.command_line import ROOT, Operator
from tests.server import running

SHOWN = re.compile(r"```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)+?)```")
KEY = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|[+-]\d\d:\d\d)")
KEY_ID = re.compile(r"\b[0-9a-f]{12}\b")
OPERATOR = re.compile(r"(?<=  )[\w.-]+@[\w.-]+(?=  )")
VARIES = re.compile("|".join(each.pattern for each in (MOMENT, KEY, KEY_ID, OPERATOR)), re.MULTILINE)
"""Moments, keys and their ids, operators: other ones each time."""


def test_every_command_of_the_guide_answers_what_it_shows(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shown = SHOWN.findall((ROOT / "docs" / "operators.md").read_text(encoding="utf-8"))
    ours: dict[str, str] = {}
    before, after = shown[:2], shown[2:]

    answered = [_answer(command, output, data, 0, ours) for command, output in before]
    with running(data) as server:
        answered += [_answer(command, output, data, server.port, ours) for command, output in after]

    assert list(map(_comparable, answered)) == [_comparable(output) for _, output in shown]
    assert len(shown) == 11


def test_the_walk_of_the_readme_is_that_of_the_guide() -> None:
    _, section = (ROOT / "README.md").read_text(encoding="utf-8").split("## From an empty archive to a publishing")
    blocks = [block.split("```")[0] for block in section.split("```sh\n")[1:]]
    walk = [line for block in blocks for line in block.splitlines() if not line.startswith("KEY=")]

    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")

    assert len(walk) == 5
    assert [command for command in walk if f"\n$ {command}\n" not in guide and f"\n{command}\n" not in guide] == []


def _answer(command: str, shown: str, data: Path, port: int, ours: dict[str, str]) -> str:
    """Return what a command answers here; `ours` holds what varies, by what stands in the guide instead."""
    for theirs, mine in ours.items():
        command = command.replace(theirs, mine)
    program, *arguments = shlex.split(command)
    answer = curl.answer(command, f"http://127.0.0.1:{port}") if program == "curl" else _ops(arguments, data)
    ours |= zip(_varying(shown), _varying(answer), strict=False)
    if key := KEY.search(answer):
        ours["$KEY"] = key[0]
    return answer


def _comparable(output: str) -> str:
    """Return what is the same each time; columns are as wide as what varies in them."""
    return re.sub(" {2,}", "  ", VARIES.sub("…", output))


def _varying(text: str) -> list[str]:
    return [match[0] for match in VARIES.finditer(text)]


def _ops(arguments: list[str], data: Path) -> str:
    what, options = arguments
    assert what == "ops"
    answered = Operator(data).ask(*shlex.split(options.removeprefix("ARGS=")))
    return f"{answered.stderr}{answered.stdout}".replace(str(data), ".local")
