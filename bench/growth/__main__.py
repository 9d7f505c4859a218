"""Measure the archive at each decade of its size: `python -m bench.growth`, which is `make bench-growth`.

All sizes run at the same time, each with its own file, and are measured in turns. So a change of the machine's speed
falls on all of them. With a million notices, it takes 13 to 22 minutes and 9 GB of disk, where TMPDIR says. The
exit code is as of `python -m bench`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import copyfile

from bench import runs
from bench.chart import Panel
from bench.contests import Contest
from bench.growth.debtors import DEBTOR, SETTING, debtor_pages
from bench.growth.filling import fill, pages, register
from bench.growth.notices import LUA, first_new
from bench.loads import COMMON, PAGE, PUT, Inputs, Load, headers
from bench.measurements import Measurement, Of, Ratio
from bench.rounds import WARM_UP
from bench.sides import Process, Side
from bench.wrk import Wrk
from local.seed import LOCAL_PLATFORM
from shared.wire.debtors import TAX_CODE_HEADER
from tests.server import running

SIZES = (10_000, 100_000, 1_000_000)
PUBLISH, GET, LIST = "growth: publish", "growth: get", "growth: page of 50"
BY_DEBTOR, PAYABILITY = "growth: by debtor", "growth: payability"
PLATFORM = {"Ocp-Apim-Subscription-Key": LOCAL_PLATFORM.name}


@dataclass(frozen=True, slots=True)
class Size:
    """A store with so many notices, some pages of its lists, and all pages of one debtor."""

    notices: int
    folder: Path
    pages: Sequence[tuple[str, str]]
    debtor_pages: Sequence[str]

    @property
    def name(self) -> str:
        """Return how the report calls it."""
        return f"{self.notices:,} notices"

    def side(self) -> Side:
        """Return the archive on this store."""
        return Side(self.name, f"the archive on a store of {self.name}", lambda _: self._start())

    @contextmanager
    def _start(self) -> Iterator[Process]:
        with running(self.folder, DEBTOR_KEYS=SETTING) as server:
            yield Process(server.port, server.process.pid)


def _publish(size: Size, inputs: Inputs) -> str:
    return f"""{COMMON}{PUT}{LUA}
local position = {first_new(inputs)}
function request()
  position = position + 1
  return "PUT " .. address(position - 1) .. put[position % #put + 1]
end"""


def _get(size: Size, inputs: Inputs) -> str:
    return f"""{COMMON}{LUA}
function request() return "GET " .. address(math.random(0, {size.notices - 1})) .. get end"""


def _list(size: Size, inputs: Inputs) -> str:
    places = ", ".join(f'"{institution}/notices?limit={PAGE}&cursor={cursor}"' for institution, cursor in size.pages)
    return f"""{COMMON}
local places = {{{places}}}
function request() return "GET /api/v1/creditor-institutions/" .. places[math.random(#places)] .. get end"""


def _by_debtor(size: Size, inputs: Inputs) -> str:
    pages = ", ".join(f'"{page}"' for page in size.debtor_pages)
    return f"""{COMMON}
local pages = {{{pages}}}
local get = " HTTP/1.1\\r\\n{headers(PLATFORM | {TAX_CODE_HEADER: DEBTOR.fiscal_code})}\\r\\n"
function request() return "GET /api/v1/debtors/notices?" .. pages[math.random(#pages)] .. get end"""


def _payability(size: Size, inputs: Inputs) -> str:
    return f"""{COMMON}{LUA}
local get = "/payability HTTP/1.1\\r\\n{headers(PLATFORM)}\\r\\n"
function request() return "GET " .. address(math.random(0, {size.notices - 1})) .. get end"""


LOADS: dict[str, Callable[[Size, Inputs], str]] = {
    GET: _get,
    LIST: _list,
    BY_DEBTOR: _by_debtor,
    PAYABILITY: _payability,
    PUBLISH: _publish,
}


def main() -> None:
    """Fill the stores, measure, and report the results."""
    parser = runs.arguments("python -m bench.growth", "Measure the archive while it grows.", rounds=7, seconds=4)
    chosen, wrk = runs.parsed(parser), runs.wrk_program()
    ratios = ratios_of(sizes := (1_000, 2_000, 5_000) if chosen.quick else SIZES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = [*_filled(folder, sizes)]
        with runs.running([size.side() for size in filled], folder) as sides:
            processes = {one.side.name: one.process for one in sides}
            made = (
                _contest(load, filled, processes, Wrk(wrk, folder), chosen.rounds, chosen.seconds) for load in LOADS
            )
            found = runs.measured(made, ratios, runs.pids_of(sides))
    panels = (
        Panel("Requests per second by the number of stored notices, 64 connections", "rate", tuple(LOADS)),
        Panel("CPU of the server in µs per request", "cpu_us", tuple(LOADS)),
        Panel("99th percentile of the latency in ms", "p99_ms", tuple(LOADS), digits=1),
    )
    runs.finish(chosen, found, ratios, panels, {size.name: size.side().meaning for size in filled})


def _filled(folder: Path, sizes: Sequence[int]) -> Iterator[Size]:
    """Fill one file, and keep a copy at each size."""
    growing, filled = folder / "growing.db", 0
    asyncio.run(register(growing))
    for size in sizes:
        print(f"Filling a store up to {size:,} notices ...", file=sys.stderr)
        asyncio.run(fill(growing, filled, size))
        filled = size
        data = folder / str(size)
        data.mkdir()
        copyfile(growing, path := data / "archive.db")
        yield Size(size, data, asyncio.run(pages(path, size)), asyncio.run(debtor_pages(path)))


def _contest(
    load: str, filled: Sequence[Size], processes: dict[str, Process], wrk: Wrk, rounds: int, seconds: int
) -> Contest:
    def measure(size: Size, number: int) -> Measurement:
        script, inputs = Load(load, partial(LOADS[load], size)), Inputs.of_round(number)
        return wrk.measure(size.name, processes[size.name], script, inputs, number, 1 if number == WARM_UP else seconds)

    return Contest(load, {size.name: partial(measure, size) for size in filled}, rounds)


def ratios_of(sizes: Sequence[int]) -> tuple[Ratio, ...]:
    """Return the ratios of the larger sizes to the first one. The reads of a page and of payability have an aim."""
    first, *others = (f"{size:,} notices" for size in sizes)
    rates = {PUBLISH: 0.9, GET: 0.95, LIST: None, BY_DEBTOR: None, PAYABILITY: None}
    return (
        *(
            Ratio(f"{load}: {other} / {first}", "rate", Of(other, load), Of(first, load), at_least=aim)
            for load, aim in rates.items()
            for other in others
        ),
        *(
            Ratio(f"{load}: {other} / {first}", "p99_ms", Of(other, load), Of(first, load), at_most=2)
            for load in (LIST, BY_DEBTOR, PAYABILITY)
            for other in others
        ),
    )


if __name__ == "__main__":
    main()
