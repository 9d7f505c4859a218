"""Measure the archive in Microsoft's worker: `python -m bench.worker`, which is `make bench-worker`.

The exit code is as of `python -m bench`.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from bench import runs
from bench.chart import Panel
from bench.contests import Contest
from bench.cores import apart, pin
from bench.loads import KNOWN, Inputs
from bench.measurements import Figure, Measurement, Of, Ratio
from bench.notices import BODIES, JSON, KEY, STRICT, number_of
from bench.rounds import WARM_UP
from bench.worker import sides
from bench.worker.sides import Request, WorkerSide

PUBLISH, GET = "worker: publish", "worker: get"
MEANINGS = {
    "archive": "the archive as a Function App, on its embedded store",
    "fastapi": "FastAPI, pydantic and aiosqlite through AsgiFunctionApp",
    "constant": "a function that answers a constant of the size of a notice",
}
_WARM_UP_CALLS = 500


def _publications(first: int, calls: int) -> list[Request]:
    return [
        ("PUT", f"{STRICT}/{number_of(serial)}", JSON, BODIES[serial % len(BODIES)].decode())
        for serial in range(first, first + calls)
    ]


def _reads(first: int, calls: int) -> list[Request]:
    random = Random(first)
    return [("GET", f"{STRICT}/{number_of(random.randrange(KNOWN))}", KEY, None) for _ in range(calls)]


LOADS: dict[str, Callable[[int, int], list[Request]]] = {PUBLISH: _publications, GET: _reads}


def _over(load: str, other: str, figure: Figure = "rate", at_least: float | None = None) -> Ratio:
    return Ratio(f"{load}: archive / {other}", figure, Of("archive", load), Of(other, load), at_least)


RATIOS = (
    _over(PUBLISH, "fastapi", at_least=2.0),
    _over(GET, "fastapi", at_least=1.5),
    *(_over(load, "constant") for load in LOADS),
    *(_over(load, "fastapi", "cpu_us") for load in LOADS),
)
PANELS = (
    Panel("Invocations per second in the worker, 32 at once", "rate", tuple(LOADS)),
    Panel("CPU of the worker process in µs per invocation", "cpu_us", tuple(LOADS)),
)


def main() -> None:
    """Measure, and report the results."""
    parser = runs.arguments("python -m bench.worker", "Measure the archive in Microsoft's worker.", rounds=9, seconds=3)
    chosen = runs.parsed(parser)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        makes = {"archive": sides.archive, "fastapi": sides.fastapi, "constant": sides.constant}
        started = [stack.enter_context(make(Path(name) / side)) for side, make in makes.items()]
        for side in started:
            pin(side.process.pid, apart()[0])
        archives = [side for side in started if side.name != "constant"]
        runs.require_same_answers({side.name: side.ask for side in archives})
        for side in archives:
            side.run(_publications(0, KNOWN))
        made = (_contest(load, started, chosen.rounds, chosen.seconds) for load in LOADS)
        found = runs.measured(made, RATIOS, [side.process.pid for side in started])
    runs.finish(chosen, found, RATIOS, PANELS, MEANINGS)


def _contest(load: str, started: Sequence[WorkerSide], rounds: int, seconds: int) -> Contest:
    calls: dict[str, int] = {}

    def measure(side: WorkerSide, number: int) -> Measurement:
        count = calls.get(side.name, _WARM_UP_CALLS)
        found = side.run(LOADS[load](Inputs.of_round(number).first, count))
        rate = count / found["seconds"]
        if number == WARM_UP:
            calls[side.name] = max(int(rate * seconds), 1)
        cpu = found["cpu"] / count * 1e6
        return Measurement(side.name, load, number, rate, cpu, failures=int(found["failures"]))

    return Contest(load, {side.name: partial(measure, side) for side in started}, rounds)


if __name__ == "__main__":
    main()
