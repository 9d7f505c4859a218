"""The loads: which requests wrk sends. Each connection sends its next request when the last one is answered.

The reads come before the publications, so that each side reads the same notices however fast it publishes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

from bench.notices import BODIES, JSON, KEY, STRICT

KNOWN = 5_000
"""Notices that are published before the loads, with the serial numbers from 0 on."""
CHANGED = 200
"""Notices with a few events, with the serial numbers from KNOWN on."""
CHANGES = 4
"""Their events."""
PAGE = 50
NEW = 10**9
"""The first serial number of the notices that the loads publish."""
NEW_IN_ROUND = 10**7


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a script needs: the first new serial number, and the cursors of the side's pages."""

    first: int
    cursors: Sequence[str] = ()

    @classmethod
    def of_round(cls, number: int, cursors: Sequence[str] = ()) -> "Inputs":
        """Return the inputs of a round. Its new notices are those of no other round; the warm-up is round -1."""
        return cls(NEW + (number + 1) * NEW_IN_ROUND, cursors)


@dataclass(frozen=True, slots=True)
class Load:
    """A kind of request. `script` makes the script of wrk. `sides` take part, None is every side of the archive."""

    name: str
    script: Callable[[Inputs], str]
    sides: tuple[str, ...] | None = None


def headers(given: Mapping[str, str]) -> str:
    """Return the headers of a request as a script writes them, the host among them."""
    return "".join(f"{name}: {value}\\r\\n" for name, value in ({"Host": "localhost"} | dict(given)).items())


# A Lua number is exact up to 16 digits, which the check digits need.
COMMON = f"""
local path = "{STRICT}"
local get = " HTTP/1.1\\r\\n{headers(KEY)}\\r\\n"

local function number(serial)
  local base = 3470000000000000 + serial
  return string.format("%.0f%02d", base, base % 93)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
"""The beginning of each script: where the notices are, their numbers, and the results."""

PUT = Template("""
local put = {$puts}

local function publication(serial)
  return "PUT " .. path .. "/" .. number(serial) .. put[serial % #put + 1]
end
""").substitute(
    puts=", ".join(
        f'" HTTP/1.1\\r\\n{headers(JSON)}Content-Length: {len(body)}\\r\\n\\r\\n" .. [==[{body.decode()}]==]'
        for body in BODIES
    )
)
"""The part of a script that makes publications."""


def get(inputs: Inputs) -> str:
    """Return the script that gets known notices."""
    return COMMON + f"function request() return 'GET ' .. path .. '/' .. number(math.random(0, {KNOWN - 1})) .. get end"


def _list(inputs: Inputs) -> str:
    cursors = ", ".join(f'"{cursor}"' for cursor in inputs.cursors)
    return f"""{COMMON}
local cursors = {{{cursors}}}
function request()
  return "GET " .. path .. "?limit={PAGE}&cursor=" .. cursors[math.random(#cursors)] .. get
end"""


def _history(inputs: Inputs) -> str:
    serial = f"math.random({KNOWN}, {KNOWN + CHANGED - 1})"
    return COMMON + f"function request() return 'GET ' .. path .. '/' .. number({serial}) .. '/events' .. get end"


def _republish(inputs: Inputs) -> str:
    return COMMON + PUT + f"function request() return publication(math.random(0, {KNOWN - 1})) end"


def _publish(inputs: Inputs) -> str:
    return f"""{COMMON}{PUT}
local serial = {inputs.first}
function request()
  serial = serial + 1
  return publication(serial - 1)
end"""


LOADS = (
    Load("get", get, ("archive", "fastapi", "constant")),
    Load("list", _list),
    Load("history", _history),
    Load("republish", _republish),
    Load("publish", _publish),
)
