"""The guide for operators is true: its commands, one after the other, answer what it shows."""

import re
import shlex
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from shared.bootstrap import Application, utc_now
from shared.domain.dates import in_rome
from shared.domain.events import ARCHIVE, WriteContext
from shared.settings import MIN_DEBTOR_KEY, Settings
from shared.wire.inbound import REASONS
from shared.write_ids import new_write_id
from tests import curl
from tests.ops.command_line import ROOT, Operator
from tests.ops.embedded import Archive, receipt
from tests.server import PATIENCE, running
from tests.support import DAY

SHOWN = re.compile(r"```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)+?)```")
KEY = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|[+-]\d\d:\d\d)")
REPETITION = re.compile(r"(?<=:[or])\d+")
KEY_ID = re.compile(r"\b[0-9a-f]{12}\b")
OPERATOR = re.compile(r"(?<=  )[\w.-]+@[\w.-]+(?=  )")
DURATION = re.compile(r"\b\d+ ms\b")
TEST_NOTICE = re.compile(r"\b399\d{15}\b")
CELL_OF_A_DAY = re.compile(r"(?<=  )\d{4}-\d\d-\d\d(?=  |$)")
EACH_TIME = (MOMENT, REPETITION, KEY, KEY_ID, OPERATOR, CELL_OF_A_DAY, DURATION, TEST_NOTICE)
VARIES = re.compile("|".join(each.pattern for each in EACH_TIME), re.MULTILINE)
"""Moments, keys and their ids, operators, days of a table, durations, test notices: other ones each time."""
SAVED = re.compile(r"`(?P<name>[a-z]+\.json)`:\n\n```json\n(?P<body>(?:.*\n)+?)```")
LOOKS = (
    "events tail",
    "dead-letters list",
    "debtors rebuild",
    "curl -s -w '\\n%{http_code}\\n' http://localhost:7071/api/v1/health",
)
"""Commands that show what the running archive does meanwhile, within seconds."""
FORGOTTEN = 1.1
"""Seconds after which a running archive sees a new institution, although it asked for it before."""


def test_every_command_of_the_guide_answers_what_it_shows(tmp_path: Path) -> None:
    data = tmp_path / "data"
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    shown = SHOWN.findall(guide)
    today = in_rome(utc_now()).date()
    ours = {"2026-11-23": str(today - DAY), "2026-11-25": str(today + DAY)}
    for name, body in SAVED.findall(guide):
        path = tmp_path / name
        path.write_text(body, encoding="utf-8")
        ours[name] = str(path)
    before, after = shown[:2], shown[2:]

    answered = [_answer(command, output, data, 0, ours) for command, output in before]
    _pay_without_a_notice(Archive(data))
    with running(data) as server:
        answered += [_answer(command, output, data, server.port, ours) for command, output in after]

    assert list(map(_comparable, answered)) == [_comparable(output) for _, output in shown]
    assert len(shown) == 32


def test_the_guide_makes_debtor_keys_that_the_archive_takes() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```sh\n(openssl .+)\n(python3 .+)\n```$", guide, re.MULTILINE)
    program = shlex.split(block[1])

    made = [subprocess.check_output([sys.executable, *program[1:]], text=True).strip() for _ in range(2)]

    assert block[0] == f"openssl rand -base64 {MIN_DEBTOR_KEY}"
    keys = Settings.from_environment({"ARCHIVE_STORE": "sqlite:a", "DEBTOR_KEYS": f"old:{made[0]},2027-01:{made[1]}"})
    assert [len(key.secret) for key in keys.debtor_keys] == [MIN_DEBTOR_KEY] * 2


def test_the_table_of_reasons_is_that_of_the_code() -> None:
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")

    table = guide.partition("| reason | meaning |")[2].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \| ", table, re.MULTILINE))

    assert listed == REASONS | {"notice_not_found": "A `cancel` or `close` looked for its notice for 8 minutes."}
    assert re.findall(r"^\| `([A-Z]\w+)` \| ", table, re.MULTILINE) == [
        "MaxDeliveryCountExceeded",
        "TTLExpiredException",
    ]


def test_the_walk_of_the_readme_is_that_of_the_guide() -> None:
    _, section = (ROOT / "README.md").read_text(encoding="utf-8").split("## From an empty archive to a publishing")
    blocks = [block.split("```")[0] for block in section.split("```sh\n")[1:]]
    walk = [line for block in blocks for line in block.splitlines() if not line.startswith("KEY=")]

    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")

    assert len(walk) == 5
    assert [command for command in walk if f"\n$ {command}\n" not in guide and f"\n{command}\n" not in guide] == []


def _pay_without_a_notice(archive: Archive) -> None:
    """Let a receipt come two days ago, and write down what time has done since then."""
    archive.send(receipt(2, at=utc_now() - 2 * DAY - timedelta(minutes=1)), age=2 * DAY)
    assert archive.consume(2 * DAY) == ["applied"]

    async def write(application: Application) -> None:
        now = utc_now()
        await application.archive.apply_due_changes(
            WriteContext(now, ARCHIVE, new_write_id()), now + timedelta(minutes=1)
        )

    archive.run(write)
    assert archive.relay() == 2


def _answer(command: str, shown: str, data: Path, port: int, ours: dict[str, str]) -> str:
    """Return what a command answers here; `ours` holds what varies, by what stands in the guide instead."""
    original = command
    for theirs, mine in ours.items():
        command = command.replace(theirs, mine)
    variables, program, arguments = _words(command.replace(curl.LOCAL, f"http://127.0.0.1:{port}"))
    deadline = time.monotonic() + PATIENCE
    while True:
        is_curl = program == "curl"
        answer = curl.answer(command, f"http://127.0.0.1:{port}") if is_curl else _ops(arguments, data, variables)
        is_awaited = any(look in original for look in LOOKS) and _comparable(answer) != _comparable(shown)
        if not is_awaited or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    if "institutions add" in command and port:
        time.sleep(FORGOTTEN)
    ours |= zip(_varying(shown), _varying(answer), strict=False)
    if key := KEY.search(answer):
        ours["$KEY"] = key[0]
    return answer


def _comparable(output: str) -> str:
    """Return what is the same each time; columns are as wide as what varies in them."""
    return re.sub(" {2,}", "  ", VARIES.sub("…", output))


def _varying(text: str) -> list[str]:
    return [match[0] for match in VARIES.finditer(text)]


def _words(command: str) -> tuple[dict[str, str], str, list[str]]:
    """Return the variables that stand before a command, its program, and its arguments."""
    words = shlex.split(command)
    first = next(n for n, word in enumerate(words) if "=" not in word)
    return dict(word.split("=", 1) for word in words[:first]), words[first], words[first + 1 :]


def _ops(arguments: list[str], data: Path, variables: dict[str, str]) -> str:
    what, options = arguments
    assert what == "ops"
    answered = Operator(data).ask(*shlex.split(options.removeprefix("ARGS=")), env=variables)
    return f"{answered.stderr}{answered.stdout}".replace(str(data), ".local")
