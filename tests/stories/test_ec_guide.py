"""The guide for institutions is true: its requests, one after the other, are answered as it shows; its client runs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from shared.errors import catalogue
from shared.wire.violations import VIOLATIONS
from tests import curl
from tests.server import KEY, ROOT, Server, running
from tests.stores import COSMOS, SQLITE, account_for

GUIDE = (ROOT / "docs" / "ec-guide.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(http|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

VARIES = {"publishedAt", "updatedAt", "recordedAt", "occurredAt", "nextCursor"}
"""Fields of answers with another value each time; where the guide uses one in a request, ours takes its place."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(params=[SQLITE, COSMOS])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Yield a server without notices, on either store."""
    with running(tmp_path, account_for(request.param, tmp_path)) as server:
        yield server


def test_every_request_of_the_guide_is_answered_as_it_shows(server: Server) -> None:
    first, *_ = [text.removeprefix("$ ").partition("\n") for text in _blocks("console")]
    shown = _blocks("http")
    ours: dict[str, str] = {}

    origin = server.url.removesuffix("/api/v1")
    assert MOMENT.sub("…", curl.answer(first[0], origin)) == MOMENT.sub("…", first[2])
    for request, answer in zip(shown[::2], shown[1::2], strict=True):
        _check(answer, _send(request, origin, ours), request, ours)

    assert len(shown) == 2 * 28


def test_the_client_of_the_guide_runs_and_prints_what_the_guide_shows(server: Server) -> None:
    _, shown = _blocks("console")

    done = _run(server.url.removesuffix("/api/v1"))

    assert (done.returncode, f"$ python client.py\n{done.stdout}", done.stderr) == (0, shown, "")


def test_the_client_of_the_guide_repeats_the_same_request_until_it_is_answered() -> None:
    with _answering(503, 502, 200, 200, 200) as (origin, heard):
        done = _run(origin)

    assert (done.returncode, done.stderr) == (0, "")
    assert heard[0] == heard[1] == heard[2]
    assert [method for method, _ in heard] == ["PUT", "PUT", "PUT", "PATCH", "GET"]


def test_the_client_of_the_guide_does_not_repeat_what_is_refused() -> None:
    with _answering(409) as (origin, heard):
        done = _run(origin)

    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    assert len(heard) == 1


def test_the_guide_names_no_code_that_does_not_exist() -> None:
    refusals = {error.code for error in catalogue()}

    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", GUIDE))

    assert named - refusals - set(VIOLATIONS) == {"paid_elsewhere"}


def test_every_link_of_the_guide_within_itself_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) - headings == set()


def _blocks(kind: str) -> list[str]:
    return [text for block, text in BLOCK.findall(GUIDE) if block == kind]


def _send(request: str, origin: str, ours: dict[str, str]) -> httpx.Response:
    """Send a request as it is shown, with what is always the same and with our moments and cursors for theirs."""
    for theirs, mine in ours.items():
        request = request.replace(theirs, mine)
    head, _, body = request.partition("\n\n")
    first, *lines = head.splitlines()
    method, path = first.split(" ")
    headers = {**KEY, **dict(line.split(": ", 1) for line in lines)}
    if body:
        headers["Content-Type"] = "application/json"
    return httpx.request(method, f"{origin}{path}", headers=headers, content=body or None)


def _check(shown: str, answer: httpx.Response, request: str, ours: dict[str, str]) -> None:
    """Assert that the answer has the status, and every header and field, that is shown."""
    head, _, body = shown.partition("\n\n")
    first, *lines = head.strip().splitlines()
    assert f"HTTP/1.1 {answer.status_code}" == first, f"{request}\n{answer.text}"
    for line in lines:
        name, value = line.split(": ", 1)
        assert (name, answer.headers[name]) == (name, value), request
    if body:
        _check_value(json.loads(body), answer.json(), request, ours)
    else:
        assert answer.content == b""


def _check_value(shown: Any, answered: Any, where: str, ours: dict[str, str]) -> None:
    match shown, answered:
        case dict(), dict():
            for name, value in shown.items():
                assert name in answered, f"{where}: {name}"
                if name in VARIES and value is not None:
                    assert ours.setdefault(value, answered[name]) == answered[name], f"{where}: {name}"
                else:
                    _check_value(value, answered[name], f"{where}: {name}", ours)
        case list(), list():
            assert len(shown) == len(answered), f"{where}: {answered}"
            for index, value in enumerate(shown):
                _check_value(value, answered[index], f"{where}[{index}]", ours)
        case _:
            assert shown == answered, where


def _run(origin: str) -> subprocess.CompletedProcess[str]:
    """Run the client of the guide on the archive at `origin`."""
    (program,) = _blocks("python")
    command = [sys.executable, "-c", program.replace(curl.LOCAL, origin)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def _answering(*statuses: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Yield a server that answers with these statuses, one after the other, and what it heard."""
    heard: list[tuple[str, bytes]] = []
    rest = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            heard.append((self.command, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            content = b'{"amount": 12550}'
            self.send_response(next(rest))
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
