"""Measure `python -m local` on this machine: `python -m bench`, which is `make bench`.

Clients publish notices to a new archive in a temporary folder, then read them. TMPDIR chooses the disk. The exit code
is 0 if all requests succeeded, 1 if a request failed, 2 if wrk is missing.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.disk import flushes_per_second
from bench.load import Load
from tests.server import running

WARM_UP = 2
"""Seconds of load before each measurement."""

FIRST = 10**9
"""The serial number of the first notice in the measurement. In the warm-up they are lower."""


def main() -> None:
    """Measure, and print the results."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description="Measure the archive on this machine.")
    arguments.add_argument("--seconds", type=int, default=8, help="seconds of each measurement (8)")
    arguments.add_argument("--connections", type=int, default=64, help="concurrent connections (64)")
    chosen = arguments.parse_args()
    wrk = shutil.which("wrk")
    if wrk is None or not sys.platform.startswith("linux"):
        print("The bench needs Linux and wrk: apt-get install wrk.", file=sys.stderr)
        sys.exit(2)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder / "data") as server:
            load = Load(wrk, server, folder, chosen.connections)
            load.publish(0, WARM_UP)
            before = flushes_per_second(folder, 1)
            publish = load.publish(FIRST, chosen.seconds)
            after = flushes_per_second(folder, 1)
            # wrk makes some requests that it never sends, and stops while some have no answer.
            margin = 10 * chosen.connections
            known = FIRST + margin, FIRST + max(publish.requests - margin, margin)
            load.get(*known, WARM_UP)
            get = load.get(*known, chosen.seconds)

    print(f"{chosen.connections} connections, {chosen.seconds} s each\n")
    print(f"{'':8}{'requests/s':>12}{'CPU µs each':>13}{'p50 ms':>9}{'p99 ms':>9}{'failures':>10}")
    for operation, result in (("publish", publish), ("get", get)):
        print(
            f"{operation:8}{result.rate:>12,.0f}{result.cpu:>13.0f}{result.p50:>9.1f}{result.p99:>9.1f}{result.failures:>10}"
        )
    print(
        f"\nThe disk wrote {before:,.0f} records of 1 KB a second before, {after:,.0f} after, each with fdatasync."
        f" The rate of publish is {2 * publish.rate / (before + after):.2f} of their mean."
    )
    sys.exit(1 if publish.failures or get.failures else 0)


if __name__ == "__main__":
    main()
