"""The guides for institutions are true: their requests are answered as they show, and the client of one runs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread

import httpx
import pytest

from shared.errors import catalogue
from shared.settings import VARIABLES
from shared.wire.violations import VIOLATIONS
from tests import curl
from tests.guide import BLOCK, sections
from tests.server import ROOT, Server, running
from tests.stores import COSMOS, SQLITE, account_for
from tests.support import NOW, SECOND, StillClock

GUIDES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("ec-guide.md", "pa-create-position.md")}
GUIDE = GUIDES["ec-guide.md"]
LATER = datetime(2030, 2, 3, 9, 15, tzinfo=UTC)

guides = pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)


@pytest.fixture(params=[SQLITE, COSMOS])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Yield a server without notices, on either store."""
    with running(tmp_path, account_for(request.param, tmp_path)) as server:
        yield server


def test_every_request_of_the_guides_is_answered_as_they_show(server: Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    sent = 0

    with httpx.Client(timeout=30) as client:
        for section in (section for guide in GUIDES.values() for section in sections(guide)):
            for exchange, command in section.commands():
                section.check(exchange, client.send(curl.request_of(command, origin)))
                sent += 1

    assert sent >= 45


@guides
@pytest.mark.parametrize(("now", "seed"), [(NOW, 1), (LATER, 2), (LATER, 3)])
async def test_a_reader_may_begin_with_any_section_on_any_day(
    http: httpx.AsyncClient, clock: StillClock, guide: str, now: datetime, seed: int
) -> None:
    clock.now = now
    parts = sections(guide)
    Random(seed).shuffle(parts)

    for section in parts:
        for exchange, command in section.commands():
            section.check(exchange, await http.send(curl.request_of(command, "http://archive.test")))
            clock.advance(SECOND)

    assert len(parts) >= 4


@guides
def test_every_block_of_a_guide_is_sent_or_run(guide: str) -> None:
    kinds = {kind for kind, _ in BLOCK.findall(guide)}

    assert kinds <= {"sh", "http", "python", "console"}
    assert all(text.startswith("curl -i ") for kind, text in BLOCK.findall(guide) if kind == "sh")
    assert len(BLOCK.findall(guide)) == guide.count("```") / 2


def test_the_client_of_the_guide_runs_and_prints_what_the_guide_shows(server: Server) -> None:
    (shown,) = _blocks("console")

    done = _run(server.url.removesuffix("/api/v1"))

    assert (done.returncode, f"$ python client.py\n{done.stdout}", done.stderr) == (0, shown, "")


def test_the_client_of_the_guide_repeats_the_same_request_until_it_is_answered() -> None:
    with _answering((503, "0"), (502, "Fri, 27 Nov 2026 10:00:00 GMT"), 200, 200, 200) as (origin, heard):
        done = _run(origin)

    assert (done.returncode, done.stderr) == (0, "")
    assert heard[0] == heard[1] == heard[2]
    assert [method for method, _ in heard] == ["PUT", "PUT", "PUT", "PATCH", "GET"]


def test_the_client_of_the_guide_does_not_repeat_what_is_refused_and_shows_what_to_correct() -> None:
    with _answering(422) as (origin, heard):
        done = _run(origin)

    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: invalid_body: Correct it.\namount: must be a number\n")
    assert len(heard) == 1


def test_the_client_of_the_guide_waits_longer_than_a_request_may_take() -> None:
    (budget,) = (variable.default for variable in VARIABLES if variable.name == "STORE_BUDGET_SECONDS")

    (timeout,) = re.findall(r"timeout=(\d+)", _blocks("python")[0])

    assert int(timeout) >= 2 * float(budget)


def test_the_guide_names_no_code_that_does_not_exist() -> None:
    refusals = {error.code for error in catalogue()}

    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", GUIDE))

    assert named - refusals - set(VIOLATIONS) == {"paid_elsewhere"}


@guides
def test_every_link_of_a_guide_within_itself_leads_somewhere(guide: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", guide, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", guide)) - headings == set()


def _blocks(kind: str) -> list[str]:
    return [text for block, text in BLOCK.findall(GUIDE) if block == kind]


def _run(origin: str) -> subprocess.CompletedProcess[str]:
    """Run the client of the guide on the archive at `origin`."""
    (program,) = _blocks("python")
    command = [sys.executable, "-c", program.replace(curl.LOCAL, origin)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def _answering(*statuses: int | tuple[int, str]) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Yield a server that answers with these statuses, one after the other, and what it heard.

    A status may come with the value of Retry-After.
    """
    heard: list[tuple[str, bytes]] = []
    rest = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            heard.append((self.command, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            content = (
                b'{"amount": 12550, "code": "invalid_body", "detail": "Correct it.",'
                b' "violations": [{"field": "amount", "code": "wrong_type", "message": "must be a number"}]}'
            )
            status = next(rest)
            if isinstance(status, tuple):
                status, retry_after = status
                self.send_response(status)
                self.send_header("Retry-After", retry_after)
            else:
                self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = answer  # noqa: N815  the names that the server looks for

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()
