"""Measure the archive beside the alternatives on this machine: `python -m bench`, which is `make bench`.

All sides run at the same time, each with its own data in a temporary folder, and are measured in turns. TMPDIR chooses
the disk. The exit code is 0 if all requests succeeded, 1 if one failed or if the sides do not give the same answers, 2
if wrk is missing.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import contests, runs, validation
from bench.aims import PANELS, RATIOS
from bench.contests import Contest, Running
from bench.corpus import replay
from bench.loads import LOADS
from bench.open_loop import SHAPES
from bench.preparation import prepare
from bench.sides.archive import ARCHIVE
from bench.sides.constant import CONSTANT
from bench.sides.fastapi_aiosqlite import FASTAPI_AIOSQLITE
from bench.wrk import Wrk

SIDES = (ARCHIVE, FASTAPI_AIOSQLITE, CONSTANT)
OPEN_LOOP = "open-loop"
ALL_LOADS = (*(load.name for load in LOADS), OPEN_LOOP, validation.NAME)


def main() -> None:
    """Measure, and report the results."""
    parser = runs.arguments("python -m bench", "Measure the archive on this machine.", rounds=12, seconds=4)
    names = [one.name for one in SIDES]
    parser.add_argument("--loads", type=_some_of(ALL_LOADS), default=ALL_LOADS, help=f"some of {','.join(ALL_LOADS)}")
    parser.add_argument("--sides", type=_some_of(names), default=names, help="some sides")
    chosen, wrk = runs.parsed(parser), runs.wrk_program()
    sides = [one for one in SIDES if one.name in chosen.sides]
    with tempfile.TemporaryDirectory() as name, runs.running(sides, Path(name)) as running:
        archives = [one for one in running if one.side.is_archive]
        asks = {one.side.name: replay.ask_at(one.process.port) for one in archives}
        runs.require_same_answers(asks, validation.differences(validation.validations()))
        for one in archives:
            one.cursors = asyncio.run(prepare(one.process.port))
        found = runs.measured(_contests(chosen, running, Wrk(wrk, Path(name))), RATIOS, runs.pids_of(running))
    runs.finish(chosen, found, RATIOS, PANELS, {one.side.name: one.side.meaning for one in running})


def _some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(names)}")
        return chosen

    return read


def _contests(chosen: argparse.Namespace, running: Sequence[Running], wrk: Wrk) -> Iterator[Contest]:
    for load in LOADS:
        if load.name in chosen.loads:
            yield contests.of_load(load, running, wrk, chosen.rounds, chosen.seconds)
    for shape in SHAPES if OPEN_LOOP in chosen.loads else ():
        yield contests.of_shape(shape, running, chosen.rounds, chosen.seconds)
    if validation.NAME in chosen.loads:
        yield contests.of_validation(chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
