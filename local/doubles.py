"""Runs a double of a service of Azure in this process, until the process ends."""

import asyncio
import atexit
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from threading import Thread
from typing import Protocol

_PATIENCE = 2
"""Seconds that a double has to stop."""


class Double(Protocol):
    """A double of a service."""

    @property
    def connection_string(self) -> str:
        """Return the connection string for a client."""


def start(name: str, file: Path, started: Callable[[], AbstractAsyncContextManager[Double]]) -> str:
    """Run a double with its data in a file until this process ends, and return its connection string.

    Raises ValueError if another process uses the file, OSError, and what its start raises.
    """
    _keep_for_this_process(file)
    running: Future[tuple[str, Callable[[], object]]] = Future()
    # In a thread with a loop of its own: where it listens is a setting, and settings are read before our loop runs.
    thread = Thread(target=lambda: asyncio.run(_serve(started, running)), name=f"{name}-double", daemon=True)
    thread.start()
    connection_string, stop = running.result()

    def end() -> None:
        stop()
        thread.join(_PATIENCE)

    # A double writes its log into its file when it stops.
    atexit.register(end)
    return connection_string


def _keep_for_this_process(file: Path) -> None:
    """Lock the file until the process ends: each double has its data in memory, and two would overwrite each other."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(f"{file} is in use by another host. Stop it, or choose another folder with DATA") from None


async def _serve(
    started: Callable[[], AbstractAsyncContextManager[Double]], running: Future[tuple[str, Callable[[], object]]]
) -> None:
    """Serve until the stop. `running` gets the connection string and the function that stops."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    try:
        async with started() as double:
            running.set_result((double.connection_string, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()
    except BaseException as error:  # noqa: BLE001  the caller gets any error of the start
        if not running.done():
            running.set_exception(error)
