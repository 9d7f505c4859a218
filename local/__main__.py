"""Serve the archive on this machine: `python -m local` is `make run`, `python -m local --azure` is `make run-azure`.

The port is --port or PORT (7071). The data folder is --data or DATA (.local). With --azure, it uses the adapters for
Azure: on the account in COSMOS and the namespace in SERVICEBUS, or on doubles of them that it starts. It listens on
loopback only, because the keys of the local callers are published.
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

from local import cosmos, debtor_keys, seed, service_bus
from local.functions import NotLoadable
from local.host import Host
from local.logs import show_log
from local.protocol import Protocol
from local.public_keys import require_loopback_host
from local.request import App, Receive, Scope, Send
from local.response import UNAVAILABLE, send_answer
from shared import bootstrap
from shared.errors import StoreUnavailable
from shared.settings import BUSES, OWN_DEBTOR_KEYS, STORES, CosmosStore, EmbeddedStore, Settings, SettingsError
from shared.telemetry import error_chain

ADDRESS = "127.0.0.1"
ROOT = Path(__file__).parent.parent
KEEP_ALIVE_SECONDS = 131
"""Seconds after which a connection without requests is closed, as in Azure."""
ACCEPTED_AT_ONCE = 16
"""Connections that are accepted in one turn of the event loop."""
SHUTDOWN_SECONDS = 3
"""Seconds that open requests have to finish when the host stops."""


def main() -> None:
    """Serve until Ctrl-C or SIGTERM, then exit with 0. If it cannot start, print one sentence and exit with 1."""
    signal.signal(signal.SIGINT, _exit)
    signal.signal(signal.SIGTERM, _exit)
    arguments = argparse.ArgumentParser(prog="python -m local", description="Serve the archive on this machine.")
    add = arguments.add_argument
    add("--port", default=os.environ.get("PORT") or "7071", help="the port (7071)")
    add("--data", default=os.environ.get("DATA") or ".local", type=Path, help="the data folder (.local)")
    add("--azure", action="store_true", help="use Cosmos DB and Service Bus: those that are named, or doubles")
    chosen = arguments.parse_args()

    os.umask(0o077)  # Its files can have data of citizens, and the machine can have other users.
    show_log()
    listener = _bind(_parse_port(chosen.port))
    if not any(os.environ.get(name) for name in STORES):
        name, value = _cosmos_double(chosen.data) if chosen.azure else _embedded(chosen.data)
        os.environ[name] = value
    if chosen.azure and os.environ.get("ARCHIVE_STORE"):
        sys.exit("ARCHIVE_STORE names the embedded store, and --azure is for Cosmos DB: use only one of them.")
    store = _settings().store
    if not chosen.azure and isinstance(store, CosmosStore):
        sys.exit("The settings name an account of Cosmos DB: use `make run-azure`. `make run` is for SQLite.")
    is_account = isinstance(store, CosmosStore) and not store.is_emulator
    if chosen.azure and not any(os.environ.get(name) for name in BUSES):
        if is_account:  # a double of Service Bus would take its events
            sys.exit("The settings name an account of Cosmos DB: name its namespace in SERVICEBUS as well.")
        os.environ["SERVICEBUS"] = _bus_double(chosen.data)
    if not os.environ.get("DEBTOR_KEYS") and not is_account:
        folder = store.path.parent if isinstance(store, EmbeddedStore) else chosen.data
        os.environ["DEBTOR_KEYS"] = _own_debtor_keys(folder)
    _serve(listener, _settings(is_whole=True))


def _settings(*, is_whole: bool = False) -> Settings:
    """Return the settings of the environment. Exits if they are not valid."""
    try:
        return Settings.from_environment(os.environ, is_whole=is_whole)
    except SettingsError as error:
        sys.exit(str(error))


def _embedded(data: Path) -> tuple[str, str]:
    return "ARCHIVE_STORE", f"sqlite:{_writable_folder(data) / 'archive.db'}"


def _cosmos_double(data: Path) -> tuple[str, str]:
    try:
        return "COSMOS", cosmos.start_double(_writable_folder(data) / "cosmos.db")
    except (OSError, ValueError) as error:
        sys.exit(f"The double of Cosmos DB cannot start: {error}")


def _bus_double(data: Path) -> str:
    try:
        return service_bus.start_double(_writable_folder(data) / "bus.db")
    except (OSError, ValueError) as error:
        sys.exit(f"The double of Service Bus cannot start: {error}")


def _own_debtor_keys(data: Path) -> str:
    try:
        keys = debtor_keys.read_or_make(_writable_folder(data))
    except OSError as error:
        sys.exit(f"The debtor keys in {data} cannot be read or written: {error.strerror}.")
    except UnicodeDecodeError:
        keys = ""
    if not keys:
        sys.exit(f"The file {data / OWN_DEBTOR_KEYS} has no debtor keys. Restore it, or remove it and rebuild lists.")
    return keys


def _serve(listener: socket.socket, settings: Settings) -> None:
    try:
        host = Host.load(ROOT)
    except NotLoadable as error:
        sys.exit(f"The functions cannot be loaded: {error}.")
    port = listener.getsockname()[1]
    config = server_config(require_loopback_host(host, seed.PUBLIC_KEYS))
    server = _Server(config, settings, seed.banner(f"http://localhost:{port}/api", settings))
    try:
        # In each turn of the loop uvloop accepts one connection for each of these, so many clients need not queue.
        server.run(sockets=[listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))])
    except OSError as error:
        _exit_with_port_error(port, error)


def server_config(app: App) -> uvicorn.Config:
    """Return the settings of uvicorn."""
    return uvicorn.Config(
        _answer_when_cancelled(app),
        interface="asgi3",
        http=Protocol,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


class _Server(uvicorn.Server):
    """Opens the archive before it listens, prints how to use it, and closes it at the end."""

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
        bootstrap.quieten_collector()
        print(self._banner, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await bootstrap.close()


def _answer_when_cancelled(app: App) -> App:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            # The host stops, and the request has used its time. The client may send it again.
            if scope["type"] != "http":
                raise
            await send_answer(send, scope["method"], UNAVAILABLE)

    return serve


def _parse_port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and int(text) < 2**16):
        sys.exit(f"PORT is {text!r}. It must be a number from 0 to 65535.")
    return int(text)


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError as error:
        _exit_with_port_error(port, error)
    return listener


def _exit_with_port_error(port: int, error: OSError) -> NoReturn:
    if error.errno == errno.EADDRINUSE:
        sys.exit(f"Port {port} is in use: stop the program that uses it, or choose another port with PORT=8071.")
    sys.exit(f"Port {port} cannot be used: {error.strerror}.")


def _writable_folder(data: Path) -> Path:
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            return data
    except OSError as error:
        sys.exit(f"The data folder {data} cannot be written: {error.strerror}.")


def _exit(signum: int, frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
