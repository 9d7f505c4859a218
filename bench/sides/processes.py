"""Starts a side that is a Python module of its own, and ends it."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.sides import Process
from bench.sides.serving import READY

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds that a start may take."""


@contextmanager
def started(module: str, *arguments: object) -> Iterator[Process]:
    """Run a module that calls `serving.serve`, and yield it when it is ready. In the end it is killed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)
        try:
            deadline = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < deadline:
                out.seek(0)
                if found := re.search(rf"{READY} (\d+)\n", out.read().decode()):
                    yield Process(int(found[1]), process.pid)
                    return
                time.sleep(0.01)
            err.seek(0)
            raise RuntimeError(f"{module} did not start: {err.read().decode(errors='replace')}")
        finally:
            process.kill()
            process.wait()
