"""Kill the archive under load, many times: `python -m bench.soak`, which is `make soak`.

Azure ends a process with SIGKILL, which a process cannot handle. In each round, many clients publish until the server
is killed. A new server on the same data must have every notice that was acknowledged, and accept the others when they
are sent again. The exit code is 0 if this is so in all rounds, else 1.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Timer

from tests.server import STRICT, Line, Server, running
from tests.stores import COSMOS, SQLITE, account_for
from tests.support import a_body, a_number

LINES = 32
"""Concurrent clients."""


@dataclass
class Round:
    """The result of one round."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """The amounts of notices by path."""
    unanswered: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    refused: int = 0
    """Notices that the new server did not accept."""
    restart: float = 0.0
    """Seconds until the new server was ready."""


async def soak(data: Path, account: str | None, rounds: int, seconds: float) -> list[Round]:
    """Run the rounds on the data of one folder, and return their results."""
    serials = count()
    results: list[Round] = []
    for _ in range(rounds):
        result = Round()
        with running(data, account) as server:
            await _publish_until_killed(server, serials, seconds, result)
        began = time.monotonic()
        with running(data, account) as server:
            result.restart = time.monotonic() - began
            results.append(result)
            async with server.lines(LINES) as lines:
                for earlier in results if len(results) == rounds else [result]:
                    earlier.missing = await _count_missing(lines, earlier.acknowledged)
                result.refused = await _count_refused(lines, result.unanswered)
            server.kill()
    return results


async def _publish_until_killed(server: Server, serials: Iterable[int], seconds: float, result: Round) -> None:
    async def publish(line: Line) -> None:
        with suppress(EOFError, ConnectionError):
            for serial in serials:
                path, amount = f"{STRICT}/{a_number(serial)}", serial + 1
                result.unanswered[path] = amount
                status, _ = await line.ask("PUT", path, a_body(amount=amount))
                assert status == 201
                result.acknowledged[path] = result.unanswered.pop(path)

    # A thread, because the event loop of the clients would kill only between two requests.
    killer = Timer(seconds, server.kill)
    async with server.lines(LINES) as lines:
        killer.start()
        try:
            await asyncio.gather(*map(publish, lines))
        finally:
            killer.join()


async def _count_missing(lines: list[Line], notices: dict[str, int]) -> int:
    async def is_missing(line: Line, path: str, amount: int) -> bool:
        status, notice = await line.ask("GET", path)
        return bool(status != 200 or notice["amount"] != amount)

    return await _count(lines, notices, is_missing)


async def _count_refused(lines: list[Line], notices: dict[str, int]) -> int:
    async def is_refused(line: Line, path: str, amount: int) -> bool:
        status, _ = await line.ask("PUT", path, a_body(amount=amount))
        return status not in (200, 201)

    return await _count(lines, notices, is_refused)


async def _count(lines: list[Line], notices: dict[str, int], holds: Callable[[Line, str, int], Awaitable[bool]]) -> int:
    left = iter(notices.items())

    async def count_on(line: Line) -> int:
        return sum([await holds(line, path, amount) for path, amount in left])

    return sum(await asyncio.gather(*map(count_on, lines)))


def main() -> None:
    """Run the rounds, and print their results."""
    arguments = argparse.ArgumentParser(prog="python -m bench.soak", description="Kill the archive under load.")
    arguments.add_argument("--rounds", type=int, default=20, help="number of kills (20)")
    arguments.add_argument("--seconds", type=float, default=5, help="seconds of load before each kill (5)")
    arguments.add_argument("--azure", action="store_true", help="use a double of Cosmos DB, which is not killed")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        account = account_for(COSMOS if chosen.azure else SQLITE, data)
        results = asyncio.run(soak(data, account, chosen.rounds, chosen.seconds))

    print(f"{'round':>5}{'acknowledged':>14}{'unanswered':>12}{'missing':>9}{'refused':>9}{'restart s':>11}")
    for number, result in enumerate(results, 1):
        counts = f"{len(result.acknowledged):>14,}{len(result.unanswered):>12}{result.missing:>9}{result.refused:>9}"
        print(f"{number:>5}{counts}{result.restart:>11.1f}")
    lost = sum(result.missing for result in results)
    print(f"\n{sum(len(result.acknowledged) for result in results):,} acknowledged, {lost} of them missing.")
    sys.exit(1 if lost or any(result.refused for result in results) else 0)


if __name__ == "__main__":
    main()
