"""Run the double as a process of its own: `python -m emulators.cosmos`."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from emulators.cosmos.double import HOST, CosmosDouble


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port. 0: a free one.")] = 8081,
    data: Annotated[Path | None, typer.Option(help="The file of the data. Without it, they are in memory.")] = None,
    ranges: Annotated[int, typer.Option(min=1, help="How many physical partitions a new container has.")] = 1,
    consistency: Annotated[str, typer.Option(help="The default consistency of the account.")] = "Session",
) -> None:
    """Serve a double of Azure Cosmos DB for NoSQL, on this machine only."""
    try:
        asyncio.run(_serve(port, data, ranges, consistency))
    except (OSError, ValueError) as error:
        print(f"The double does not start: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


async def _serve(port: int, data: Path | None, ranges: int, consistency: str) -> None:
    stopped = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, stopped.set)
    async with CosmosDouble.started(data, ranges, consistency, port) as double:
        where = f"in {data}" if data else "in memory"
        print(f"A double of Cosmos DB at {double.endpoint}, for this machine only ({HOST}); it keeps its data {where}.")
        print(double.connection_string, flush=True)
        await stopped.wait()


if __name__ == "__main__":
    typer.run(main)
