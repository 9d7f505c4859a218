"""Says on what a run was measured, and how busy other processes were meanwhile."""

import os
import platform
import resource
import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.cores import cpu_microseconds

QUIET = 0.1
"""The share of one core that other processes use on a quiet machine, at most."""
PACKAGES = ("aiosqlite", "fastapi", "pydantic", "uvicorn", "uvloop")
_NO_PROCESS = (3, 4, 5, 6)
"""Of the fields of a `cpu` line, those that belong to no process (proc(5)): idle, iowait, irq and softirq."""


def machine(packages: Sequence[str] = PACKAGES) -> dict[str, object]:
    """Return the processor, and the versions that a figure depends on: also those of the packages."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "processor": next(models, platform.machine()),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in packages},
    }


@dataclass(frozen=True, slots=True)
class Others:
    """What other processes use while a run is measured: everything but this process, its children and the sides."""

    sides: Collection[int]
    began: float
    busy: float
    ours: float

    @classmethod
    def since_now(cls, sides: Collection[int]) -> "Others":
        """Begin to watch. `sides` are the pids of the sides, which run until the end."""
        return cls(sides, time.monotonic(), _busy_seconds(), _our_seconds(sides))

    def share(self) -> float:
        """Return how much of one core other processes, and other guests of the host, have used since then."""
        used = (_busy_seconds() - self.busy) - (_our_seconds(self.sides) - self.ours)
        return max(used, 0) / (time.monotonic() - self.began)


def _busy_seconds() -> float:
    fields = [*map(int, Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9])]
    return sum(value for place, value in enumerate(fields) if place not in _NO_PROCESS) / os.sysconf("SC_CLK_TCK")


def _our_seconds(sides: Collection[int]) -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return own + sum(map(cpu_microseconds, sides)) / 1e6
