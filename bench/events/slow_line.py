"""Adds time to each round trip between a client and a server: `python -m bench.events.slow_line --to 5672`.

It stands between them as a process of its own, and prints the port that it listens on. Half of the time is added in
each direction. Chunks of bytes do not wait for each other: any number is on the way, each as late as the others.
"""

import argparse
import asyncio
import selectors
from contextlib import suppress

HOST = "127.0.0.1"
_CHUNK = 65_536


async def serve(port: int, seconds: float) -> asyncio.Server:
    """Serve on a free port in front of a port of this machine. Each round trip takes so many seconds more."""

    async def carry_both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                _carry(reader, behind_writer, seconds / 2),
                _carry(behind_reader, writer, seconds / 2),
            )
        finally:
            behind_writer.close()
            writer.close()

    return await asyncio.start_server(carry_both_ways, HOST, 0)


def loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are exact. The usual one rounds them up to whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Carry bytes in one direction until its end. The end comes as late as the bytes."""
    now = asyncio.get_running_loop().time
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, chunk = await on_the_way.get()
            await asyncio.sleep(due - now())
            if not chunk:
                break
            writer.write(chunk)
        with suppress(OSError):  # the other side has closed the connection
            writer.write_eof()

    delivering = asyncio.create_task(deliver())
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            on_the_way.put_nowait((now() + seconds, chunk))
    on_the_way.put_nowait((now() + seconds, b""))
    await delivering


async def _run(port: int, seconds: float) -> None:
    async with await serve(port, seconds) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.events.slow_line", description="Add time to round trips.")
    parser.add_argument("--to", type=int, required=True, help="the port of the server")
    parser.add_argument("--milliseconds", type=float, default=5, help="time that each round trip takes more (5)")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_run(chosen.to, chosen.milliseconds / 1000))


if __name__ == "__main__":
    main()
