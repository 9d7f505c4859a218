"""Sends all cases to a host that runs the app beside this file: `python -m tests.host_conformance --base URL`.

Prints a line for each case that is answered otherwise, and exits with 1 if there is one. --local expects the answers of
the development host.
"""

import argparse
import asyncio
import sys
from urllib.parse import urlsplit

from tests.host_conformance.exchange import CASES, Place, as_local, faults


async def main() -> int:
    """Return how many cases are answered otherwise."""
    arguments = argparse.ArgumentParser(prog="python -m tests.host_conformance", description="Holds a host to cases.")
    arguments.add_argument("--base", required=True, help="where the host listens: http://localhost:7071")
    arguments.add_argument("--local", action="store_true", help="expect the answers of the development host")
    chosen = arguments.parse_args()
    base = urlsplit(chosen.base)
    is_encrypted = base.scheme == "https"
    if base.hostname is None:
        sys.exit("--base is an address such as http://localhost:7071.")
    place = Place(base.hostname, base.port or (443 if is_encrypted else 80), is_encrypted)

    different = 0
    for case in CASES:
        expected = as_local(case) if chosen.local else case
        try:
            found = list(faults(expected, await place.answer(expected)))
        except (EOFError, OSError, ValueError) as error:
            found = [f"there is no whole answer ({type(error).__name__})"]
        if found:
            different += 1
            print(f"{case['case']:4} {case['name']}: {', '.join(found)}")
    print(f"{len(CASES) - different} of {len(CASES)} cases are answered as expected.")
    return different


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main()) else 0)
