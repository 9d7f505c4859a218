"""The sides of the comparison: each is one process that answers HTTP on this machine."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is ready to answer. Its CPU is measured by its pid."""

    port: int
    pid: int
    needed: tuple[int, ...] = ()
    """The pids of processes that it needs, such as its database. Their CPU is not counted as its own."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side. `start` runs its process, with its data in a folder of its own, until the context ends."""

    name: str
    meaning: str
    """What it is, for the report."""
    start: Callable[[Path], AbstractContextManager[Process]]
    is_archive: bool = True
    """It gives the answers of the archive, so the corpus is sent to it before it is measured."""
