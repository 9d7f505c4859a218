"""Run the gateway as a process of its own: `python -m bench.gateway`. It prints the connection string."""

import argparse
import asyncio
import gc
import signal

import uvloop

from bench.gateway.server import Gateway


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    arguments = argparse.ArgumentParser(prog="python -m bench.gateway", description="Serve an instant Cosmos DB.")
    arguments.add_argument("--port", type=int, default=8081, help="the port (8081). 0: a free one")
    arguments.add_argument("--consistency", default="BoundedStaleness", help="the account's default (BoundedStaleness)")
    arguments.add_argument("--latency", type=float, default=0.0, help="milliseconds that each answer waits (0)")
    chosen = arguments.parse_args()
    # Its collector would stop it for longer than an answer takes, and nothing here forms a circle.
    gc.disable()
    uvloop.run(_serve(chosen.port, chosen.consistency, chosen.latency / 1000))


async def _serve(port: int, consistency: str, latency: float) -> None:
    stopped = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, stopped.set)
    gateway = Gateway(consistency, latency)
    await gateway.start(port)
    print(gateway.connection_string, flush=True)
    await stopped.wait()
    await gateway.close()


if __name__ == "__main__":
    main()
