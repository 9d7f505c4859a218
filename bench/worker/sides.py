"""The sides in the worker: each is a process that loads one Function App, and answers over its standard streams."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.client import Reply
from bench.corpus import Case
from shared.settings import STORES

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
PYTHON = Path(sys.executable)
"""The Python that runs the sides. Its environment has the worker library."""
AT_ONCE = 32
"""Invocations that are in progress together."""

Request = tuple[str, str, Mapping[str, str], str | None]
"""Method, path, headers and body."""


@dataclass(frozen=True, slots=True)
class WorkerSide:
    """A Function App in a process of the worker."""

    name: str
    process: subprocess.Popen[str]
    log: IO[bytes]
    """What it writes on standard error."""

    async def ask(self, case: Case) -> Reply:
        """Return the answer to the request of a case."""
        body = None if case.body is None else case.body.decode(errors="surrogateescape")
        answer = await asyncio.to_thread(self._do, {"ask": [case.method, case.path, dict(case.headers), body]})
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return Reply(answer["status"], headers, answer["body"].encode())

    def run(self, requests: Sequence[Request]) -> Mapping[str, float]:
        """Send the requests, some at once. Return the seconds, the CPU seconds and the failures."""
        found: Mapping[str, float] = self._do({"run": requests, "at_once": AT_ONCE})
        return found

    def _do(self, command: Mapping[str, object]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.log.seek(0)
            raise RuntimeError(f"{self.name} ended: {self.log.read().decode(errors='replace')[-2000:]}")
        return json.loads(answer)


@contextmanager
def running(name: str, app: Path, python: Path = PYTHON, **settings: str) -> Iterator[WorkerSide]:
    """Run the worker on the app in a folder, with these settings."""
    environment = {key: value for key, value in os.environ.items() if key not in STORES} | settings
    command = [str(python), "-I", str(Path(__file__).with_name("process.py")), str(app)]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield WorkerSide(name, process, log)
        finally:
            process.kill()


@contextmanager
def archive(folder: Path, python: Path = PYTHON) -> Iterator[WorkerSide]:
    """Run the archive on its embedded store, with the institutions and callers of the development host."""
    from local.seed import seed
    from shared import bootstrap
    from shared.settings import EmbeddedStore, Settings

    folder.mkdir()
    path = folder / "archive.db"

    async def prepare() -> None:
        bootstrap.open_application(Settings(EmbeddedStore(path)))
        await seed()
        await bootstrap.close()

    asyncio.run(prepare())
    with running("archive", ROOT, python, ARCHIVE_STORE=f"sqlite:{path}") as side:
        yield side


@contextmanager
def fastapi(folder: Path) -> Iterator[WorkerSide]:
    """Run FastAPI, pydantic and aiosqlite through AsgiFunctionApp."""
    from bench.sides.registry import registry

    folder.mkdir()
    (folder / "registry.json").write_bytes(registry())
    with running("fastapi", APPS / "fastapi", PEER_DATA=str(folder)) as side:
        yield side


@contextmanager
def constant(folder: Path, python: Path = PYTHON) -> Iterator[WorkerSide]:
    """Run a function that answers a constant of the size of a notice."""
    from bench.notices import dumps
    from bench.sides.constant import SIZE

    folder.mkdir()
    body = folder / "answer.json"
    body.write_bytes(dumps("x" * (SIZE - 2)))
    with running("constant", APPS / "constant", python, CONSTANT_BODY=str(body)) as side:
        yield side
