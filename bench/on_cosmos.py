"""Measure the archive on Cosmos DB beside FastAPI and azure-cosmos: `python -m bench.on_cosmos`.

Both work on an instant gateway, so this is what the clients cost: the service itself would add its own time to both.
The default consistency of the account is bounded staleness. The exit code is as of `python -m bench`.
"""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from bench import contests, runs
from bench.chart import Panel
from bench.corpus import replay
from bench.loads import COMMON, PUT, Inputs, Load, get
from bench.measurements import Figure, Of, Ratio
from bench.notices import LENIENT
from bench.preparation import publish_known
from bench.sides.on_cosmos import ARCHIVE_ON_COSMOS, FASTAPI_ON_COSMOS
from bench.wrk import Wrk

SIDES = (ARCHIVE_ON_COSMOS, FASTAPI_ON_COSMOS)
GET = "Cosmos: get"
STRICT_PUBLISH = "Cosmos: publish, 95 % strict"
LENIENT_PUBLISH = "Cosmos: publish, 50 % strict"


def _publish(every: int, inputs: Inputs) -> str:
    """Return the script that publishes new notices. One of so many belongs to a lenient institution."""
    return f"""{COMMON}{PUT}
local strict, lenient = path, "{LENIENT}"
local serial = {inputs.first}
function request()
  serial = serial + 1
  path = serial % {every} == 0 and lenient or strict
  return publication(serial - 1)
end"""


LOADS = (
    Load(GET, get),
    Load(STRICT_PUBLISH, partial(_publish, 20)),
    Load(LENIENT_PUBLISH, partial(_publish, 2)),
)


def _beside(
    load: str, figure: Figure = "rate", *, at_least: float | None = None, at_most: float | None = None
) -> Ratio:
    one, other = (Of(side.name, load) for side in SIDES)
    return Ratio(f"{load}: archive / fastapi", figure, one, other, at_least, at_most)


RATIOS = (
    _beside(GET, at_least=1.8),
    _beside(STRICT_PUBLISH, at_least=1.6),
    _beside(LENIENT_PUBLISH, at_least=1.0),
    *(_beside(load.name, "p99_ms", at_most=1.0) for load in LOADS),
    *(_beside(load.name, "cpu_us") for load in LOADS),
)

_NAMES = tuple(load.name for load in LOADS)
PANELS = (
    Panel("Requests per second, 64 connections", "rate", _NAMES),
    Panel("CPU of the server in µs per request", "cpu_us", _NAMES),
    Panel("99th percentile of the latency in ms", "p99_ms", _NAMES),
)


def main() -> None:
    """Measure, and report the results."""
    # The first answer on a connection comes late, so it must be much less than a hundredth of all.
    parser = runs.arguments("python -m bench.on_cosmos", "Measure the archive on Cosmos DB.", rounds=7, seconds=12)
    chosen, wrk = runs.parsed(parser), runs.wrk_program()
    with tempfile.TemporaryDirectory() as name, runs.running(SIDES, Path(name)) as running:
        runs.require_same_answers({one.side.name: replay.ask_at(one.process.port) for one in running})
        for one in running:
            asyncio.run(publish_known(one.process.port))
        made = (contests.of_load(load, running, Wrk(wrk, Path(name)), chosen.rounds, chosen.seconds) for load in LOADS)
        found = runs.measured(made, RATIOS, runs.pids_of(running))
    runs.finish(chosen, found, RATIOS, PANELS, {side.name: side.meaning for side in SIDES})


if __name__ == "__main__":
    main()
