"""Serves the archive on this machine: `python -m local`, which is `make run`; with --azure, which is `make run-azure`.

PORT (7071) and DATA (.local), or --port and --data, say where. --azure takes the adapters that run in Azure, against
the account that the settings name, else against a double that it starts. It listens on loopback only: the callers it
seeds have keys that everybody knows.
"""

import argparse
import asyncio
import errno
import os
import re
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import uvicorn

from local import seed
from local.cosmos import start_double
from local.functions import NotLoadable
from local.host import Host
from local.logs import show_log
from local.protocol import Protocol
from local.public_keys import on_loopback_names
from local.request import App, Receive, Scope, Send
from local.response import STOPPING, send_answer
from shared import bootstrap
from shared.errors import StoreUnavailable
from shared.settings import STORES, CosmosStore, Settings, SettingsError
from shared.telemetry import error_chain

ADDRESS = "127.0.0.1"
ROOT = Path(__file__).parent.parent
IDLE = 131
"""Seconds after which a connection without requests is closed, as on the platform."""
PATIENCE = 3
"""Seconds a request has to finish once the host was told to stop."""


def main() -> None:
    """Serve until Ctrl-C or SIGTERM, then exit with 0. If it cannot start, print one sentence and exit with 1."""
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    arguments = argparse.ArgumentParser(prog="python -m local", description="Serves the archive on this machine.")
    add = arguments.add_argument
    add("--port", default=os.environ.get("PORT") or "7071", help="where it listens (7071)")
    add("--data", default=os.environ.get("DATA") or ".local", type=Path, help="the folder that keeps the data (.local)")
    add("--azure", action="store_true", help="on Cosmos DB: the account that COSMOS names, else a double")
    chosen = arguments.parse_args()

    os.umask(0o077)  # Every file it makes holds citizens' data, or may, on a machine of many users.
    show_log()
    listener = _bound(_port(chosen.port))
    if not any(os.environ.get(name) for name in STORES):
        name, store = _with_double(chosen.data) if chosen.azure else _embedded(chosen.data)
        os.environ[name] = store
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    if chosen.azure and not isinstance(settings.store, CosmosStore):
        sys.exit("ARCHIVE_STORE names the embedded store, and --azure is for Cosmos DB: leave one of them out.")
    if not chosen.azure and isinstance(settings.store, CosmosStore):
        sys.exit("The environment names an account of Cosmos DB: `make run-azure` serves on it, `make run` on SQLite.")
    _serve(listener, settings)


def _embedded(data: Path) -> tuple[str, str]:
    return "ARCHIVE_STORE", f"sqlite:{_writable(data) / 'archive.db'}"


def _with_double(data: Path) -> tuple[str, str]:
    try:
        return "COSMOS", start_double(_writable(data) / "cosmos.db")
    except (OSError, ValueError) as error:
        sys.exit(f"The double of Cosmos DB does not start: {error}")


def _serve(listener: socket.socket, settings: Settings) -> None:
    try:
        host = Host.load(ROOT, on_stop=[bootstrap.close])
    except NotLoadable as error:
        sys.exit(f"The functions cannot be loaded: {error}.")
    port = listener.getsockname()[1]
    config = server_config(on_loopback_names(host, seed.PUBLIC_KEYS))
    server = _Server(config, settings, seed.banner(f"http://localhost:{port}/api", settings))
    try:
        server.run(sockets=[listener])
    except OSError as error:
        _refuse_port(port, error)


def server_config(app: App, *, protocol: type[Protocol] = Protocol, patience: int = PATIENCE) -> uvicorn.Config:
    """Return how the app is served: with which protocol, and how long a request may take once the host stops."""
    return uvicorn.Config(
        _until_cancelled(app),
        interface="asgi3",
        http=protocol,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=patience,
        timeout_keep_alive=IDLE,
    )


class _Server(uvicorn.Server):
    """uvicorn, which prepares the archive before it listens, and then says what to do with it."""

    def __init__(self, config: uvicorn.Config, settings: Settings, banner: str) -> None:
        super().__init__(config)
        self._settings = settings
        self._banner = banner

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await seed.prepare(self._settings)
        except SettingsError as error:
            sys.exit(f"The archive cannot be opened: {error}")
        except StoreUnavailable as error:
            await bootstrap.close()
            sys.exit(f"The archive cannot be opened: its store does not answer ({error_chain(error)}).")
        await super().startup(sockets)
        print(self._banner, flush=True)


def _until_cancelled(app: App) -> App:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            # The host stops and a request had its time; the client may send it again.
            if scope["type"] != "http":
                raise
            await send_answer(send, scope["method"], STOPPING)

    return serve


def _port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and int(text) < 2**16):
        sys.exit(f"PORT is {text!r}, and must be a number from 0 to 65535.")
    return int(text)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError as error:
        _refuse_port(port, error)
    return listener


def _refuse_port(port: int, error: OSError) -> NoReturn:
    if error.errno == errno.EADDRINUSE:
        sys.exit(f"Port {port} is taken: stop what listens there, or name another with PORT=8071.")
    sys.exit(f"Port {port} cannot be used: {error.strerror}.")


def _writable(data: Path) -> Path:
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            return data
    except OSError as error:
        sys.exit(f"The directory for the data, {data}, cannot be written: {error.strerror}.")


def _leave(signum: int, frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
