"""Cold starts: which files are compiled, what an import log says, and that a first publication is answered."""

import asyncio
import os
import sys
from pathlib import Path

from bench.start.__main__ import EMBEDDED, Start
from bench.start.compiled import ROOT, Compiled, caches
from bench.start.imports import own_milliseconds
from local import seed
from shared import bootstrap
from shared.settings import Settings

LOG = """import time: self [us] | cumulative | imported package
import time:      1500 |       1500 |   shared.domain.notice
import time:       500 |       2000 | shared.domain
import time:       250 |        250 | pydantic.main
import time:      3000 |       3000 |       azure.functions._http
"""


def test_the_times_of_the_modules_of_a_package_are_added_up_and_the_longest_comes_first() -> None:
    assert own_milliseconds(LOG) == [("azure.functions", 3.0), ("shared.domain", 2.0), ("pydantic", 0.25)]


def test_what_is_not_to_be_compiled_is_removed_and_the_rest_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import orjson, shared.errors"]

    found = caches(tmp_path, [(command, os.environ)])

    names = {case: {path.parent.name for path in folder.rglob("*.pyc")} for case, folder in found.items()}
    assert {"orjson", "errors", "encodings"} <= names[Compiled.ALL]
    assert names[Compiled.DEPENDENCIES] == names[Compiled.ALL] - {"shared", "errors"}
    assert {"orjson", "errors"}.isdisjoint(names[Compiled.NOTHING])
    assert "encodings" in names[Compiled.NOTHING]


def test_a_first_publication_is_answered_and_measured(tmp_path: Path) -> None:
    settings = {"ARCHIVE_STORE": f"sqlite:{tmp_path / 'archive.db'}"}

    async def prepare() -> None:
        await seed.prepare(Settings.from_environment(settings))
        await bootstrap.close()

    asyncio.run(prepare())
    start = Start(EMBEDDED, app=ROOT, function="publish_notice", settings=settings)

    measured = start.measure(Compiled.ALL, tmp_path / "compiled", 0)

    assert measured.failures == 0
    assert measured.p50_ms
