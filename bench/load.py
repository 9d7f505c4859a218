"""Load the archive with wrk. Each connection sends its next request when the last one is answered."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.server import BASE, KEY, STRICT, Server
from tests.support import a_body

_HEADERS = "".join(f"{name}: {value}\\r\\n" for name, value in ({"Host": "localhost"} | KEY).items())

# A Lua number is exact up to 16 digits, which the check digits need.
_NUMBERS = """
local function number(serial)
  local base = 3470000000000000 + serial
  return string.format("%.0f%02d", base, base % 93)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""

_PUBLISH = Template("""
local serial = $first
local body = [[$body]]

function request()
  serial = serial + 1
  return "PUT $path/" .. number(serial - 1) .. " HTTP/1.1\\r\\n$headers" ..
    "Content-Type: application/json\\r\\nContent-Length: " .. #body .. "\\r\\n\\r\\n" .. body
end
""")

_GET = Template("""
function request()
  return "GET $path/" .. number(math.random($first, $last)) .. " HTTP/1.1\\r\\n$headers\\r\\n"
end
""")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run: requests per second, CPU of the server in µs per request, latencies in ms."""

    requests: int
    rate: float
    cpu: float
    p50: float
    p99: float
    failures: int


@dataclass(frozen=True, slots=True)
class Load:
    """Sends requests to a server with wrk. Its scripts are written into the folder."""

    wrk: str
    server: Server
    folder: Path
    connections: int

    def publish(self, first: int, seconds: int) -> Result:
        """Publish new notices, with serial numbers from `first` on."""
        body = json.dumps(a_body())
        return self._run(_PUBLISH.substitute(first=first, body=body, path=BASE + STRICT, headers=_HEADERS), seconds)

    def get(self, first: int, last: int, seconds: int) -> Result:
        """Get random notices, with serial numbers from `first` to `last`."""
        return self._run(_GET.substitute(first=first, last=last, path=BASE + STRICT, headers=_HEADERS), seconds)

    def _run(self, script: str, seconds: int) -> Result:
        file = self.folder / "load.lua"
        file.write_text(_NUMBERS + script, encoding="utf-8")
        before = _cpu_microseconds(self.server.process.pid)
        done = subprocess.run(
            [
                self.wrk, "--threads", "1", "--connections", str(self.connections), "--duration", f"{seconds}s",
                "--script", str(file), "--latency", f"http://127.0.0.1:{self.server.port}",
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        cpu = _cpu_microseconds(self.server.process.pid) - before
        found = json.loads(done.stdout.splitlines()[-1])
        requests = found["requests"]
        return Result(
            requests,
            rate=requests * 1e6 / found["microseconds"],
            cpu=cpu / max(requests, 1),
            p50=found["p50"] / 1000,
            p99=found["p99"] / 1000,
            failures=found["failures"],
        )


def _cpu_microseconds(process_id: int) -> float:
    # The name, in brackets, can have spaces. utime and stime are fields 14 and 15 (proc(5)).
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")
