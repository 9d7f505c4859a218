"""Run the double as a process of its own: `python -m emulators.servicebus --entities infra/messaging.json`."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from emulators.servicebus.double import HOST, ServiceBusDouble
from emulators.servicebus.side_door import PREFIX, side_door


def main(
    entities: Annotated[Path, typer.Option(help="The file that describes the queues, topics and subscriptions.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of AMQP. 0: a free one.")] = 5672,
    control_port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the side door. 0: a free one.")] = 0,
    journal: Annotated[Path | None, typer.Option(help="The file of the messages. Without it: in memory.")] = None,
) -> None:
    """Serve a double of Azure Service Bus, on this machine only."""
    try:
        described = json.loads(entities.read_text(encoding="utf-8"))
        if not isinstance(described, dict):
            raise ValueError(f"{entities} is no object with queues and topics.")
        asyncio.run(_serve(described, port, control_port, journal))
    except (OSError, ValueError) as error:
        print(f"The double does not start: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


async def _serve(entities: dict[str, object], port: int, control_port: int, journal: Path | None) -> None:
    stopped = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, stopped.set)
    async with (
        ServiceBusDouble.started(entities, journal, port) as double,
        side_door(double, HOST, control_port) as control,
    ):
        where = f"in {journal}" if journal else "in memory"
        print(f"A double of Service Bus, for this machine only ({HOST}). Its messages are {where}.")
        print(f"http://{HOST}:{control}{PREFIX}")
        print(double.connection_string, flush=True)
        await stopped.wait()


if __name__ == "__main__":
    typer.run(main)
