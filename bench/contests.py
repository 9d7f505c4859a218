"""The contests of a run: one load each, with the sides that take it in turns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import validation
from bench.disk import flushes_per_second
from bench.loads import Inputs, Load
from bench.measurements import Measurement, Ratio
from bench.open_loop import Shape
from bench.rounds import WARM_UP, Measure, interleaved
from bench.sides import Process, Side
from bench.wrk import Wrk

DISK = "disk"
"""The side that only appends records to a file, each with a flush."""


@dataclass(slots=True)
class Running:
    """A side that runs, and the cursors of its pages."""

    side: Side
    process: Process
    cursors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Contest:
    """One load, and how each side is measured under it."""

    load: str
    measures: Mapping[str, Measure]
    rounds: int

    def run(self, ratios: Sequence[Ratio]) -> Iterator[Measurement]:
        """Warm each side up, then yield the measurements of all rounds."""
        for measure in self.measures.values():
            measure(WARM_UP)
        yield from interleaved(self.measures, [one for one in ratios if one.of.load == self.load], self.rounds)


def of_load(load: Load, running: Sequence[Running], wrk: Wrk, rounds: int, seconds: int) -> Contest:
    """Return the contest of a load of wrk. Publications are also compared with the disk."""

    def measured(one: Running, number: int) -> Measurement:
        inputs = Inputs.of_round(number, one.cursors)
        return wrk.measure(one.side.name, one.process, load, inputs, number, _seconds(number, seconds))

    measures: dict[str, Measure] = {
        one.side.name: partial(measured, one)
        for one in running
        if (one.side.is_archive if load.sides is None else one.side.name in load.sides)
    }
    if load.name == "publish":
        measures[DISK] = partial(_flushes, wrk.folder)
    return Contest(load.name, measures, rounds)


def of_shape(shape: Shape, running: Sequence[Running], rounds: int, seconds: int) -> Contest:
    """Return the contest of an open loop. Percentiles need many requests, so half the rounds are twice as long."""

    def measured(one: Running, number: int) -> Measurement:
        return shape.measure(one.side.name, one.process, number, _seconds(number, 2 * seconds))

    archives = (one for one in running if one.side.is_archive)
    return Contest(shape.name, {one.side.name: partial(measured, one) for one in archives}, max(rounds // 2, 1))


def of_validation(rounds: int, seconds: int) -> Contest:
    """Return the contest of validation in this process."""

    def measured(side: validation.Validation, number: int) -> Measurement:
        return side.measure(number, _seconds(number, seconds) / 4)

    sides = validation.validations()
    return Contest(validation.NAME, {side.side: partial(measured, side) for side in sides}, rounds)


def _flushes(folder: Path, number: int) -> Measurement:
    return Measurement(DISK, "publish", number, rate=flushes_per_second(folder, 1))


def _seconds(number: int, seconds: int) -> int:
    return 1 if number == WARM_UP else seconds
