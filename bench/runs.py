"""What the programs of the bench have in common: their options, sides that run, the same answers, the results."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.chart import Panel, write_chart
from bench.contests import Contest, Running
from bench.cores import apart, pin
from bench.corpus import replay
from bench.corpus.replay import Ask
from bench.machine import PACKAGES, QUIET, Others, machine
from bench.measurements import Measurement, Ratio
from bench.report import Report, write_json
from bench.sides import Side


def arguments(prog: str, description: str, *, rounds: int, seconds: int) -> argparse.ArgumentParser:
    """Return the parser of the options that all programs have."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    add = parser.add_argument
    add("--rounds", type=int, default=rounds, help=f"rounds of each load ({rounds})")
    add("--seconds", type=int, default=seconds, help=f"seconds of each round ({seconds})")
    add("--quick", action="store_true", help="2 rounds of 1 second, to see that it works")
    add("--json", type=Path, help="write all measurements into this file")
    add("--svg", type=Path, help="write the chart into this file")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Return the options that were chosen."""
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds = 2, 1
    return chosen


def wrk_program() -> str:
    """Return where wrk is. End the program with 2 if it is missing."""
    wrk = shutil.which("wrk")
    if wrk is None or not sys.platform.startswith("linux"):
        print("The bench needs Linux and wrk: apt-get install wrk.", file=sys.stderr)
        sys.exit(2)
    return wrk


@contextmanager
def running(sides: Iterable[Side], folder: Path) -> Iterator[list[Running]]:
    """Run the sides on the core of the servers. What this process starts itself runs on the core of the clients."""
    of_servers, of_clients = apart()
    if of_clients:
        os.sched_setaffinity(0, of_clients)
    with ExitStack() as stack:
        started = []
        for side in sides:
            process = stack.enter_context(side.start(folder / side.name))
            pin(process.pid, of_servers)
            started.append(Running(side, process))
        yield started


def require_same_answers(asks: Mapping[str, Ask], found: Sequence[str] = ()) -> None:
    """Send the corpus to all sides. End the program if they differ, or if a difference was already found."""
    found = [*found, *(asyncio.run(replay.differences(asks)) if asks else [])]
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        sys.exit("The run is void, because the sides do not give the same answers.")


@dataclass(frozen=True, slots=True)
class Found:
    """The measurements of a run, and how much of one core other processes used meanwhile."""

    measurements: Sequence[Measurement]
    others: float


def pids_of(running: Iterable[Running]) -> list[int]:
    """Return the pids of the sides and of what they need."""
    return [pid for one in running for pid in (one.process.pid, *one.process.needed)]


def measured(made: Iterable[Contest], ratios: Sequence[Ratio], pids: Sequence[int] = ()) -> Found:
    """Measure all contests, and show the progress. `pids` are the processes that belong to the run."""
    others = Others.since_now(pids)
    measurements = [*_measured(made, ratios)]
    return Found(measurements, others.share())


def finish(
    chosen: argparse.Namespace,
    found: Found,
    ratios: Sequence[Ratio],
    panels: Sequence[Panel],
    meanings: Mapping[str, str],
    *,
    counted: str = "requests",
    packages: Sequence[str] = PACKAGES,
    conditions: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Print the results, write the files that were asked for, and exit: with 1 if a request failed.

    A rate counts what `counted` says. The results name the versions of the packages, and the conditions.
    """
    of_run = {"rounds": chosen.rounds, "seconds": chosen.seconds, **conditions, "other_processes": found.others}
    report = Report(found.measurements, ratios, meanings, machine(packages) | of_run, counted)
    report.print(Console())
    if found.others > QUIET:
        print(f"Other processes used {found.others:.0%} of a core meanwhile. Measure again on a quiet machine.")
    if chosen.json:
        write_json(report, chosen.json)
    if chosen.svg:
        write_chart(report, panels, chosen.svg)
    sys.exit(1 if report.failures else 0)


def _measured(made: Iterable[Contest], ratios: Sequence[Ratio]) -> Iterator[Measurement]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for contest in made:
            expected = contest.rounds * len(contest.measures)
            task = progress.add_task(contest.load, total=expected)
            for position, measurement in enumerate(contest.run(ratios), start=1):
                if position > expected:
                    progress.update(task, total=2 * expected, description=f"{contest.load}, again: unstable")
                progress.advance(task)
                yield measurement
