"""Measure cold starts: `python -m bench.start`, which is `make bench-start`.

Each start is a process of its own. It is measured from outside until it has done what it is for, so that its end does
not count. The exit code is 1 if a first publication is not answered with 201.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from bench import runs
from bench.chart import Panel
from bench.contests import Contest
from bench.gateway import running_gateway
from bench.measurements import Measurement, Of, Ratio
from bench.notices import STRICT, body_of, number_of
from bench.sides.registry import registry
from bench.start.compiled import ROOT, Compiled, caches, environment_of
from bench.start.imports import print_imports
from bench.worker.sides import APPS
from local import seed
from shared import bootstrap
from shared.settings import STORES, Settings

LIBRARY = "azure.functions"
IMPORT = "function_app"
EMBEDDED = "publish, embedded"
COSMOS = "publish, Cosmos"
FASTAPI = "publish, FastAPI"

MEANINGS = {
    LIBRARY: "import azure.functions, which every Function App needs. All ratios are to it",
    IMPORT: "import function_app",
    EMBEDDED: "import function_app and publish a notice, on the embedded store",
    COSMOS: "import function_app and publish a notice, on Cosmos DB (an instant gateway)",
    FASTAPI: "the same of FastAPI, pydantic and aiosqlite through AsgiFunctionApp",
}
_serials = count(1)


@dataclass(frozen=True, slots=True)
class Start:
    """A cold start. It publishes if it has a function, else it only imports."""

    name: str
    code: str = ""
    app: Path = ROOT
    function: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """Return the command. Each publication is of another notice."""
        if not self.function:
            return [sys.executable, "-c", f"{self.code}; print('201', flush=True)"]
        serial = next(_serials)
        script = str(Path(__file__).with_name("first_publication.py"))
        address, body = f"{STRICT}/{number_of(serial)}", body_of(serial).decode()
        return [sys.executable, script, str(self.app), self.function, address, body]

    def measure(self, compiled: Compiled, cache: Path, number: int) -> Measurement:
        """Start it once."""
        environment = {**_without_stores(), **self.settings, **environment_of(cache)}
        began = time.perf_counter()
        with subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            answer = process.stdout.readline()
            milliseconds = (time.perf_counter() - began) * 1000
        failures = int(answer != b"201\n")
        return Measurement(self.name, compiled, number, p50_ms=milliseconds, failures=failures)


def _ratio(name: str, compiled: Compiled, at_most: float | None = None) -> Ratio:
    return Ratio(f"{compiled}: {name}", "p50_ms", Of(name, compiled), Of(LIBRARY, compiled), at_most=at_most)


RATIOS = tuple(
    _ratio(name, compiled, aim)
    for compiled in Compiled
    for name, aim in ((IMPORT, 1.5), (EMBEDDED, 2.3), (COSMOS, 3.3), (FASTAPI, None))
)
PANELS = (Panel("Milliseconds until a new process is ready", "p50_ms", tuple(Compiled)),)


def main() -> None:
    """Measure, and report the results."""
    parser = runs.arguments("python -m bench.start", "Measure cold starts.", rounds=11, seconds=0)
    parser.add_argument("--imports", action="store_true", help="instead, show which imports take the time")
    chosen = runs.parsed(parser)
    with tempfile.TemporaryDirectory() as name, _starts(Path(name)) as starts:
        if chosen.imports:
            print_imports(sys.executable, ROOT, {**_without_stores(), **starts[1].settings})
            return
        found = _measured(chosen, starts, Path(name))
    runs.finish(chosen, found, RATIOS, PANELS, MEANINGS)


def _measured(chosen: argparse.Namespace, starts: Sequence[Start], folder: Path) -> runs.Found:
    commands = [(start.command, {**_without_stores(), **start.settings}) for start in starts]
    made = []
    for compiled, cache in caches(folder / "compiled", commands).items():
        measures = {start.name: partial(start.measure, compiled, cache) for start in starts}
        made.append(Contest(compiled, measures, chosen.rounds))
    return runs.measured(made, RATIOS)


@contextmanager
def _starts(folder: Path) -> Iterator[list[Start]]:
    """Yield the starts. Their stores have the institutions and callers of the development host."""
    embedded = {"ARCHIVE_STORE": f"sqlite:{folder / 'archive.db'}"}
    (folder / "registry.json").write_bytes(registry())
    with running_gateway() as (connection_string, _):
        cosmos = {"COSMOS": connection_string}
        for settings in (embedded, cosmos):
            asyncio.run(_prepare(Settings.from_environment(settings)))
        yield [
            Start(LIBRARY, "import azure.functions"),
            Start(IMPORT, "import function_app", settings=embedded),
            Start(EMBEDDED, function="publish_notice", settings=embedded),
            Start(COSMOS, function="publish_notice", settings=cosmos),
            Start(FASTAPI, app=APPS / "fastapi", function="http_app_func", settings={"PEER_DATA": str(folder)}),
        ]


async def _prepare(settings: Settings) -> None:
    await seed.prepare(settings)
    await bootstrap.close()


def _without_stores() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in STORES}


if __name__ == "__main__":
    main()
