"""The processes that write down what time has done: kept at work, and killed."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping

from bench.due_soak.timer import ROOT
from shared.settings import BUSES, STORES
from tests.server import PATIENCE


class Processes:
    """The processes that write down what time has done. In the end, those that still run are killed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in (*STORES, *BUSES)}
        self._environment = {**inherited, **environment}
        self._running: list[subprocess.Popen[bytes]] = []
        self.started = 0
        self.kills = 0

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def keep(self, count: int) -> None:
        """Start processes until so many of them run. Raises CalledProcessError if one has failed."""
        self._running = [process for process in self._running if not _has_ended(process)]
        while len(self._running) < count:
            command = [sys.executable, "-m", "bench.due_soak.timer"]
            self._running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))
            self.started += 1

    def kill_one(self, after: float, chance: random.Random) -> None:
        """Kill one of the processes after some seconds."""
        time.sleep(after)
        self.keep(1)
        process = self._running.pop(chance.randrange(len(self._running)))
        process.kill()
        # One that has just ended was not killed.
        self.kills += process.wait() < 0

    def wait(self) -> None:
        """Return when all processes have ended. Raises CalledProcessError if one has failed."""
        for process in self._running:
            process.wait(PATIENCE)
            _has_ended(process)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if process.poll():
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return process.returncode is not None
