"""The archive as a process of its own: `python -m local` on a free port, for what kills, crowds or measures it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared.settings import STORES

ROOT = Path(__file__).parent.parent
BASE = "/api/v1"
STRICT = "/creditor-institutions/15376371009/notices"
LENIENT = "/creditor-institutions/77777777777/notices"
KEY = {"Ocp-Apim-Subscription-Key": "local-ec"}

STARTS_WITHIN = 20.0
"""Seconds that a start may take, on a machine that has much else to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves the archive on a port of this machine."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Return where its API begins."""
        return f"http://127.0.0.1:{self.port}{BASE}"

    @asynccontextmanager
    async def lines(self, count: int = 1) -> AsyncIterator[list["Line"]]:
        """Yield so many lines to the server."""
        async with AsyncExitStack() as open_lines:
            yield [await open_lines.enter_async_context(self._line()) for _ in range(count)]

    def kill(self) -> None:
        """End the process in the midst of what it does: nothing is finished, nothing is said."""
        self.process.kill()
        self.process.wait()

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
        sent = {"Host": "archive", **KEY, "Content-Type": "application/json", **headers, "Content-Length": len(content)}
        lines = [f"{method} {BASE}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        return int(head[9:12]), json.loads(await self.reader.readexactly(int(length[1])))


@contextmanager
def running(data: Path, cosmos: str | None = None) -> Iterator[Server]:
    """Yield a server on the data of a folder, ready to answer; in the end it is killed, if it still runs.

    `cosmos` is the connection string of an account, for a server that keeps its data there.
    """
    data.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in STORES}
    if cosmos:
        environment["COSMOS"] = cosmos
    log = data / f"server-{time.time_ns()}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--port", "0", "--data", str(data), *(["--azure"] if cosmos else [])],
            cwd=ROOT,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(process, _port(process, log))
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        # It says where it listens once it does: a port that is asked for could be somebody else's by then.
        if found := re.search(r"on http://localhost:(\d+)/api\n", log.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.01)
    raise AssertionError(f"The server did not start: {log.read_text(errors='replace')}")
