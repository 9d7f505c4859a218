"""The archive as a process of its own: `python -m local` on a free port, for tests that start, stop or crowd it."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from shared.settings import BUSES, STORES

ROOT = Path(__file__).parent.parent
BASE = "/api/v1"
STRICT = "/creditor-institutions/15376371009/notices"
LENIENT = "/creditor-institutions/77777777777/notices"
KEY = {"Ocp-Apim-Subscription-Key": "local-ec"}

PATIENCE = 30.0
"""Seconds that a start or a stop may take, on a machine that has much else to do."""


@contextmanager
def running(data: Path, cosmos: str | None = None, *options: str, **settings: str) -> Iterator["Server"]:
    """Yield a server on the data of a folder, ready to answer. In the end it is killed, if it still runs.

    `cosmos` is the connection string of an account, for a server that keeps its data there.
    """
    with starting(data, cosmos, *options, **settings) as server:
        server.wait_until_ready()
        yield server


@contextmanager
def starting(data: Path, cosmos: str | None = None, *options: str, **settings: str) -> Iterator["Server"]:
    """Yield a server that may not be ready yet, or never be. In the end it is killed, if it still runs."""
    command = [sys.executable, "-m", "local", *(["--azure"] if cosmos else []), *options]
    mine = {name: value for name, value in os.environ.items() if name not in (*STORES, *BUSES)}
    account = {"COSMOS": cosmos} if cosmos else {}
    environment = {**mine, "PORT": "0", "DATA": str(data), **account, **settings}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=err)
        try:
            yield Server(process, out, err)
        finally:
            process.kill()
            process.wait()


@contextmanager
def unanswered_port() -> Iterator[int]:
    """Yield a port of this machine at which nothing listens, and nothing else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Server:
    """A process that serves the archive on a port of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]) -> None:
        self.process = process
        self.port = 0
        self._out, self._err = out, err

    @property
    def url(self) -> str:
        """Return where its API begins."""
        return f"http://127.0.0.1:{self.port}{BASE}"

    @property
    def out(self) -> str:
        """Return what it has printed."""
        return _content(self._out)

    @property
    def log(self) -> str:
        """Return what it has logged, or the sentence with which it did not start."""
        return _content(self._err)

    def wait_until_ready(self) -> None:
        """Return when it listens, and its port is known: another process could take a port that a test chooses."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if found := re.search(r"on http://localhost:(\d+)/api\n", self.out):
                self.port = int(found[1])
                return
            time.sleep(0.01)
        raise AssertionError(f"The server did not start: {self.out}{self.log}")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end, and return its exit code."""
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code of the process when it ends."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End the process at once: it finishes nothing and prints nothing."""
        self.process.kill()
        self.process.wait()

    @asynccontextmanager
    async def lines(self, count: int = 1) -> AsyncIterator[list["Line"]]:
        """Yield so many lines to the server."""
        async with AsyncExitStack() as open_lines:
            yield [await open_lines.enter_async_context(self._line()) for _ in range(count)]

    @asynccontextmanager
    async def _line(self) -> AsyncIterator["Line"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Line:
    """One connection, one request at a time, and little else: what many of them cost is the server's work, not ours."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, Any]:
        """Return the status and the JSON of the answer; raise EOFError or ConnectionError when there is none."""
        content = b"" if body is None else json.dumps(body).encode()
        sent = {
            "Host": "localhost",
            **KEY,
            "Content-Type": "application/json",
            **headers,
            "Content-Length": len(content),
        }
        lines = [f"{method} {BASE}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        return int(head[9:12]), json.loads(await self.reader.readexactly(int(length[1])))


def _content(file: IO[bytes]) -> str:
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")
