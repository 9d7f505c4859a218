"""Serves an ASGI app on a free port of this machine, with the options that the archive's development host has.

A side runs it in its own process, so it imports nothing of the archive.
"""

import socket
from typing import Any

import uvicorn

READY = "listening on port"
"""The words before the port, in the line that a process prints when it is ready."""


def server_config(app: Any) -> uvicorn.Config:
    """Return the options of uvicorn."""
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="uvloop",
        http="httptools",
        lifespan="auto",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=131,
    )


def serve(app: Any) -> None:
    """Serve the app until the process is ended. Print the port when it is ready."""
    listener = socket.create_server(("127.0.0.1", 0))
    # As the archive: uvloop accepts one connection for each of these in a turn of the loop.
    _Server(server_config(app)).run(sockets=[listener, *(listener.dup() for _ in range(15))])


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets is not None
        print(READY, sockets[0].getsockname()[1], flush=True)
