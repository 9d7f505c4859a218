"""Measure the memory of the archive after many requests: `python -m bench.memory`, which is `make bench-memory`.

The requests are publications of new notices, reads and pages of lists. Pages of files do not count: the system takes
them back when it needs them. A million requests take five to ten minutes. The exit code is as of `python -m bench`.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench import runs
from bench.chart import Panel
from bench.contests import Running
from bench.loads import COMMON, KNOWN, PAGE, PUT, Inputs, Load
from bench.measurements import Measurement, Of, Ratio
from bench.preparation import prepare
from bench.sides.archive import ARCHIVE
from bench.sides.on_cosmos import ARCHIVE_ON_COSMOS
from bench.wrk import Wrk

AFTER = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
"""Requests after which the memory is measured. The aim compares the first and the last."""
PUBLISH, GET = 45, 50
"""Of 100 requests. The others are pages of lists."""
AT_MOST = 1.3
_SLICE = 2
"""Seconds of load between two looks at the number of requests."""


def main() -> None:
    """Send the requests, and report the memory."""
    parser = runs.arguments("python -m bench.memory", "Measure the memory of the archive.", rounds=1, seconds=_SLICE)
    parser.add_argument("--requests", type=numbers, default=AFTER, help="when to measure, such as 10000,1000000")
    parser.add_argument("--cosmos", action="store_true", help="use Cosmos DB: an instant gateway")
    chosen, wrk = runs.parsed(parser), runs.wrk_program()
    after: Sequence[int] = (500, 5_000) if chosen.quick else chosen.requests
    side = ARCHIVE_ON_COSMOS if chosen.cosmos else ARCHIVE
    with tempfile.TemporaryDirectory() as name, runs.running([side], Path(name)) as [running]:
        running.cursors = asyncio.run(prepare(running.process.port))
        found = runs.Found([*_measured(running, Wrk(wrk, Path(name)), after, chosen.seconds)], 0)
    first, last = (_after(number) for number in (after[0], after[-1]))
    ratio = Ratio(f"{last} / {first}", "memory_mib", Of(side.name, last), Of(side.name, first), at_most=AT_MOST)
    panel = Panel("Memory in MiB, without the pages of files", "memory_mib", tuple(map(_after, after)), digits=1)
    runs.finish(chosen, found, [ratio], [panel], {side.name: side.meaning})


def anonymous_mib(pid: int) -> float:
    """Return the memory of a process in MiB, without the pages of files."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Anonymous:"))


def numbers(text: str) -> list[int]:
    """Return the numbers of a list with commas, the smallest first. Raises ArgumentTypeError."""
    try:
        found = sorted(map(int, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError("write numbers, with commas between them") from None
    if len(found) < 2 or found[0] < 1:
        raise argparse.ArgumentTypeError("write at least two numbers from 1 on")
    return found


def _measured(running: Running, wrk: Wrk, after: Sequence[int], seconds: int) -> Iterator[Measurement]:
    side, process, sent = running.side.name, running.process, 0.0
    load = Load("mixed", _script)
    wanted = list(after)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("requests", total=after[-1])
        for number in count():
            one = wrk.measure(side, process, load, Inputs.of_round(number, running.cursors), number, seconds)
            assert one.rate is not None, "wrk measures the rate"
            sent += one.rate * seconds
            progress.update(task, completed=min(sent, after[-1]))
            while wanted and sent >= wanted[0]:
                name = _after(wanted.pop(0))
                yield Measurement(side, name, 0, memory_mib=anonymous_mib(process.pid), failures=one.failures)
            if not wanted:
                return


def _script(inputs: Inputs) -> str:
    cursors = ", ".join(f'"{cursor}"' for cursor in inputs.cursors)
    return f"""{COMMON}{PUT}
local cursors = {{{cursors}}}
local serial = {inputs.first}
function request()
  local drawn = math.random(100)
  if drawn <= {PUBLISH} then
    serial = serial + 1
    return publication(serial - 1)
  end
  if drawn <= {PUBLISH + GET} then
    return "GET " .. path .. "/" .. number(math.random(0, {KNOWN - 1})) .. get
  end
  return "GET " .. path .. "?limit={PAGE}&cursor=" .. cursors[math.random(#cursors)] .. get
end"""


def _after(requests: int) -> str:
    return f"after {requests:,} requests"


if __name__ == "__main__":
    main()
