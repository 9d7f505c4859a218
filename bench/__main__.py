"""Measure the archive beside the alternatives on this machine: `python -m bench`, which is `make bench`.

All sides run at the same time, each with its own data in a temporary folder, and are measured in turns. TMPDIR chooses
the disk. The exit code is 0 if all requests succeeded, 1 if one failed or if the sides do not give the same answers, 2
if wrk is missing.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import contests, validation
from bench.aims import PANELS, RATIOS
from bench.chart import write_chart
from bench.contests import Contest, Running
from bench.cores import apart, pin
from bench.corpus import replay
from bench.loads import LOADS
from bench.machine import QUIET, Others, machine
from bench.measurements import Measurement
from bench.open_loop import SHAPES
from bench.preparation import prepare
from bench.report import Report, write_json
from bench.sides.archive import ARCHIVE
from bench.sides.constant import CONSTANT
from bench.sides.fastapi_aiosqlite import FASTAPI_AIOSQLITE
from bench.wrk import Wrk

SIDES = (ARCHIVE, FASTAPI_AIOSQLITE, CONSTANT)
OPEN_LOOP = "open-loop"
ALL_LOADS = (*(load.name for load in LOADS), OPEN_LOOP, validation.NAME)


def main() -> None:
    """Measure, and report the results."""
    chosen = _arguments()
    wrk = shutil.which("wrk")
    if wrk is None or not sys.platform.startswith("linux"):
        print("The bench needs Linux and wrk: apt-get install wrk.", file=sys.stderr)
        sys.exit(2)
    of_servers, of_clients = apart()
    if of_clients:
        os.sched_setaffinity(0, of_clients)  # wrk inherits it

    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        running = []
        for side in (one for one in SIDES if one.name in chosen.sides):
            process = stack.enter_context(side.start(Path(name) / side.name))
            pin(process.pid, of_servers)
            running.append(Running(side, process))
        _require_same_answers(running)
        for one in (each for each in running if each.side.is_archive):
            one.cursors = asyncio.run(prepare(one.process.port))
        others = Others.since_now([one.process.pid for one in running])
        measurements = [*_measured(_contests(chosen, running, Wrk(wrk, Path(name))))]
        share = others.share()

    conditions = machine() | {"rounds": chosen.rounds, "seconds": chosen.seconds, "other_processes": share}
    report = Report(measurements, RATIOS, {one.side.name: one.side.meaning for one in running}, conditions)
    report.print(Console())
    if share > QUIET:
        print(f"Other processes used {share:.0%} of a core meanwhile. Measure again on a quiet machine.")
    if chosen.json:
        write_json(report, chosen.json)
    if chosen.svg:
        write_chart(report, PANELS, chosen.svg)
    sys.exit(1 if report.failures else 0)


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="python -m bench", description="Measure the archive on this machine.")
    add = arguments.add_argument
    add("--rounds", type=int, default=12, help="rounds of each load (12)")
    add("--seconds", type=int, default=4, help="seconds of each round (4)")
    add("--loads", type=_some_of(ALL_LOADS), default=ALL_LOADS, help=f"some of {','.join(ALL_LOADS)}")
    add("--sides", type=_some_of([one.name for one in SIDES]), default=[one.name for one in SIDES], help="some sides")
    add("--quick", action="store_true", help="2 rounds of 1 second, to see that it works")
    add("--json", type=Path, help="write all measurements into this file")
    add("--svg", type=Path, help="write the chart into this file")
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds = 2, 1
    return chosen


def _some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(names)}")
        return chosen

    return read


def _require_same_answers(running: Sequence[Running]) -> None:
    """Send the corpus to all sides, and end the program if they differ."""
    asks = {one.side.name: replay.ask_at(one.process.port) for one in running if one.side.is_archive}
    found = validation.differences(validation.validations())
    if asks:
        found += asyncio.run(replay.differences(asks))
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        sys.exit("The run is void, because the sides do not give the same answers.")


def _contests(chosen: argparse.Namespace, running: Sequence[Running], wrk: Wrk) -> Iterator[Contest]:
    for load in LOADS:
        if load.name in chosen.loads:
            yield contests.of_load(load, running, wrk, chosen.rounds, chosen.seconds)
    for shape in SHAPES if OPEN_LOOP in chosen.loads else ():
        yield contests.of_shape(shape, running, chosen.rounds, chosen.seconds)
    if validation.NAME in chosen.loads:
        yield contests.of_validation(chosen.rounds, chosen.seconds)


def _measured(made: Iterator[Contest]) -> Iterator[Measurement]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for contest in made:
            expected = contest.rounds * len(contest.measures)
            task = progress.add_task(contest.load, total=expected)
            for position, measurement in enumerate(contest.run(RATIOS), start=1):
                if position > expected:
                    progress.update(task, total=2 * expected, description=f"{contest.load}, again: unstable")
                progress.advance(task)
                yield measurement


if __name__ == "__main__":
    main()
