"""The cores of this machine: one for the server that is measured, another for its clients. And the CPU of a process."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path


def apart() -> tuple[frozenset[int], frozenset[int]]:
    """Return the core of the servers and the core of the clients. Both are empty on a machine with one core."""
    cores = sorted(os.sched_getaffinity(0))
    return (frozenset(cores[:1]), frozenset(cores[1:2])) if len(cores) > 1 else (frozenset(), frozenset())


def pin(pid: int, cores: Collection[int]) -> None:
    """Keep all threads of a process on these cores, where the machine allows it. New threads inherit them."""
    for task in Path(f"/proc/{pid}/task").iterdir() if cores else ():
        with suppress(ProcessLookupError, PermissionError):
            os.sched_setaffinity(int(task.name), cores)


def cpu_microseconds(pid: int) -> float:
    """Return the CPU that a process has used, in user and in system mode."""
    # The name, in brackets, can have spaces. utime and stime are fields 14 and 15 (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
