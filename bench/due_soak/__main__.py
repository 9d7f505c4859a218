"""Kill processes while they write down what time has done: `python -m bench.due_soak`.

All notices fall due at the same moment: to begin, to end, both, or as paid and not communicated. Processes call the
timer function on them. They are killed at random moments, and two of them often do the same work. When nothing is due
any more, each notice must have each event of time once, with the instant at which it became true, and be unchanged
otherwise. With --azure, the notices are in a double of Cosmos DB, some of whose answers are lost.
The exit code is 0 if this is so, else 1.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench.due_soak.rounds import soak_due_changes


def main() -> None:
    """Run it, and print what came of it."""
    arguments = argparse.ArgumentParser(
        prog="python -m bench.due_soak", description="Kill what writes down the changes that time made."
    )
    arguments.add_argument("--notices", type=int, default=100_000, help="notices that fall due (100000)")
    arguments.add_argument("--kills", type=int, default=20, help="number of kills (20)")
    arguments.add_argument("--azure", action="store_true", help="on a double of Cosmos DB")
    arguments.add_argument("--seed", type=int, default=1, help="seed of what is drawn (1)")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = soak_due_changes(Path(name), chosen.notices, chosen.kills, chosen.seed, azure=chosen.azure)
        report = asyncio.run(work)
    print(
        f"{report.notices:,} notices, {report.kills} kills of {report.runs} processes, {report.events:,} events, "
        f"{report.seconds:,.0f} seconds, {report.notices / report.seconds:,.0f} notices/s, "
        f"{len(report.faults)} faults."
    )
    print(*report.faults, sep="\n")
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
