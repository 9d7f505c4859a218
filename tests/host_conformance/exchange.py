"""Sends the bytes of a case and compares what comes back."""

import asyncio
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Case = Mapping[str, Any]

APP = Path(__file__).with_name("app")
CASES: list[Case] = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
PATIENCE = 30.0
"""Seconds that a host may take for an answer, and for the end of a connection."""

_REPEATED = re.compile(r"\{(.)\*(\d+)\}")


def as_local(case: Case) -> Case:
    """Return the case as the development host answers it."""
    return {**case, **case.get("local", {})}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    interim: list[int]
    is_closed: bool
    """Whether the host ended the connection; only looked at where a case asks."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host listens."""

    host: str
    port: int
    is_encrypted: bool = False

    async def answer(self, case: Case) -> Answer:
        """Send the request of a case over a connection of its own; raise EOFError if no whole answer comes."""
        context = ssl.create_default_context() if self.is_encrypted else None
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(self.host, self.port, ssl=context)
            try:
                writer.write(_request(case, self.host))
                is_head = case["request"].startswith("HEAD ")
                interim: list[int] = []
                status, headers = await _head(reader)
                while status < 200:
                    interim.append(status)
                    status, headers = await _head(reader)
                has_body = not is_head and status not in (204, 304)
                body = await _body(reader, headers) if has_body else b""
                is_closed = bool(case.get("closed")) and await _ends(reader)
                return Answer(status, headers, body, interim, is_closed)
            finally:
                writer.close()


def faults(case: Case, answer: Answer) -> Iterator[str]:
    """Yield a sentence for each thing that is not as the case says."""
    if answer.status != case["status"]:
        yield f"the status is {answer.status}, not {case['status']}"
        return
    for name, value in (case.get("headers") or {}).items():
        if answer.headers.get(name) != value:
            yield f"the header {name} is {answer.headers.get(name)!r}, not {value!r}"
    if case.get("body") is not None and answer.body.decode() != case["body"]:
        yield f"the body is {answer.body[:80]!r}, not {case['body']!r}"
    if case.get("seen"):
        yield from _unseen(case["seen"], json.loads(answer.body))
    if case.get("closed") and not answer.is_closed:
        yield "the connection stays open"
    if case.get("interim") is not None and answer.interim != case["interim"]:
        yield f"before the answer came {answer.interim}, not {case['interim']}"


def _unseen(expected: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        found = seen[name]
        if name == "headers":
            found = {header: found.get(header) for header in value}
        if found != value:
            yield f"the function saw {name} {found!r}, not {value!r}"


def _request(case: Case, host: str) -> bytes:
    text = case["request"].replace("{host}", host)
    return _REPEATED.sub(lambda match: match[1] * int(match[2]), text).encode("latin-1")


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()


async def _ends(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(PATIENCE / 2):
            await reader.read()
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True
