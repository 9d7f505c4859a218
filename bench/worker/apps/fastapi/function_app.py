"""A Function App that is FastAPI: the peer on SQLite, through Microsoft's adapter for ASGI."""

import os
from pathlib import Path

import azure.functions as func

from bench.peer.app import create_app
from bench.peer.sqlite import SqliteStore

folder = Path(os.environ["PEER_DATA"])
registry = (folder / "registry.json").read_bytes()
app = func.AsgiFunctionApp(
    create_app(lambda: SqliteStore.opened(folder / "peer.db", registry)), http_auth_level=func.AuthLevel.ANONYMOUS
)
