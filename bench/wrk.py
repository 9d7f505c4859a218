"""Runs wrk, and measures the CPU of the server's process meanwhile."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.cores import cpu_microseconds
from bench.loads import Inputs, Load
from bench.measurements import Measurement
from bench.sides import Process

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Wrk:
    """The program. Its scripts are written into a folder."""

    program: str
    folder: Path

    def measure(
        self, side: str, process: Process, load: Load, inputs: Inputs, number: int, seconds: int
    ) -> Measurement:
        """Send the requests of a load to a side for so many seconds, in the round with this number."""
        script = self.folder / "load.lua"
        script.write_text(load.script(inputs), encoding="utf-8")
        before = cpu_microseconds(process.pid)
        done = subprocess.run(
            [
                self.program, "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s",
                "--script", str(script), "--latency", f"http://127.0.0.1:{process.port}",
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        cpu = cpu_microseconds(process.pid) - before
        found = json.loads(done.stdout.splitlines()[-1])
        requests = found["requests"]
        return Measurement(
            side,
            load.name,
            number,
            rate=requests * 1e6 / found["microseconds"],
            cpu_us=cpu / max(requests, 1),
            p50_ms=found["p50"] / 1000,
            p99_ms=found["p99"] / 1000,
            failures=found["failures"],
        )
